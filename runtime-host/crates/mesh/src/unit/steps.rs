//! A step of a saga: the answer is kept with the effects, and the same step is answered with it again.
//!
//! A typed error is not kept. It has changed nothing, so that the step may as well be tried anew; and once the saga has
//! heard it, its journal keeps it. Nor is the answer of a call that has written nothing: it may be another one when
//! the step is sent again, but nobody has heard the first, and a record would cost each look at something a commit.
//! What such a call has done elsewhere, by further calls or by requests outside, is not known here and done again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use skald_core::{
    call::{CallError, Reply},
    context::StepKey,
    store::{Key, StoreError},
    unit::Unit,
    value::Value,
};

use super::{failure, millis};

/// The host's own store for records; no component can be granted it.
pub(super) const LABEL: &str = "$steps";

/// How long a record is kept. A step is sent again after seconds, or when a run that is parked goes on; a person has
/// looked after it by then.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Many times what a step answers.
const LARGEST_RECORD: usize = 1 << 20;

/// The only form of a record so far. Whoever changes `Value` or the record counts on.
const FORMAT: u8 = 1;

/// An answer as it is stored.
#[derive(Debug, Deserialize, Serialize)]
struct Record {
    format: u8,
    /// Milliseconds since 1970.
    recorded_at: u64,
    answer: Option<Value>,
}

// === impl Record ===

impl Record {
    fn read(bytes: &[u8]) -> Option<Self> {
        let record: Self = postcard::from_bytes(bytes).ok()?;
        (record.format == FORMAT).then_some(record)
    }
}

/// The answer that the step was given before, if any: however old, since the key is never another step's.
pub(super) async fn find(unit: &mut Unit, step: &StepKey) -> Result<Option<Reply>, CallError> {
    let Some(bytes) = unit.get(&place(step)).await.map_err(failure)? else {
        return Ok(None);
    };
    let record = Record::read(&bytes).ok_or_else(|| {
        let what = format!("the record of step {} of {}", step.key, step.run);
        CallError::Store(StoreError::Corrupt(what))
    })?;
    Ok(Some(Reply::Value(record.answer)))
}

/// The write that keeps `reply`. Only calls of functions are steps, so that other replies are not kept.
pub(super) fn record(
    step: &StepKey,
    reply: &Reply,
    now: SystemTime,
) -> Result<Option<(Key, Option<Bytes>)>, CallError> {
    let Reply::Value(answer) = reply else {
        return Ok(None);
    };
    let record = Record {
        format: FORMAT,
        recorded_at: millis(now),
        answer: answer.clone(),
    };
    let bytes =
        postcard::to_stdvec(&record).map_err(|error| CallError::Engine(error.to_string()))?;
    if bytes.len() > LARGEST_RECORD {
        let limit = format!("the answer of a step may have {LARGEST_RECORD} bytes");
        return Err(CallError::OverLimit(limit));
    }
    Ok(Some((place(step), Some(bytes.into()))))
}

fn place(step: &StepKey) -> Key {
    Key {
        store: LABEL.into(),
        name: step.key.as_str().into(),
    }
}

/// Whether a stored record is of no more use. A damaged one is kept: its step must not take effect a second time.
pub(super) fn is_expired(record: &[u8], now: SystemTime) -> bool {
    Record::read(record).is_some_and(|record| {
        millis(now).saturating_sub(record.recorded_at) > millis(UNIX_EPOCH + KEPT)
    })
}

#[cfg(test)]
mod tests;
