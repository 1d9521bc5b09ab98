//! How values of the core are written in columns, and read back.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use rusqlite::{Row, types::Type};
use skald_core::{
    context::TraceContext,
    event::{Event, Partition},
};

/// The columns of the log that [`event`] reads, in its order.
macro_rules! event_columns {
    () => {
        "seq, coalesce(of_topic, topic), key, payload, recorded_at, traceparent"
    };
}
pub(crate) use event_columns;

/// SQLite's integers are signed. No counter gets this far, but a caller may ask for what is after the last number.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How many rows at most.
pub(crate) fn maximum(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The number that [`integer`] wrote.
pub(crate) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let integer: i64 = row.get(column)?;
    u64::try_from(integer).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, integer))
}

/// Microseconds since 1970: exact enough for people and for backoff, and readable with SQLite's `datetime`.
pub(crate) fn micros(time: SystemTime) -> i64 {
    let saturate = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => saturate(since),
        Err(before) => -saturate(before.duration()),
    }
}

/// The time that [`micros`] wrote.
pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<SystemTime> {
    let micros: i64 = row.get(column)?;
    let distance = Duration::from_micros(micros.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if micros < 0 {
        epoch.checked_sub(distance)
    } else {
        epoch.checked_add(distance)
    };
    time.ok_or(rusqlite::Error::IntegralValueOutOfRange(column, micros))
}

/// Bytes of a column, copied once.
pub(crate) fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}

/// Text of a column, copied once.
pub(crate) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    Ok(Arc::from(row.get_ref(column)?.as_str()?))
}

/// The only partition there is.
pub(crate) fn partition() -> Partition {
    static LOG: LazyLock<Partition> = LazyLock::new(|| Partition::from("log"));
    Partition::clone(&LOG)
}

/// An event from the columns of [`event_columns`], the first of which is `first`.
pub(crate) fn event(row: &Row<'_>, first: usize) -> rusqlite::Result<Event> {
    Ok(Event {
        partition: partition(),
        sequence: number(row, first)?,
        topic: text(row, first + 1)?,
        key: row.get(first + 2)?,
        payload: bytes(row, first + 3)?,
        recorded_at: time(row, first + 4)?,
        trace: trace(row, first + 5)?,
    })
}

fn trace(row: &Row<'_>, column: usize) -> rusqlite::Result<TraceContext> {
    let header = row.get_ref(column)?.as_str()?;
    read_trace(header).ok_or_else(|| {
        let why = format!("{header:?} is not a traceparent");
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
    })
}

/// The header that `TraceContext` displays. Its own parser refuses ids of zero, which what is outside any trace has.
pub(crate) fn read_trace(header: &str) -> Option<TraceContext> {
    let mut parts = header.split('-').skip(1);
    Some(TraceContext {
        trace_id: u128::from_str_radix(parts.next()?, 16).ok()?,
        span_id: u64::from_str_radix(parts.next()?, 16).ok()?,
        sampled: parts.next()? == "01",
    })
}
