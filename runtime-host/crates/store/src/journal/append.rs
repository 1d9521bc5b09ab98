//! Entries and purges in the writer's transaction.

use rusqlite::params;
use skald_core::{
    saga::{
        RunId,
        journal::{Append, AppendError, Summary},
    },
    store::StoreError,
};

use super::standing;
use crate::{
    rows::{integer, micros},
    session::Session,
    work::{Stop, Work},
};

/// What a purge is taken to write: as much as a run of some dozen steps has in its journal.
const PURGE_BYTES: usize = 16 << 10;

/// An entry, with what the list says from then on.
#[derive(Debug)]
pub(super) struct Entry(pub(super) Append);

/// A run that is to be forgotten.
#[derive(Debug)]
pub(super) struct Purge(pub(super) RunId);

/// A run as it is stored.
struct Stored {
    id: i64,
    next: i64,
    epoch: i64,
}

// === impl Entry ===

impl Work for Entry {
    type Done = ();
    type Refusal = AppendError;

    fn apply(&self, session: &mut Session) -> Result<(), Stop<AppendError>> {
        let Append {
            sequence,
            entry,
            summary,
        } = &self.0;
        let stored = find(session, &summary.run)?;
        if !self.is_new(session, stored.as_ref())? {
            return Ok(());
        }
        let sequence = integer(*sequence);
        let id = match stored {
            Some(Stored { id, .. }) => {
                update(session, id, summary, sequence)?;
                id
            }
            None => insert(session, summary)?,
        };
        session.run(
            "INSERT INTO journal (run, sequence, entry) VALUES (?1, ?2, ?3)",
            params![id, sequence, &**entry],
        )?;
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.0.entry.len() + self.0.summary.note.len()
    }
}

impl Entry {
    /// Whether it is what comes next. If not, it is there already or is refused.
    fn is_new(
        &self,
        session: &Session,
        stored: Option<&Stored>,
    ) -> Result<bool, Stop<AppendError>> {
        let (sequence, epoch) = (integer(self.0.sequence), integer(self.0.summary.epoch));
        let Some(stored) = stored else {
            return if sequence == 1 {
                Ok(true)
            } else {
                Err(conflict(1))
            };
        };
        if epoch < stored.epoch {
            let epoch = stored.epoch.unsigned_abs();
            return Err(Stop::Refused(AppendError::Fenced { epoch }));
        }
        if sequence == stored.next {
            return Ok(true);
        }
        // Another owner does not say the same thing again: it has read what is there before it says anything.
        if epoch > stored.epoch || !self.is_there(session, stored.id)? {
            return Err(conflict(stored.next));
        }
        Ok(false)
    }

    fn is_there(&self, session: &Session, id: i64) -> rusqlite::Result<bool> {
        let found = session.find(
            "SELECT 1 FROM journal WHERE run = ?1 AND sequence = ?2 AND entry = ?3",
            params![id, integer(self.0.sequence), &*self.0.entry],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }
}

// === impl Purge ===

impl Work for Purge {
    type Done = bool;
    type Refusal = StoreError;

    fn apply(&self, session: &mut Session) -> Result<bool, Stop<StoreError>> {
        let found = session.find(
            "SELECT id, standing FROM runs WHERE run = ?1",
            [self.0.as_str()],
            |row| Ok((row.get::<_, i64>(0)?, standing(row, 1)?)),
        )?;
        let Some((id, standing)) = found else {
            return Ok(false);
        };
        if standing.is_end() {
            session.run("DELETE FROM journal WHERE run = ?1", [id])?;
            session.run("DELETE FROM runs WHERE id = ?1", [id])?;
        }
        Ok(standing.is_end())
    }

    fn bytes(&self) -> usize {
        PURGE_BYTES
    }
}

const fn conflict(expected: i64) -> Stop<AppendError> {
    let expected = expected.unsigned_abs();
    Stop::Refused(AppendError::Conflict { expected })
}

fn find(session: &Session, run: &RunId) -> rusqlite::Result<Option<Stored>> {
    session.find(
        "SELECT id, next, epoch FROM runs WHERE run = ?1",
        [run.as_str()],
        |row| {
            Ok(Stored {
                id: row.get(0)?,
                next: row.get(1)?,
                epoch: row.get(2)?,
            })
        },
    )
}

/// Begins a run; answers with its number.
fn insert(session: &Session, summary: &Summary) -> rusqlite::Result<i64> {
    session.insert(
        "INSERT INTO runs (run, component, revision, key, subject, standing, note, started_at, updated_at, due, epoch,
             records, bytes, next)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 2)",
        params![
            summary.run.as_str(),
            summary.component,
            summary.revision,
            summary.key,
            summary.subject,
            summary.standing.as_str(),
            summary.note,
            micros(summary.started_at),
            micros(summary.updated_at),
            summary.due.map(micros),
            integer(summary.epoch),
            summary.records,
            integer(summary.bytes),
        ],
    )
}

/// Says of a run what its newest entry says. SQLite writes each index of which a column is set, whether or not the
/// value is another: so these columns are left alone unless one of them changes.
fn update(session: &Session, id: i64, summary: &Summary, sequence: i64) -> rusqlite::Result<()> {
    let indexed = params![
        id,
        summary.component,
        summary.subject,
        summary.standing.as_str(),
        micros(summary.started_at),
    ];
    let is_as_before = session.find(
        "SELECT 1 FROM runs WHERE id = ?1 AND component = ?2 AND subject = ?3 AND standing = ?4 AND started_at = ?5",
        indexed,
        |_| Ok(()),
    )?;
    if is_as_before.is_none() {
        session.run(
            "UPDATE runs SET component = ?2, subject = ?3, standing = ?4, started_at = ?5 WHERE id = ?1",
            indexed,
        )?;
    }
    session.run(
        "UPDATE runs SET revision = ?2, key = ?3, note = ?4, updated_at = ?5, due = ?6, epoch = ?7, records = ?8,
             bytes = ?9, next = ?10 WHERE id = ?1",
        params![
            id,
            summary.revision,
            summary.key,
            summary.note,
            micros(summary.updated_at),
            summary.due.map(micros),
            integer(summary.epoch),
            summary.records,
            integer(summary.bytes),
            sequence + 1,
        ],
    )?;
    Ok(())
}
