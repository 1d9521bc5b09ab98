//! The file: its tables, its format number, and the settings of the connections to it.

use std::{num::NonZeroU64, path::Path, time::Duration};

use rusqlite::{Connection, ffi};

use crate::error::OpenError;

/// The file's name in the data directory.
pub(crate) const FILE: &str = "skald.db";

/// The format this version writes, kept in `user_version`. It goes up with every change of the tables.
pub(crate) const FORMAT: u32 = 1;

/// "SKLD": tells our files from other programs' databases.
const APPLICATION: u32 = 0x534b_4c44;

/// Only a person with a database shell can hold the write lock against us, or a checkpoint for a moment.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// What a reader may cache, in KiB. A snapshot reads a few keys, and any commit empties the cache: the system's page
/// cache does the work. There is no memory map, under which a failing disk would be a signal instead of an error.
const READER_CACHE_KIB: u32 = 256;

/// What the writer may cache, in KiB: the pages of some thousand units, so that a batch is not spilt before its commit.
const WRITER_CACHE_KIB: u32 = 16 << 10;

/// Rows of a table without rowid lie in the tree of the primary key: one search for a read or a write.
///
/// `events` may not reuse numbers, hence its AUTOINCREMENT; its index ends with the rowid, as all do, so that the
/// events of a topic after a number are a range. A dead letter is a copy, so that the log can be cut some day.
const TABLES: &str = "
    CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL) STRICT;
    INSERT INTO counter VALUES (1, 0);
    CREATE TABLE stores (id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, keys_version INTEGER NOT NULL) STRICT;
    CREATE TABLE kv (
        store_id INTEGER NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (store_id, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, key TEXT NOT NULL, payload BLOB NOT NULL,
        recorded_at INTEGER NOT NULL, traceparent TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_of_topic ON events (topic);
    CREATE TABLE cursors (subscriber TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE inbox (
        subscriber TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (subscriber, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE failures (
        subscriber TEXT NOT NULL, seq INTEGER NOT NULL, attempts INTEGER NOT NULL, retry_at INTEGER NOT NULL,
        error TEXT NOT NULL, PRIMARY KEY (subscriber, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE dead_letters (
        id INTEGER PRIMARY KEY, subscriber TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL,
        buried_at INTEGER NOT NULL, seq INTEGER NOT NULL, topic TEXT NOT NULL, key TEXT NOT NULL,
        payload BLOB NOT NULL, recorded_at INTEGER NOT NULL, traceparent TEXT NOT NULL
    ) STRICT;
";

/// The one connection that writes, to a file that has the tables.
pub(crate) fn open_writer(
    file: &Path,
    max_bytes: Option<NonZeroU64>,
) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::of(file.to_owned(), source);
    let connection = Connection::open(file).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    let empty = recognise(&connection, file)?;
    set_up(&connection, max_bytes).map_err(failed)?;
    if empty {
        create(&connection).map_err(failed)?;
    }
    Ok(connection)
}

/// A connection that reads.
pub(crate) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch(&format!(
        "PRAGMA query_only = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -{READER_CACHE_KIB};"
    ))?;
    Ok(connection)
}

/// Whether the file is still empty. One that is neither empty nor ours, or is of a later format, is refused.
fn recognise(connection: &Connection, file: &Path) -> Result<bool, OpenError> {
    let ask = |sql: &str| -> Result<u32, OpenError> {
        connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(|source| OpenError::of(file.to_owned(), source))
    };
    let tables = ask("SELECT count(*) FROM sqlite_schema")?;
    let application = ask("PRAGMA application_id")?;
    let found = ask("PRAGMA user_version")?;
    match (tables, application, found) {
        (0, 0, 0) => Ok(true),
        (_, APPLICATION, FORMAT) => Ok(false),
        (_, APPLICATION, found) if found > FORMAT => Err(OpenError::TooNew {
            file: file.to_owned(),
            found,
            known: FORMAT,
        }),
        _ => Err(OpenError::Unreadable {
            file: file.to_owned(),
            why: "it is a database of another kind".to_owned(),
        }),
    }
}

fn set_up(connection: &Connection, max_bytes: Option<NonZeroU64>) -> rusqlite::Result<()> {
    // Checkpoints are made by the writer between batches, when nobody waits for one. A log that a long snapshot made
    // large is cut back at the next restart.
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        // SQLite answers with the mode it stays in, where the file system cannot share memory between connections.
        let why = ffi::Error::new(ffi::SQLITE_CANTOPEN);
        return Err(rusqlite::Error::SqliteFailure(
            why,
            Some(format!("no write-ahead log here, only {mode:?}")),
        ));
    }
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {};
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{WRITER_CACHE_KIB};",
        64 << 20
    ))?;
    if let Some(max_bytes) = max_bytes {
        let page: u64 = connection
            .query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0))?
            .into();
        let pages = (max_bytes.get() / page.max(1)).clamp(1, u64::from(u32::MAX - 1));
        connection.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
    }
    Ok(())
}

/// All in one transaction, so that a crash leaves either an empty file or a whole one.
fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES}
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {FORMAT};
         COMMIT;"
    ))
}

#[cfg(test)]
mod tests {
    use super::{FILE, open_writer};

    /// A killed process cannot show what a machine without power would lose.
    #[test]
    fn each_commit_is_flushed_to_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join(FILE), None).unwrap();
        let ask = |name| {
            connection
                .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        assert_eq!(ask("synchronous"), 2, "FULL");
        assert_eq!(ask("wal_autocheckpoint"), 0);
    }
}
