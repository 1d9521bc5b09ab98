//! The log of events, as its subscribers read it.

use std::{collections::BTreeSet, sync::Arc};

use rusqlite::params;
use skald_core::{
    call::BoxFuture,
    context::InboxMark,
    event::{DeadLetter, Event, EventLog, Failure, Progress},
    store::StoreError,
};

use crate::{
    books::{Advance, Burial, Note},
    embedded::Embedded,
    reader::Reader,
    rows::{event, event_columns, integer, maximum, number, text, time},
};

impl EventLog for Embedded {
    fn read<'a>(
        &'a self,
        topics: &'a [Arc<str>],
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        Box::pin(async move {
            self.view()
                .await?
                .read(|reader| events(reader, topics, after, limit))
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { self.view().await?.read(|reader| head(reader)) })
    }

    fn progress<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Progress, StoreError>> {
        Box::pin(async move { self.view().await?.read(|reader| progress(reader, group)) })
    }

    fn advance<'a>(&'a self, group: &'a str, cursor: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(Advance(mark(group, cursor))))
    }

    fn note_failure<'a>(
        &'a self,
        group: &'a str,
        failure: Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(Note(mark(group, failure.sequence), failure)))
    }

    fn bury(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>> {
        let mark = mark(&letter.group, letter.event.sequence);
        Box::pin(self.write(Burial(mark, letter)))
    }

    fn dead_letters(&self, limit: usize) -> BoxFuture<'_, Result<Vec<DeadLetter>, StoreError>> {
        Box::pin(async move {
            self.view()
                .await?
                .read(|reader| dead_letters(reader, limit))
        })
    }
}

fn mark(group: &str, sequence: u64) -> InboxMark {
    InboxMark {
        group: Arc::from(group),
        sequence,
    }
}

/// Takes the numbers of each topic from the index, a page each, and then only the events of the page that is asked
/// for. One query over all topics would sort everything after `after` for each page.
fn events(
    reader: &Reader,
    topics: &[Arc<str>],
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Event>> {
    let mut numbers = BTreeSet::new();
    for topic in topics {
        numbers.append(&mut reader.list::<u64, BTreeSet<u64>>(
            "SELECT seq FROM events WHERE topic = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            params![&**topic, integer(after), maximum(limit)],
            |row| number(row, 0),
        )?);
    }
    let sql = concat!("SELECT ", event_columns!(), " FROM events WHERE seq = ?1");
    let one = |sequence| reader.find(sql, [integer(sequence)], |row| event(row, 0));
    numbers
        .into_iter()
        .take(limit)
        .filter_map(|sequence| one(sequence).transpose())
        .collect()
}

fn head(reader: &Reader) -> rusqlite::Result<u64> {
    Ok(reader
        .find(
            "SELECT seq FROM events ORDER BY seq DESC LIMIT 1",
            [],
            |row| number(row, 0),
        )?
        .unwrap_or(0))
}

fn progress(reader: &Reader, group: &str) -> rusqlite::Result<Progress> {
    let cursor = reader.find(
        "SELECT seq FROM cursors WHERE subscriber = ?1",
        [group],
        |row| number(row, 0),
    )?;
    let cursor = cursor.unwrap_or(0);
    let beyond = params![group, integer(cursor)];
    Ok(Progress {
        cursor,
        handled: reader.list("SELECT seq FROM inbox WHERE subscriber = ?1 AND seq > ?2", beyond, |row| number(row, 0))?,
        failures: reader.list(
            "SELECT seq, attempts, retry_at, error FROM failures WHERE subscriber = ?1 AND seq > ?2 ORDER BY seq",
            beyond,
            |row| {
                Ok(Failure {
                    sequence: number(row, 0)?,
                    attempts: row.get(1)?,
                    retry_at: time(row, 2)?,
                    error: row.get(3)?,
                })
            },
        )?,
    })
}

fn dead_letters(reader: &Reader, limit: usize) -> rusqlite::Result<Vec<DeadLetter>> {
    reader.list(
        concat!(
            "SELECT subscriber, attempts, error, buried_at, ",
            event_columns!(),
            " FROM dead_letters ORDER BY id LIMIT ?1"
        ),
        [maximum(limit)],
        |row| {
            Ok(DeadLetter {
                group: text(row, 0)?,
                attempts: row.get(1)?,
                error: row.get(2)?,
                buried_at: time(row, 3)?,
                event: event(row, 4)?,
            })
        },
    )
}
