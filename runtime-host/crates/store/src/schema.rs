//! The file: its tables, its format number, and the settings of the connections to it.

use std::{num::NonZeroU64, path::Path, time::Duration};

use rusqlite::{Connection, ffi};

use crate::error::OpenError;

/// The file's name in the data directory.
pub(crate) const FILE: &str = "skald.db";

/// What each format added to the one before it; the number of a format, kept in `user_version`, is its place, from 1.
/// A file of an older format is brought up when it is opened. What was released is never changed, only added to.
const FORMATS: [&str; 3] = [STATE_AND_EVENTS, JOURNALS, ARCHIVE];

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
const STATE_AND_EVENTS: &str = "
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

/// Runs have small numbers for their journals, so that what goes on at one time lies close together.
///
/// Indexes end so that the rows they find are in the order of the list. An entry alters no index as long as the run
/// stands where it did.
const JOURNALS: &str = "
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY, run TEXT NOT NULL, component TEXT NOT NULL, revision TEXT NOT NULL,
        key TEXT NOT NULL, subject TEXT NOT NULL, standing TEXT NOT NULL, note TEXT NOT NULL,
        started_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, due INTEGER, epoch INTEGER NOT NULL,
        records INTEGER NOT NULL, bytes INTEGER NOT NULL, next INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX runs_by_name ON runs (run);
    CREATE INDEX runs_by_start ON runs (started_at, run);
    CREATE INDEX runs_of_subject ON runs (subject, started_at, run);
    CREATE INDEX runs_of_standing ON runs (standing, started_at, run);
    CREATE INDEX runs_of_component ON runs (component, standing, started_at, run);
    CREATE TABLE journal (
        run INTEGER NOT NULL, sequence INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (run, sequence)
    ) STRICT, WITHOUT ROWID;
";

/// An event that was published again for one subscriber has its true topic in `of_topic`, and a topic of that subscriber's
/// own in `topic`, so that no other finds it. `trimmed` counts what the log has let go of.
const ARCHIVE: &str = "
    ALTER TABLE events ADD COLUMN of_topic TEXT;
    ALTER TABLE cursors ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
    CREATE UNIQUE INDEX dead_letters_by_event ON dead_letters (subscriber, seq);
    CREATE TABLE trimmed (topic TEXT PRIMARY KEY, events INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// How many statements a connection keeps prepared: all that there are, which are more than would be kept by default.
const STATEMENTS: usize = 64;

/// The one connection that writes, to a file that has the tables.
pub(crate) fn open_writer(
    file: &Path,
    max_bytes: Option<NonZeroU64>,
) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::of(file.to_owned(), source);
    let connection = Connection::open(file).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    let found = recognise(&connection, file)?;
    set_up(&connection, max_bytes).map_err(failed)?;
    bring_up(&connection, found).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A connection that reads.
pub(crate) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(&format!(
        "PRAGMA query_only = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -{READER_CACHE_KIB};"
    ))?;
    Ok(connection)
}

/// The format of the file, 0 for an empty one. One that is neither empty nor ours, or is of a later format, is refused.
fn recognise(connection: &Connection, file: &Path) -> Result<usize, OpenError> {
    let ask = |sql: &str| -> Result<u32, OpenError> {
        connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(|source| OpenError::of(file.to_owned(), source))
    };
    let tables = ask("SELECT count(*) FROM sqlite_schema")?;
    let application = ask("PRAGMA application_id")?;
    let found = ask("PRAGMA user_version")?;
    match (tables, application, found) {
        (0, 0, 0) => Ok(0),
        (_, APPLICATION, 1..) => match usize::try_from(found) {
            Ok(found) if found <= FORMATS.len() => Ok(found),
            Ok(_) | Err(_) => Err(OpenError::TooNew {
                file: file.to_owned(),
                found,
                known: FORMATS.len(),
            }),
        },
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

/// From a format to the newest. All in one transaction, so that a crash leaves the file as it was or as it should be.
fn bring_up(connection: &Connection, found: usize) -> rusqlite::Result<()> {
    let missing = FORMATS.get(found..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {}
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {};
         COMMIT;",
        missing.concat(),
        FORMATS.len()
    ))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use skald_core::saga::journal::Journal;

    use super::{APPLICATION, FILE, FORMATS, open_writer};
    use crate::{
        Config, Embedded,
        contract::{
            commit, get,
            journal::{begin, entries},
            key,
            log::newest,
            set,
        },
    };

    fn ask(connection: &Connection, name: &str) -> i64 {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
            .unwrap()
    }

    /// A killed process cannot show what a machine without power would lose.
    #[test]
    fn each_commit_is_flushed_to_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join(FILE), None).unwrap();
        assert_eq!(ask(&connection, "synchronous"), 2, "FULL");
        assert_eq!(ask(&connection, "wal_autocheckpoint"), 0);
    }

    #[tokio::test]
    async fn data_of_an_older_format_is_brought_up_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        let old = Connection::open(&file).unwrap();
        old.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; {}
             INSERT INTO stores VALUES (1, 'stock', 3);
             INSERT INTO kv VALUES (1, 'apple', 3, x'37');
             INSERT INTO events VALUES (5, 't', 'key', x'38', 0, '00-1-2-01');
             UPDATE counter SET commits = 3;
             PRAGMA application_id = {APPLICATION};
             PRAGMA user_version = 1;",
            FORMATS[0]
        ))
        .unwrap();
        drop(old);
        for _ in 0..2 {
            let store = Embedded::open(Config::new(directory.path())).unwrap();
            assert!(!store.is_new());
            let apple = get(&store, &key("stock", "apple")).await;
            assert_eq!((apple.version, apple.value.unwrap()), (3, "7".into()));
            assert_eq!(newest(&store).await, 5);
            store.append(begin("run_1")).await.unwrap();
            assert_eq!(entries(&store, &"run_1".into()).await.len(), 1);
            store.close().await;
        }
        let formats = i64::try_from(FORMATS.len()).unwrap();
        assert_eq!(
            ask(&Connection::open(&file).unwrap(), "user_version"),
            formats
        );
        let store = Embedded::open(Config::new(directory.path())).unwrap();
        commit(&store, set(&key("stock", "apple"), "8")).await;
        assert_eq!(get(&store, &key("stock", "apple")).await.version, 4);
    }
}
