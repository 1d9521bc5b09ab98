//! The embedded store: one SQLite file, one thread that writes, and snapshots that never wait for it.

use std::{fmt, fs::File, path::Path, sync::Arc, time::SystemTime};

use skald_core::{
    call::BoxFuture,
    store::{Change, CommitError, Snapshot, Store, StoreError},
};

use crate::{
    apply::Unit,
    claim::claim,
    config::Config,
    error::OpenError,
    reader::{Pool, View},
    schema,
    session::Session,
    work::Work,
    writer::{self, Handle},
};

/// State and events in one SQLite file. Cheap to clone; the last clone to be dropped closes it.
#[derive(Clone)]
pub struct Embedded(Arc<Inner>);

struct Inner {
    readers: Arc<Pool>,
    writer: Handle,
    is_new: bool,
}

// === impl Embedded ===

impl Embedded {
    /// Opens the data in a directory, which is made if it is not there.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let lock = Arc::new(claim(&config.directory)?);
        let file = config.directory.join(schema::FILE);
        let connection = schema::open_writer(&file, config.max_bytes)?;
        sync_directory(&config.directory)?;
        let session =
            Session::new(connection).map_err(|source| OpenError::of(file.clone(), source))?;
        let is_new = session.commits() == 0;
        let readers = Pool::new(
            file,
            config.readers.get(),
            config.patience,
            Arc::clone(&lock),
        );
        let writer = writer::start(session, config.on_events, lock).map_err(|source| {
            OpenError::Directory {
                directory: config.directory,
                source,
            }
        })?;
        Ok(Self(Arc::new(Inner {
            readers: Arc::new(readers),
            writer,
            is_new,
        })))
    }

    /// Whether nothing had ever been committed here when it was opened. So a host that dies before its first commit
    /// finds the data new again.
    pub fn is_new(&self) -> bool {
        self.0.is_new
    }

    /// How often the disk was waited for since this was opened: once for all that was committed together.
    pub fn flushes(&self) -> u64 {
        self.0.writer.flushes()
    }

    /// Commits what was asked before, copies the log into the database and closes it. Later calls are refused.
    /// Dropping the last clone does the same, on the thread that drops it. Snapshots that are still open stay good,
    /// and the directory stays locked until the last of them is dropped.
    pub async fn close(&self) {
        self.0.readers.close();
        self.0.writer.stop().await;
    }

    pub(crate) async fn view(&self) -> Result<View, StoreError> {
        self.0.readers.view().await
    }

    pub(crate) async fn write<W: Work>(&self, work: W) -> Result<W::Done, W::Refusal> {
        self.0.writer.write(work).await
    }
}

impl Store for Embedded {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        Box::pin(async {
            let view = self.view().await?;
            Ok(Box::new(view) as Box<dyn Snapshot>)
        })
    }

    fn commit(&self, change: Change, now: SystemTime) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(self.write(Unit(change, now)))
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("is_new", &self.0.is_new)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Drop for Inner {
    fn drop(&mut self) {
        // The writer is stopped when its handle is dropped, after this.
        self.readers.close();
    }
}

/// Makes the new file's name as durable as its content. Only Unix lets a directory be opened, and asks for this.
fn sync_directory(directory: &Path) -> Result<(), OpenError> {
    if !cfg!(unix) {
        return Ok(());
    }
    let failed = |source| OpenError::Directory {
        directory: directory.to_owned(),
        source,
    };
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed)
}
