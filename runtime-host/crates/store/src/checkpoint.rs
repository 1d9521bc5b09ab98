//! When the write-ahead log is copied into the database, and when it starts anew.
//!
//! A log can start anew only at a moment when no snapshot reads from it. Where snapshots overlap all the time, that
//! moment never comes by itself and the log would grow for ever; so a large log is restarted by force, which lets new
//! snapshots read the database and waits a little for the old ones to end.

use std::time::Duration;

use rusqlite::Connection;

/// Pages of the log that are worth a copy: 4 MiB, as is SQLite's own default.
const WORTH_COPYING: i64 = 1_000;

/// Pages of a log that is too large: 64 MiB.
const TOO_LARGE: i64 = 16_000;

/// How long commits may wait for old snapshots at a restart. Most calls end sooner.
const PATIENCE: Duration = Duration::from_millis(100);

/// What was tried last.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    copied_at: i64,
    restarted_at: i64,
}

/// Pages of the log, and how many of them the database has.
struct Log {
    pages: i64,
    copied: i64,
}

// === impl Checkpoints ===

impl Checkpoints {
    /// Does what is due after a batch. A failure loses nothing: the log keeps all that is not copied.
    pub(crate) fn after_batch(&mut self, connection: &Connection) {
        if let Err(error) = self.try_after_batch(connection) {
            tracing::warn!(error = &error as &dyn std::error::Error, "a checkpoint failed and will be tried again");
        }
    }

    fn try_after_batch(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let log = Log::look(connection, "PRAGMA wal_checkpoint(NOOP)")?;
        if log.pages < self.copied_at {
            *self = Self::default();
        }
        // Measured from the last try too: a log that an old snapshot holds back is not worth a try after each batch.
        if log.pages - log.copied.max(self.copied_at) >= WORTH_COPYING {
            self.copied_at = log.pages;
            Log::look(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        }
        if log.pages - self.restarted_at >= TOO_LARGE {
            self.restarted_at = log.pages;
            patiently(connection, "PRAGMA wal_checkpoint(RESTART)")?;
        }
        Ok(())
    }
}

/// Copies all of the log and removes it: the data is then one file.
pub(crate) fn finish(connection: &Connection) {
    if let Err(error) = patiently(connection, "PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(error = &error as &dyn std::error::Error, "the last checkpoint failed; the log is kept");
    }
}

fn patiently(connection: &Connection, pragma: &str) -> rusqlite::Result<Log> {
    connection.busy_timeout(PATIENCE)?;
    let done = Log::look(connection, pragma);
    connection.busy_timeout(crate::schema::BUSY)?;
    done
}

// === impl Log ===

impl Log {
    fn look(connection: &Connection, pragma: &str) -> rusqlite::Result<Self> {
        connection
            .prepare_cached(pragma)?
            .query_row([], |row| Ok(Self { pages: row.get(1)?, copied: row.get(2)? }))
    }
}
