//! One unit of work in the writer's transaction: checked first, then written.
//!
//! **Versions.** Every unit that is applied has the next number of a counter that never goes back, and what it sets
//! carries that number. So a key that was deleted and set again has a newer version than before. An absent key has
//! version 0, and no trace is kept of what was deleted: when a key appeared and went again since it was found absent,
//! the unit commits. That is safe, because a check that succeeds means that everything the unit saw is at this moment
//! as it saw it, and so the unit does what it would do if it ran now. A store's set of keys has a version of its own,
//! which goes up whenever a key appears or goes, and never back.

use std::{collections::BTreeSet, time::SystemTime};

use bytes::Bytes;
use rusqlite::params;
use skald_core::{
    event::NewEvent,
    store::{Change, CommitError, Key, Subject, Version},
};

use crate::{
    books,
    rows::{integer, micros, number},
    session::Session,
    work::{Stop, Work},
};

/// A unit of work, at a time.
#[derive(Debug)]
pub(crate) struct Unit(pub(crate) Change, pub(crate) SystemTime);

// === impl Unit ===

impl Work for Unit {
    type Done = ();
    type Refusal = CommitError;

    fn apply(&self, session: &mut Session) -> Result<(), Stop<CommitError>> {
        let Self(change, now) = self;
        check(session, change)?;
        let version = session.next_version();
        write_values(session, &change.writes, version)?;
        for event in &change.events {
            append(session, event, *now)?;
        }
        if let Some(mark) = &change.inbox {
            books::mark(session, mark)?;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let values = self.0.writes.iter().filter_map(|(_, value)| value.as_ref());
        let events = self.0.events.iter().map(|event| &event.payload);
        values.chain(events).map(Bytes::len).sum()
    }

    fn has_events(&self) -> bool {
        !self.0.events.is_empty()
    }
}

fn check(session: &mut Session, change: &Change) -> Result<(), Stop<CommitError>> {
    if let Some(mark) = &change.inbox
        && books::is_handled(session, mark)?
    {
        return Err(Stop::Refused(CommitError::AlreadyHandled(mark.clone())));
    }
    for (subject, seen) in &change.reads {
        if current(session, subject)? != *seen {
            return Err(Stop::Refused(CommitError::Conflict(subject.clone())));
        }
    }
    Ok(())
}

fn current(session: &mut Session, subject: &Subject) -> rusqlite::Result<Version> {
    let found = match subject {
        Subject::Key(key) => match session.store(&key.store)? {
            None => None,
            Some(store) => session.find(
                "SELECT version FROM kv WHERE store_id = ?1 AND key = ?2",
                params![store, &*key.name],
                |row| number(row, 0),
            )?,
        },
        Subject::Keys(label) => session.find(
            "SELECT keys_version FROM stores WHERE label = ?1",
            [&**label],
            |row| number(row, 0),
        )?,
    };
    Ok(found.unwrap_or(0))
}

fn write_values(
    session: &mut Session,
    writes: &[(Key, Option<Bytes>)],
    version: Version,
) -> rusqlite::Result<()> {
    let mut altered = BTreeSet::new();
    for (key, value) in writes {
        let (store, appeared_or_went) = match value {
            Some(value) => set(session, key, value, version)?,
            None => delete(session, key)?,
        };
        if appeared_or_went {
            altered.insert(store);
        }
    }
    for store in altered {
        session.run(
            "UPDATE stores SET keys_version = ?2 WHERE id = ?1",
            params![store, integer(version)],
        )?;
    }
    Ok(())
}

/// Sets a key; says in which store, and whether the key is new there.
fn set(
    session: &mut Session,
    key: &Key,
    value: &Bytes,
    version: Version,
) -> rusqlite::Result<(i64, bool)> {
    let store = session.store_or_new(&key.store)?;
    let row = params![store, &*key.name, integer(version), &**value];
    // Most writes are to keys that are there, and this order alone tells new keys from old ones.
    let updated = session.run(
        "UPDATE kv SET version = ?3, value = ?4 WHERE store_id = ?1 AND key = ?2",
        row,
    )?;
    if updated == 0 {
        session.run(
            "INSERT INTO kv (store_id, key, version, value) VALUES (?1, ?2, ?3, ?4)",
            row,
        )?;
    }
    Ok((store, updated == 0))
}

/// Deletes a key; says from which store, and whether it was there.
fn delete(session: &mut Session, key: &Key) -> rusqlite::Result<(i64, bool)> {
    let Some(store) = session.store(&key.store)? else {
        return Ok((0, false));
    };
    let deleted = session.run(
        "DELETE FROM kv WHERE store_id = ?1 AND key = ?2",
        params![store, &*key.name],
    )?;
    Ok((store, deleted > 0))
}

fn append(session: &Session, event: &NewEvent, now: SystemTime) -> rusqlite::Result<()> {
    session.run(
        "INSERT INTO events (topic, key, payload, recorded_at, traceparent) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![&*event.topic, event.key, &*event.payload, micros(now), event.trace.to_string()],
    )?;
    Ok(())
}
