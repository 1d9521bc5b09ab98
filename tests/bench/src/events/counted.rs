//! A log that counts what deliveries ask of it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use skald_core::{
    call::BoxFuture,
    event::{
        Book, DeadLetter, Event, EventLog, Failure, Head, Interest, Partition, Progress, Stretch,
    },
    store::StoreError,
};

/// The log, watched.
pub(super) struct Counted {
    inner: Arc<dyn EventLog>,
    heads: AtomicU64,
    reads: AtomicU64,
    advances: AtomicU64,
}

/// How often deliveries have asked until some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) heads: u64,
    pub(super) reads: u64,
    pub(super) advances: u64,
}

// === impl Counted ===

impl Counted {
    pub(super) fn new(inner: Arc<dyn EventLog>) -> Self {
        Self {
            inner,
            heads: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            advances: AtomicU64::new(0),
        }
    }

    pub(super) fn so_far(&self) -> Asked {
        Asked {
            heads: self.heads.load(Ordering::Relaxed),
            reads: self.reads.load(Ordering::Relaxed),
            advances: self.advances.load(Ordering::Relaxed),
        }
    }
}

impl EventLog for Counted {
    fn partitions<'a>(
        &'a self,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Vec<Partition>, StoreError>> {
        self.inner.partitions(interest)
    }

    fn read<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.read(partition, interest, after, limit)
    }

    fn head<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Head, StoreError>> {
        self.heads.fetch_add(1, Ordering::Relaxed);
        self.inner.head(book)
    }

    fn read_on<'a>(
        &'a self,
        book: &'a Book,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Stretch, StoreError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.read_on(book, interest, after, limit)
    }

    fn progress<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Progress, StoreError>> {
        self.inner.progress(book)
    }

    fn advance<'a>(
        &'a self,
        book: &'a Book,
        generation: u64,
        cursor: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.advances.fetch_add(1, Ordering::Relaxed);
        self.inner.advance(book, generation, cursor)
    }

    fn note_failure<'a>(
        &'a self,
        book: &'a Book,
        failure: Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.note_failure(book, failure)
    }

    fn bury(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.bury(letter)
    }
}
