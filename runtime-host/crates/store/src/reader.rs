//! Snapshots: connections that read, each in a transaction of its own, and the pool they come from.
//!
//! A read is a search in pages that are nearly always in memory: a few microseconds, less than it takes to hand the
//! work to another thread and back. So reads run where they are asked for, and their futures are ready at once.

use std::{
    collections::HashMap, fs::File, future::ready, path::PathBuf, sync::Arc, time::Duration,
};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use skald_core::{
    call::BoxFuture,
    store::{Key, Label, Snapshot, StoreError, Version, Versioned},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::{
    error::{closed, store_error},
    rows::{bytes, maximum, number, text},
    schema,
};

/// How many connections are kept for later. After a rush the rest are closed, and with them their file descriptors.
const IDLE: usize = 64;

/// The connections that read. It grows on demand, up to a limit.
pub(crate) struct Pool {
    file: PathBuf,
    permits: Arc<Semaphore>,
    limit: usize,
    patience: Duration,
    /// None once the store is closed.
    open: Mutex<Option<Open>>,
}

struct Open {
    idle: Vec<Reader>,
    lock: Arc<File>,
}

/// A connection that reads, and the ids of the stores it met. Stores are never removed, so that an id stays true.
pub(crate) struct Reader {
    connection: Connection,
    ids: HashMap<Label, i64>,
}

/// A snapshot: a reader in a transaction. The reader goes back to its pool when this is dropped.
pub(crate) struct View {
    // None only while it is dropped.
    reader: Option<Reader>,
    pool: Arc<Pool>,
    // Both held for as long as the connection may be in use.
    _permit: OwnedSemaphorePermit,
    _lock: Arc<File>,
}

// === impl Pool ===

impl Pool {
    pub(crate) fn new(file: PathBuf, limit: usize, patience: Duration, lock: Arc<File>) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        let open = Open {
            idle: Vec::new(),
            lock,
        };
        Self {
            file,
            permits: Arc::new(Semaphore::new(limit)),
            limit,
            patience,
            open: Mutex::new(Some(open)),
        }
    }

    /// A snapshot of the newest commit.
    pub(crate) async fn view(self: &Arc<Self>) -> Result<View, StoreError> {
        let permit = self.permit().await?;
        let (idle, lock) = {
            let mut open = self.open.lock();
            let open = open.as_mut().ok_or_else(closed)?;
            (open.idle.pop(), Arc::clone(&open.lock))
        };
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open(self).map_err(|error| store_error(&error))?,
        };
        // A reader that cannot begin is dropped, and its connection with it.
        reader.begin().map_err(|error| store_error(&error))?;
        Ok(View {
            reader: Some(reader),
            pool: Arc::clone(self),
            _permit: permit,
            _lock: lock,
        })
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        match time::timeout(self.patience, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(permit) => permit.map_err(|_| closed()),
            Err(_) => Err(StoreError::Unavailable(format!(
                "all {} snapshots were in use for {:?}",
                self.limit, self.patience
            ))),
        }
    }

    fn put_back(&self, reader: Reader) {
        if let Err(error) = reader.end() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a snapshot did not end; its connection is closed"
            );
            return;
        }
        if let Some(open) = self.open.lock().as_mut()
            && open.idle.len() < IDLE
        {
            open.idle.push(reader);
        }
    }

    /// Closes the connections that are not in use, and lets no new snapshot begin.
    pub(crate) fn close(&self) {
        self.permits.close();
        drop(self.open.lock().take());
    }
}

// === impl Reader ===

impl Reader {
    fn open(pool: &Pool) -> rusqlite::Result<Self> {
        Ok(Self {
            connection: schema::open_reader(&pool.file)?,
            ids: HashMap::new(),
        })
    }

    /// A transaction sees what was committed before its first read, and not before its `BEGIN`: so it reads at once.
    fn begin(&self) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("BEGIN DEFERRED")?
            .execute([])?;
        self.find("SELECT commits FROM counter", [], |_| Ok(()))
            .map(drop)
    }

    fn end(&self) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("ROLLBACK")?
            .execute([])
            .map(drop)
    }

    /// The one row, or none.
    pub(crate) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.connection
            .prepare_cached(sql)?
            .query_row(params, read)
            .optional()
    }

    /// All rows.
    pub(crate) fn list<T, C: FromIterator<T>>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<C> {
        self.connection
            .prepare_cached(sql)?
            .query_map(params, read)?
            .collect()
    }

    fn store(&mut self, label: &Label) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.ids.get(label) {
            return Ok(Some(*id));
        }
        let id = self.find(
            "SELECT id FROM stores WHERE label = ?1",
            [&**label],
            |row| row.get(0),
        )?;
        if let Some(id) = id {
            self.ids.insert(Arc::clone(label), id);
        }
        Ok(id)
    }

    fn get(&mut self, key: &Key) -> rusqlite::Result<Versioned> {
        let Some(store) = self.store(&key.store)? else {
            return Ok(Versioned::default());
        };
        let found = self.find(
            "SELECT version, value FROM kv WHERE store_id = ?1 AND key = ?2",
            params![store, &*key.name],
            |row| {
                Ok(Versioned {
                    version: number(row, 0)?,
                    value: Some(bytes(row, 1)?),
                })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    fn keys_version(&self, label: &Label) -> rusqlite::Result<Version> {
        let found = self.find(
            "SELECT keys_version FROM stores WHERE label = ?1",
            [&**label],
            |row| number(row, 0),
        )?;
        Ok(found.unwrap_or(0))
    }

    fn keys(
        &mut self,
        label: &Label,
        after: Option<&str>,
        limit: usize,
    ) -> rusqlite::Result<Vec<Arc<str>>> {
        let Some(store) = self.store(label)? else {
            return Ok(Vec::new());
        };
        // Two statements, because the empty name comes first and is after nothing.
        let sql = match after {
            None => "SELECT key FROM kv WHERE store_id = ?1 AND key >= ?2 ORDER BY key LIMIT ?3",
            Some(_) => "SELECT key FROM kv WHERE store_id = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
        };
        self.list(
            sql,
            params![store, after.unwrap_or_default(), maximum(limit)],
            |row| text(row, 0),
        )
    }
}

// === impl View ===

impl View {
    /// Reads something, and says in the port's words why it could not.
    pub(crate) fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Reader) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let reader = self.reader.as_mut().ok_or_else(closed)?;
        read(reader).map_err(|error| store_error(&error))
    }
}

impl Snapshot for View {
    fn get<'a>(&'a mut self, key: &'a Key) -> BoxFuture<'a, Result<Versioned, StoreError>> {
        Box::pin(ready(self.read(|reader| reader.get(key))))
    }

    fn keys_version<'a>(
        &'a mut self,
        store: &'a Label,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        Box::pin(ready(self.read(|reader| reader.keys_version(store))))
    }

    fn keys<'a>(
        &'a mut self,
        store: &'a Label,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<str>>, StoreError>> {
        Box::pin(ready(self.read(|reader| reader.keys(store, after, limit))))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.pool.put_back(reader);
        }
    }
}
