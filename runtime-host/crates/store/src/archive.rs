//! The log for people and chores.

use std::{collections::BTreeMap, future::ready, sync::Arc, time::SystemTime};

use rusqlite::{OptionalExtension, Row, params};
use skald_core::{
    call::BoxFuture,
    event::{
        Book, DeadLetter, Event, Interest, NewEvent, Partition,
        archive::{Archive, Behind, Keep, LetterId, Letters, Topic},
    },
    store::StoreError,
};

use crate::{
    books::Rewind,
    embedded::Embedded,
    log::{cursor, events},
    reader::Reader,
    rows::{event, event_columns, integer, maximum, micros, number, partition, text, time},
    session::Session,
    work::{Stop, Work},
};

/// How many events one piece of work lets go of at most, so that units behind it do not wait long.
const SWATH: u32 = 1_000;

/// The columns [`letter`] reads.
macro_rules! letter_columns {
    () => {
        "subscriber, attempts, error, buried_at, seq, topic, key, payload, recorded_at, traceparent"
    };
}

/// Publishes a dead letter's event again.
#[derive(Debug)]
struct Redrive(LetterId, SystemTime);

/// Forgets a dead letter.
#[derive(Debug)]
struct Discard(LetterId);

/// Lets go of some of the oldest events.
#[derive(Debug)]
struct Trim(Keep);

impl Archive for Embedded {
    fn topics(&self) -> BoxFuture<'_, Result<Vec<Topic>, StoreError>> {
        Box::pin(async { self.view().await?.read(|reader| topics(reader)) })
    }

    fn parts(&self) -> BoxFuture<'_, Result<Vec<Partition>, StoreError>> {
        Box::pin(ready(Ok(vec![partition()])))
    }

    fn page<'a>(
        &'a self,
        _partition: &'a Partition,
        topics: &'a [Arc<str>],
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        Box::pin(async move {
            self.view().await?.read(|reader| match topics {
                [] => page(reader, after, limit),
                named => events(reader, named, after, limit),
            })
        })
    }

    fn before<'a>(
        &'a self,
        _partition: &'a Partition,
        at: SystemTime,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { self.view().await?.read(|reader| before(reader, at)) })
    }

    fn behind<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Behind, StoreError>> {
        let book = Book {
            group: Arc::clone(&interest.group),
            partition: Arc::clone(partition),
        };
        Box::pin(async move {
            self.view()
                .await?
                .read(|reader| behind(reader, &book, interest))
        })
    }

    fn dead_letters<'a>(
        &'a self,
        asked: &'a Letters,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, StoreError>> {
        Box::pin(async move { self.view().await?.read(|reader| letters(reader, asked)) })
    }

    fn dead_letter<'a>(
        &'a self,
        id: &'a LetterId,
    ) -> BoxFuture<'a, Result<Option<DeadLetter>, StoreError>> {
        Box::pin(async move {
            self.view().await?.read(|reader| {
                let row = params![&*id.book.group, integer(id.sequence)];
                reader.find(FIND, row, letter)
            })
        })
    }

    fn redrive<'a>(
        &'a self,
        id: &'a LetterId,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(Redrive(id.clone(), now)))
    }

    fn discard<'a>(&'a self, id: &'a LetterId) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(Discard(id.clone())))
    }

    fn rewind<'a>(&'a self, book: &'a Book, to: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(Rewind(Arc::clone(&book.group), to)))
    }

    fn trim<'a>(
        &'a self,
        _partition: &'a Partition,
        keep: Keep,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(trim(self, keep))
    }
}

async fn trim(store: &Embedded, keep: Keep) -> Result<u64, StoreError> {
    let mut gone = 0;
    loop {
        let some = store.write(Trim(keep)).await?;
        gone += some;
        if some < u64::from(SWATH) {
            return Ok(gone);
        }
    }
}

const FIND: &str = concat!(
    "SELECT ",
    letter_columns!(),
    " FROM dead_letters WHERE subscriber = ?1 AND seq = ?2"
);

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        group: text(row, 0)?,
        attempts: row.get(1)?,
        error: row.get(2)?,
        buried_at: time(row, 3)?,
        event: event(row, 4)?,
    })
}

fn letters(reader: &Reader, asked: &Letters) -> rusqlite::Result<Vec<DeadLetter>> {
    let after = asked.after.as_ref();
    let place = after.map_or(("", -1), |id| (&*id.book.group, integer(id.sequence)));
    reader.list(
        concat!(
            "SELECT ",
            letter_columns!(),
            " FROM dead_letters WHERE (subscriber, seq) > (?1, ?2) AND (?3 IS NULL OR subscriber = ?3)
             ORDER BY subscriber, seq LIMIT ?4"
        ),
        params![place.0, place.1, asked.group.as_deref(), maximum(asked.limit)],
        letter,
    )
}

/// What is there and what is gone. An event that was published again for one subscriber is no new one.
fn topics(reader: &Reader) -> rusqlite::Result<Vec<Topic>> {
    let mut counts: BTreeMap<Arc<str>, u64> = BTreeMap::new();
    for sql in [
        "SELECT topic, count(*) FROM events GROUP BY topic",
        "SELECT topic, events FROM trimmed",
    ] {
        let rows: Vec<(Arc<str>, u64)> =
            reader.list(sql, [], |row| Ok((text(row, 0)?, number(row, 1)?)))?;
        for (name, count) in rows {
            *counts.entry(name).or_default() += count;
        }
    }
    let public = |(name, published): (Arc<str>, u64)| {
        (!NewEvent::is_for_one(&name)).then_some(Topic { name, published })
    };
    Ok(counts.into_iter().filter_map(public).collect())
}

