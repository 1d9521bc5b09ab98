//! How Redis keeps what the list says of a run, and reads it back.

use std::{str::FromStr, time::SystemTime};

use skald_core::{
    saga::{
        RunId,
        journal::{Standing, Summary},
    },
    store::StoreError,
};

use crate::redis::keys::{micros, padded, time};

/// The fields of a summary, in the order in which scripts take them and rows have them.
pub(super) const FIELDS: [&str; 12] = [
    "epoch",
    "component",
    "subject",
    "standing",
    "started_at",
    "revision",
    "key",
    "note",
    "updated_at",
    "due",
    "records",
    "bytes",
];

/// What Redis answers for one run: its fields, or nothing of any.
pub(super) type Row = Vec<Option<Vec<u8>>>;

/// The texts of all fields, in their order.
pub(super) fn write(summary: &Summary) -> [String; FIELDS.len()] {
    [
        padded(summary.epoch),
        summary.component.clone(),
        summary.subject.clone(),
        summary.standing.as_str().to_owned(),
        place(summary.started_at),
        summary.revision.clone(),
        summary.key.clone(),
        summary.note.clone(),
        micros(summary.updated_at).to_string(),
        summary
            .due
            .map(|due| micros(due).to_string())
            .unwrap_or_default(),
        summary.records.to_string(),
        summary.bytes.to_string(),
    ]
}

/// What a row says of a run; nothing if it says nothing.
pub(super) fn read(run: &RunId, row: Row) -> Result<Option<Summary>, StoreError> {
    if row.iter().all(Option::is_none) {
        return Ok(None);
    }
    summary(run, row)
        .map(Some)
        .ok_or_else(|| StoreError::Corrupt(format!("what the list says of {run} cannot be read")))
}

fn summary(run: &RunId, row: Row) -> Option<Summary> {
    let texts: Option<Vec<_>> = row
        .into_iter()
        .map(|field| String::from_utf8(field?).ok())
        .collect();
    let [
        epoch,
        component,
        subject,
        standing,
        started_at,
        revision,
        key,
        note,
        updated_at,
        due,
        records,
        bytes,
    ] = <[String; FIELDS.len()]>::try_from(texts?).ok()?;
    let due = if due.is_empty() {
        None
    } else {
        Some(time(number(&due)?)?)
    };
    Some(Summary {
        run: run.clone(),
        component,
        revision,
        key,
        subject,
        standing: Standing::parse(&standing)?,
        note,
        started_at: time((number::<u64>(&started_at)? ^ SIGN).cast_signed())?,
        updated_at: time(number(&updated_at)?)?,
        due,
        epoch: number(&epoch)?,
        records: number(&records)?,
        bytes: number(&bytes)?,
    })
}

/// The sign of a signed number. Turned around, it makes the order of unsigned numbers that of signed ones.
const SIGN: u64 = 1 << 63;

/// A time as a text whose order is that of times.
pub(super) fn place(time: SystemTime) -> String {
    padded(micros(time).cast_unsigned() ^ SIGN)
}

fn number<N: FromStr>(text: &str) -> Option<N> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn before(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH - Duration::from_secs(seconds)
    }

    #[test]
    fn the_order_of_texts_is_that_of_times() {
        let times = [
            before(10),
            before(1),
            SystemTime::UNIX_EPOCH,
            SystemTime::UNIX_EPOCH + Duration::from_micros(9),
            SystemTime::UNIX_EPOCH + Duration::from_micros(10),
            SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40),
        ];
        let places = times.map(place);
        assert!(places.is_sorted(), "{places:?}");
        assert!(places.iter().all(|place| place.len() == 20));
    }

    #[test]
    fn a_row_is_read_back() {
        let summary = Summary {
            started_at: before(3),
            due: Some(before(1)),
            epoch: u64::MAX,
            ..crate::contract::journal::begin("run_1").summary
        };
        let row = write(&summary).map(|field| Some(field.into_bytes()));
        assert_eq!(read(&summary.run, row.to_vec()).unwrap(), Some(summary));
    }

    #[test]
    fn a_row_that_is_not_ours_is_corrupt() {
        let run = RunId::from("run_1");
        assert_eq!(read(&run, vec![None; FIELDS.len()]).unwrap(), None);
        let mut row = vec![None; FIELDS.len()];
        row[0] = Some(b"1".to_vec());
        insta::assert_snapshot!(
            read(&run, row).unwrap_err(),
            @"the data cannot be read: what the list says of run_1 cannot be read"
        );
    }
}
