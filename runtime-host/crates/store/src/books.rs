//! The books of the subscribers in the writer's transaction: what was handled, what failed, what was given up.
//!
//! A mark wins over what is said later about the same event: a delivery whose handler committed but whose answer was
//! lost is neither noted as failed nor buried.

use std::sync::Arc;

use rusqlite::params;
use skald_core::{
    context::InboxMark,
    event::{DeadLetter, Failure},
    store::StoreError,
};

use crate::{
    rows::{integer, micros, number},
    session::Session,
    work::{Stop, Work},
};

/// How many rows one [`Advance`] removes at most. What is left does no harm, since nobody asks for what is before the
/// cursor, and goes with the next one; the units that wait behind do not wait long.
const SWEEP: u32 = 1_000;

/// Notes that a delivery failed, in place of what was noted before.
#[derive(Debug)]
pub(crate) struct Note(pub(crate) InboxMark, pub(crate) Failure);

/// Keeps an event as a dead letter, and marks it as handled.
#[derive(Debug)]
pub(crate) struct Burial(pub(crate) InboxMark, pub(crate) DeadLetter);

/// Moves a cursor, never back, and closes the books on what is before it.
#[derive(Debug)]
pub(crate) struct Advance(pub(crate) InboxMark);

/// Moves a cursor anywhere, and begins a new generation of the book with nothing noted in it.
#[derive(Debug)]
pub(crate) struct Rewind(pub(crate) Arc<str>, pub(crate) u64);

// === impl Note ===

impl Work for Note {
    type Done = ();
    type Refusal = StoreError;

    fn apply(&self, session: &mut Session) -> Result<(), Stop<StoreError>> {
        let Self(mark, failure) = self;
        if is_done(session, mark)? {
            return Ok(());
        }
        session.run(
            "INSERT INTO failures (subscriber, seq, attempts, retry_at, error) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET attempts = excluded.attempts, retry_at = excluded.retry_at, error = excluded.error",
            params![
                &*mark.book.group,
                integer(mark.sequence),
                failure.attempts,
                micros(failure.retry_at),
                failure.error
            ],
        )?;
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.1.error.len()
    }
}

// === impl Burial ===

impl Work for Burial {
    type Done = ();
    type Refusal = StoreError;

    fn apply(&self, session: &mut Session) -> Result<(), Stop<StoreError>> {
        let Self(grave, letter) = self;
        if is_done(session, grave)? {
            return Ok(());
        }
        let event = &letter.event;
        session.run(
            "INSERT OR REPLACE INTO dead_letters
                 (subscriber, attempts, error, buried_at, seq, topic, key, payload, recorded_at, traceparent)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                &*letter.group,
                letter.attempts,
                letter.error,
                micros(letter.buried_at),
                integer(event.sequence),
                &*event.topic,
                event.key,
                &*event.payload,
                micros(event.recorded_at),
                event.trace.to_string(),
            ],
        )?;
        Ok(mark(session, grave)?)
    }

    fn bytes(&self) -> usize {
        self.1.event.payload.len()
    }
}

// === impl Advance ===

impl Work for Advance {
    type Done = ();
    type Refusal = StoreError;

    fn apply(&self, session: &mut Session) -> Result<(), Stop<StoreError>> {
        let (group, cursor) = (&*self.0.book.group, integer(self.0.sequence));
        if generation(session, group)? != self.0.generation {
            return Ok(());
        }
        session.run(
            "INSERT INTO cursors (subscriber, seq) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)",
            params![group, cursor],
        )?;
        for sql in [
            "DELETE FROM inbox WHERE subscriber = ?1 AND seq IN
                 (SELECT seq FROM inbox WHERE subscriber = ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)",
            "DELETE FROM failures WHERE subscriber = ?1 AND seq IN
                 (SELECT seq FROM failures WHERE subscriber = ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)",
        ] {
            session.run(sql, params![group, cursor, SWEEP])?;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        0
    }
}

// === impl Rewind ===

impl Work for Rewind {
    type Done = ();
    type Refusal = StoreError;

    fn apply(&self, session: &mut Session) -> Result<(), Stop<StoreError>> {
        let Self(group, to) = self;
        session.run(
            "INSERT INTO cursors (subscriber, seq, generation) VALUES (?1, ?2, 1)
             ON CONFLICT DO UPDATE SET seq = excluded.seq, generation = generation + 1",
            params![&**group, integer(*to)],
        )?;
        session.run("DELETE FROM inbox WHERE subscriber = ?1", [&**group])?;
        session.run("DELETE FROM failures WHERE subscriber = ?1", [&**group])?;
        Ok(())
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// The generation of a subscriber's book.
fn generation(session: &Session, group: &str) -> rusqlite::Result<u64> {
    let found = session.find(
        "SELECT generation FROM cursors WHERE subscriber = ?1",
        [group],
        |row| number(row, 0),
    )?;
    Ok(found.unwrap_or(0))
}

/// Whether a unit that handles this event comes too late: the event was handled, or the subscriber was sent back since
/// the unit began.
pub(crate) fn is_handled(session: &Session, mark: &InboxMark) -> rusqlite::Result<bool> {
    Ok(is_done(session, mark)? || generation(session, &mark.book.group)? != mark.generation)
}

/// Whether an event was handled, or is before the cursor.
fn is_done(session: &Session, mark: &InboxMark) -> rusqlite::Result<bool> {
    let row = params![&*mark.book.group, integer(mark.sequence)];
    let found = session.find(
        "SELECT 1 FROM inbox WHERE subscriber = ?1 AND seq = ?2
         UNION ALL SELECT 1 FROM cursors WHERE subscriber = ?1 AND seq >= ?2 LIMIT 1",
        row,
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Marks an event as handled.
pub(crate) fn mark(session: &Session, mark: &InboxMark) -> rusqlite::Result<()> {
    let row = params![&*mark.book.group, integer(mark.sequence)];
    session.run("INSERT INTO inbox (subscriber, seq) VALUES (?1, ?2)", row)?;
    session.run(
        "DELETE FROM failures WHERE subscriber = ?1 AND seq = ?2",
        row,
    )?;
    Ok(())
}
