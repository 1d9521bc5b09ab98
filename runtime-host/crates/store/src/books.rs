//! The books of the subscribers in the writer's transaction: what was handled, what failed, what was given up.
//!
//! A mark wins over what is said later about the same event: a delivery whose handler committed but whose answer was
//! lost is neither noted as failed nor buried.

use rusqlite::params;
use skald_core::{
    context::InboxMark,
    event::{DeadLetter, Failure},
};

use crate::{
    apply::{Stop, refuse_handled},
    rows::{integer, micros},
    session::Session,
};

/// How many rows one [`advance`] removes at most. What is left does no harm, since nobody asks for what is before the
/// cursor, and goes with the next one; the units that wait behind do not wait long.
const SWEEP: u32 = 1_000;

/// Whether an event was handled, or is before the cursor.
pub(crate) fn is_handled(session: &Session, mark: &InboxMark) -> rusqlite::Result<bool> {
    let row = params![&*mark.group, integer(mark.sequence)];
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
    let row = params![&*mark.group, integer(mark.sequence)];
    session.run("INSERT INTO inbox (subscriber, seq) VALUES (?1, ?2)", row)?;
    session.run(
        "DELETE FROM failures WHERE subscriber = ?1 AND seq = ?2",
        row,
    )?;
    Ok(())
}

/// Notes that a delivery failed, in place of what was noted before.
pub(crate) fn note_failure(
    session: &Session,
    mark: &InboxMark,
    failure: &Failure,
) -> Result<(), Stop> {
    refuse_handled(session, mark)?;
    session.run(
        "INSERT INTO failures (subscriber, seq, attempts, retry_at, error) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET attempts = excluded.attempts, retry_at = excluded.retry_at, error = excluded.error",
        params![
            &*mark.group,
            integer(mark.sequence),
            failure.attempts,
            micros(failure.retry_at),
            failure.error
        ],
    )?;
    Ok(())
}

/// Keeps an event as a dead letter, and marks it as handled.
pub(crate) fn bury(session: &Session, grave: &InboxMark, letter: &DeadLetter) -> Result<(), Stop> {
    refuse_handled(session, grave)?;
    let event = &letter.event;
    session.run(
        "INSERT INTO dead_letters
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
    mark(session, grave)?;
    Ok(())
}

/// Moves a cursor, never back, and closes the books on what is before it.
pub(crate) fn advance(session: &Session, cursor: &InboxMark) -> rusqlite::Result<()> {
    let (group, cursor) = (&*cursor.group, integer(cursor.sequence));
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
