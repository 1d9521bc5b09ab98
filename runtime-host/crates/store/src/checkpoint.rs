//! When the write-ahead log is copied into the database, and when it starts anew.
//!
//! A log can start anew only at a moment when no snapshot reads from it. Where snapshots overlap all the time, that
//! moment never comes by itself and the log would grow for ever; so a large log is restarted by force, which lets new
//! snapshots read the database and waits a little for the old ones to end.

use std::time::Duration;

use rusqlite::Connection;

/// 4 MiB are worth a copy, as by SQLite's own default; 64 MiB are too large.
const LIMITS: Limits = Limits {
    worth_copying: 1_000,
    too_large: 16_000,
};

/// How long commits may wait for old snapshots at a restart. Most calls end sooner.
const PATIENCE: Duration = Duration::from_millis(100);

/// When to do what, and how large the log was when it was tried last.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    limits: Limits,
    copied_at: i64,
    restarted_at: i64,
}

/// Sizes of a log, in pages.
#[derive(Clone, Copy, Debug)]
struct Limits {
    worth_copying: i64,
    too_large: i64,
}

/// Pages of the log, and how many of them the database has.
struct Log {
    pages: i64,
    copied: i64,
}

// === impl Checkpoints ===

impl Default for Checkpoints {
    fn default() -> Self {
        Self::new(LIMITS)
    }
}

impl Checkpoints {
    const fn new(limits: Limits) -> Self {
        Self {
            limits,
            copied_at: 0,
            restarted_at: 0,
        }
    }

    /// Does what is due after a batch. A failure loses nothing: the log keeps all that is not copied.
    pub(crate) fn after_batch(&mut self, connection: &Connection) {
        if let Err(error) = self.try_after_batch(connection) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a checkpoint failed and will be tried again"
            );
        }
    }

    fn try_after_batch(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let log = Log::look(connection, "PRAGMA wal_checkpoint(NOOP)")?;
        if log.pages < self.copied_at.max(self.restarted_at) {
            *self = Self::new(self.limits);
        }
        // Measured from the last try too: a log that an old snapshot holds back is not worth a try after each batch.
        if log.pages - log.copied.max(self.copied_at) >= self.limits.worth_copying {
            self.copied_at = log.pages;
            Log::look(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        }
        if log.pages - self.restarted_at >= self.limits.too_large {
            self.restarted_at = log.pages;
            patiently(connection, "PRAGMA wal_checkpoint(RESTART)")?;
        }
        Ok(())
    }
}

/// Copies what can be copied without waiting, on a full disk: pages that the database has already need no room there, and
/// a log that is all copied starts anew in the room it has.
pub(crate) fn make_room(connection: &Connection) {
    if let Err(error) = Log::look(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "the log cannot be copied either"
        );
    }
}

/// Copies all of the log and removes it: the data is then one file.
pub(crate) fn finish(connection: &Connection) {
    if let Err(error) = patiently(connection, "PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the last checkpoint failed; the log is kept"
        );
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
        connection.prepare_cached(pragma)?.query_row([], |row| {
            Ok(Self {
                pages: row.get(1)?,
                copied: row.get(2)?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        mem,
        path::Path,
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use super::{Checkpoints, Limits, Log};
    use crate::schema::{FILE, open_reader, open_writer};

    #[test]
    fn a_large_log_starts_anew_though_there_is_always_a_snapshot() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        let writer = open_writer(&file, None).unwrap();
        let mut checkpoints = Checkpoints::new(Limits {
            worth_copying: i64::MAX,
            too_large: 200,
        });
        let (begun, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| overlap(&file, &begun, &ended));
            while !begun.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            let mut largest = 0;
            for _ in 0..100 {
                writer
                    .execute_batch("REPLACE INTO kv VALUES (1, 'key', 1, randomblob(100000))")
                    .unwrap();
                checkpoints.after_batch(&writer);
                largest = largest.max(
                    Log::look(&writer, "PRAGMA wal_checkpoint(NOOP)")
                        .unwrap()
                        .pages,
                );
            }
            ended.store(true, Ordering::SeqCst);
            assert!(largest < 1_000, "{largest} pages");
        });
    }

    /// Reads without a pause: the next snapshot begins before the last one ends.
    fn overlap(file: &Path, begun: &AtomicBool, ended: &AtomicBool) {
        let [mut last, mut next] = [open_reader(file).unwrap(), open_reader(file).unwrap()];
        let begin = "BEGIN; SELECT * FROM counter";
        last.execute_batch(begin).unwrap();
        while !ended.load(Ordering::SeqCst) {
            next.execute_batch(begin).unwrap();
            last.execute_batch("ROLLBACK").unwrap();
            mem::swap(&mut last, &mut next);
            begun.store(true, Ordering::SeqCst);
        }
    }
}
