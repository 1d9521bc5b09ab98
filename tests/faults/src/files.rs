//! Journals in files, with a copy in memory that tells what is in them.

use std::{
    future::Future,
    num::NonZeroU64,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use bytes::Bytes;
use skald_core::{
    call::BoxFuture,
    saga::{
        RunId,
        journal::{Append, AppendError, Filter, Journal, Summary},
    },
    store::StoreError,
};
use skald_store::{Config, Embedded};

use crate::{Failure, shelf::Shelf};

/// The embedded store, in a world whose time stands still while the disk is at work.
pub struct Files {
    store: Embedded,
    shelf: Arc<Shelf>,
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

// === impl Files ===

impl Files {
    /// The store in this folder.
    pub fn open(
        folder: &Path,
        max_bytes: Option<u64>,
        shelf: &Arc<Shelf>,
    ) -> Result<Self, Failure> {
        let config = Config {
            max_bytes: max_bytes.and_then(NonZeroU64::new),
            ..Config::new(PathBuf::from(folder))
        };
        let store = Embedded::open(config).map_err(|error| Failure::new(error.to_string()))?;
        let shelf = Arc::clone(shelf);
        Ok(Self { store, shelf })
    }

    /// The copy in memory becomes what the files hold.
    pub fn copy(&self) -> Result<(), Failure> {
        let failed = |error: StoreError| Failure::new(error.to_string());
        let filter = Filter {
            limit: usize::MAX,
            ..Filter::default()
        };
        let list = now(self.store.list(&filter)).map_err(failed)?;
        let mut all = Vec::new();
        for summary in list {
            let entries = now(self.store.entries(&summary.run, 0, usize::MAX)).map_err(failed)?;
            all.push((summary, entries));
        }
        self.shelf.become_copy(all);
        Ok(())
    }

    /// Writes all to the disk and lets go of it.
    pub fn close(&self) {
        now(self.store.close());
    }
}

impl Journal for Files {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            self.shelf.before().await;
            now(self.store.append(append.clone()))?;
            self.shelf.append(append).await
        })
    }

    fn entries<'a>(
        &'a self,
        run: &'a RunId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(async move { now(self.store.entries(run, after, limit)) })
    }

    fn find<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Option<Summary>, StoreError>> {
        Box::pin(async move { now(self.store.find(run)) })
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(async move { now(self.store.list(filter)) })
    }

    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let purged = now(self.store.purge(run))?;
            self.shelf.purge(run).await?;
            Ok(purged)
        })
    }
}

/// Waits on this thread: the world's time would run away while the disk's thread works.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}
