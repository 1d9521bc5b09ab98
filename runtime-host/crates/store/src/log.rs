//! The log of events, as its subscribers read it.

use std::{collections::BTreeSet, future::ready, sync::Arc};

use rusqlite::params;
use skald_core::{
    call::BoxFuture,
    context::InboxMark,
    event::{
        Book, DeadLetter, Event, EventLog, Failure, Head, Interest, NewEvent, Partition, Progress,
        Stretch,
    },
    store::StoreError,
};

use crate::{
    books::{Advance, Burial, Note},
    embedded::Embedded,
    reader::Reader,
    rows::{event, event_columns, integer, maximum, number, partition, time},
};

impl EventLog for Embedded {
    fn partitions<'a>(
        &'a self,
        _interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Vec<Partition>, StoreError>> {
        Box::pin(ready(Ok(vec![partition()])))
    }

    fn read<'a>(
        &'a self,
        _partition: &'a Partition,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        Box::pin(async move {
            let own = NewEvent::topic_for(&interest.group);
            let topics = interest.topics.iter().chain([&own]);
            self.view()
                .await?
                .read(|reader| events(reader, topics, after, limit))
        })
    }

    fn head<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Head, StoreError>> {
        Box::pin(async move { self.view().await?.read(|reader| head(reader, book)) })
    }

    fn read_on<'a>(
        &'a self,
        book: &'a Book,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Stretch, StoreError>> {
        Box::pin(async move {
            let own = NewEvent::topic_for(&interest.group);
            let topics = interest.topics.iter().chain([&own]);
            let range = (after, limit);
            self.view()
                .await?
                .read(|reader| stretch(reader, book, topics, range))
        })
    }

    fn progress<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Progress, StoreError>> {
        Box::pin(async move { self.view().await?.read(|reader| progress(reader, book)) })
    }

    fn advance<'a>(
        &'a self,
        book: &'a Book,
        generation: u64,
        cursor: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(Advance(InboxMark {
            book: book.clone(),
            generation,
            sequence: cursor,
        })))
    }

    fn note_failure<'a>(
        &'a self,
        book: &'a Book,
        failure: Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mark = mark(book.clone(), failure.sequence);
        Box::pin(self.write(Note(mark, failure)))
    }

    fn bury(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>> {
        let mark = mark(letter.book(), letter.event.sequence);
        Box::pin(self.write(Burial(mark, letter)))
    }
}

/// A mark of any generation.
fn mark(book: Book, sequence: u64) -> InboxMark {
    InboxMark {
        book,
        generation: 0,
        sequence,
    }
}

/// Takes the numbers of each topic from the index, a page each, and then only the events of the page that is asked
/// for. One query over all topics would sort everything after `after` for each page.
pub(crate) fn events<'a>(
    reader: &Reader,
    topics: impl IntoIterator<Item = &'a Arc<str>>,
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

fn stretch<'a>(
    reader: &Reader,
    book: &Book,
    topics: impl IntoIterator<Item = &'a Arc<str>>,
    (after, limit): (u64, usize),
) -> rusqlite::Result<Stretch> {
    let head = head(reader, book)?;
    if head.newest <= after {
        return Ok(Stretch::nothing(after, head.generation));
    }
    let events = events(reader, topics, after, limit)?;
    Ok(Stretch::new(events, limit, head))
}

fn head(reader: &Reader, book: &Book) -> rusqlite::Result<Head> {
    let newest = reader.find(
        "SELECT seq FROM events ORDER BY seq DESC LIMIT 1",
        [],
        |row| number(row, 0),
    )?;
    let (_, generation) = cursor(reader, book)?;
    Ok(Head {
        newest: newest.unwrap_or(0),
        generation,
    })
}

/// Where a subscriber is, and in which generation.
pub(crate) fn cursor(reader: &Reader, book: &Book) -> rusqlite::Result<(u64, u64)> {
    let found = reader.find(
        "SELECT seq, generation FROM cursors WHERE subscriber = ?1",
        [&*book.group],
        |row| Ok((number(row, 0)?, number(row, 1)?)),
    )?;
    Ok(found.unwrap_or_default())
}

fn progress(reader: &Reader, book: &Book) -> rusqlite::Result<Progress> {
    let (cursor, generation) = cursor(reader, book)?;
    let beyond = params![&*book.group, integer(cursor)];
    Ok(Progress {
        generation,
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