fn page(reader: &Reader, after: u64, limit: usize) -> rusqlite::Result<Vec<Event>> {
    reader.list(
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        ),
        params![integer(after), maximum(limit)],
        |row| event(row, 0),
    )
}

/// Times do not go with numbers where a clock was set back: what counts is the first event that is not before `at`.
fn before(reader: &Reader, at: SystemTime) -> rusqlite::Result<u64> {
    let first = reader.find(
        "SELECT seq FROM events WHERE recorded_at >= ?1 ORDER BY seq LIMIT 1",
        [micros(at)],
        |row| number(row, 0),
    )?;
    let last = reader.find(
        "SELECT seq FROM events WHERE seq < ?1 ORDER BY seq DESC LIMIT 1",
        [first.map_or(i64::MAX, integer)],
        |row| number(row, 0),
    )?;
    Ok(last.unwrap_or(0))
}

fn behind(reader: &Reader, book: &Book, interest: &Interest) -> rusqlite::Result<Behind> {
    let (cursor, _) = cursor(reader, book)?;
    let own = NewEvent::topic_for(&interest.group);
    let mut behind = Behind::default();
    for topic in interest.topics.iter().chain([&own]) {
        let undone = params![&**topic, integer(cursor), &*book.group];
        let found = reader.find(
            "SELECT count(*), min(recorded_at) FROM events WHERE topic = ?1 AND seq > ?2
             AND seq NOT IN (SELECT seq FROM inbox WHERE subscriber = ?3 AND seq > ?2)",
            undone,
            |row| {
                let count = number(row, 0)?;
                let oldest = (count > 0).then(|| time(row, 1)).transpose()?;
                Ok((count, oldest))
            },
        )?;
        let (messages, oldest) = found.unwrap_or_default();
        behind.messages += messages;
        behind.oldest = [behind.oldest, oldest].into_iter().flatten().min();
    }
    Ok(behind)
}

// === impl Redrive ===

impl Work for Redrive {
    type Done = bool;
    type Refusal = StoreError;

    fn apply(&self, session: &mut Session) -> Result<bool, Stop<StoreError>> {
        let Self(id, now) = self;
        let row = params![&*id.book.group, integer(id.sequence)];
        let Some(DeadLetter { event, .. }) = session.find(FIND, row, letter)? else {
            return Ok(false);
        };
        session.run(
            "INSERT INTO events (topic, of_topic, key, payload, recorded_at, traceparent) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                &*NewEvent::topic_for(&id.book.group),
                &*event.topic,
                event.key,
                &*event.payload,
                micros(*now),
                event.trace.to_string(),
            ],
        )?;
        session.run(FORGET, row)?;
        Ok(true)
    }

    fn bytes(&self) -> usize {
        0
    }

    fn has_events(&self) -> bool {
        true
    }
}

const FORGET: &str = "DELETE FROM dead_letters WHERE subscriber = ?1 AND seq = ?2";

// === impl Discard ===

impl Work for Discard {
    type Done = bool;
    type Refusal = StoreError;

    fn apply(&self, session: &mut Session) -> Result<bool, Stop<StoreError>> {
        let row = params![&*self.0.book.group, integer(self.0.sequence)];
        Ok(session.run(FORGET, row)? > 0)
    }

    fn bytes(&self) -> usize {
        0
    }
}

// === impl Trim ===

impl Work for Trim {
    type Done = u64;
    type Refusal = StoreError;

    /// A subscriber that has no cursor yet is at the beginning, and whoever asks knows of it: `keep` says so.
    fn apply(&self, session: &mut Session) -> Result<u64, Stop<StoreError>> {
        let Some(last) = self.last(session)? else {
            return Ok(0);
        };
        session.run(
            "INSERT INTO trimmed (topic, events) SELECT topic, count(*) FROM
                 (SELECT topic FROM events WHERE seq <= ?1 ORDER BY seq LIMIT ?2) WHERE true GROUP BY topic
             ON CONFLICT DO UPDATE SET events = events + excluded.events",
            params![last, SWATH],
        )?;
        let gone = session.run(
            "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq <= ?1 ORDER BY seq LIMIT ?2)",
            params![last, SWATH],
        )?;
        Ok(gone as u64)
    }

    fn bytes(&self) -> usize {
        0
    }
}

impl Trim {
    /// The last event that may go.
    fn last(&self, session: &Session) -> rusqlite::Result<Option<i64>> {
        let Keep {
            after,
            since,
            bytes,
        } = self.0;
        let first_young = match since {
            None => None,
            Some(since) => session.find(
                "SELECT seq FROM events WHERE recorded_at >= ?1 ORDER BY seq LIMIT 1",
                [micros(since)],
                |row| row.get::<_, i64>(0),
            )?,
        };
        let old = match (since, first_young) {
            (None, _) => 0,
            (Some(_), None) => i64::MAX,
            (Some(_), Some(first)) => first - 1,
        };
        let many = match bytes {
            None => 0,
            Some(bytes) => beyond(session, bytes)?.unwrap_or(0),
        };
        let last = old.max(many).min(integer(after));
        Ok((last > 0).then_some(last))
    }
}

/// The newest event before which there are so many bytes.
fn beyond(session: &Session, bytes: u64) -> rusqlite::Result<Option<i64>> {
    let connection = session.connection();
    connection
        .prepare_cached(
            "SELECT seq FROM (SELECT seq, sum(length(payload)) OVER (ORDER BY seq DESC) AS newer FROM events)
             WHERE newer > ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([integer(bytes)], |row| row.get(0))
        .optional()
}
