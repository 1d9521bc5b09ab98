//! A journal that counts: what is appended, and how long a run takes from one step's end to the next one's.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    saga::{
        RunId,
        journal::{Append, AppendError, Filter, Journal, Summary},
    },
    store::StoreError,
};
use skald_store::Embedded;
use tokio::time::Instant;

use crate::sample::Sample;

/// The store's journal, watched.
pub(super) struct Watched {
    inner: Embedded,
    counts: Arc<Counts>,
}

/// What was appended.
#[derive(Default)]
pub(super) struct Counts {
    appends: AtomicU64,
    steps: AtomicU64,
    bytes: AtomicU64,
    /// Whether times are taken.
    is_timed: AtomicBool,
    last: Mutex<HashMap<RunId, Last>>,
    times: Mutex<Vec<f64>>,
}

/// The last append of a run.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Instant,
    records: u32,
}

/// What was appended until some moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Appended {
    pub(super) appends: u64,
    /// Those that end a step.
    pub(super) steps: u64,
    pub(super) bytes: u64,
}

// === impl Watched ===

impl Watched {
    pub(super) fn new(inner: Embedded) -> Self {
        Self {
            inner,
            counts: Arc::default(),
        }
    }

    pub(super) fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }
}

impl Journal for Watched {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            let (run, sequence) = (append.summary.run.clone(), append.sequence);
            let (size, records) = (append.entry.len(), append.summary.records);
            let is_end = append.summary.standing.is_end();
            self.inner.append(append).await?;
            self.counts.note(sequence, size);
            self.counts.time(run, (sequence, records), is_end);
            Ok(())
        })
    }

    fn entries<'a>(
        &'a self,
        run: &'a RunId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        self.inner.entries(run, after, limit)
    }

    fn find<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Option<Summary>, StoreError>> {
        self.inner.find(run)
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        self.inner.list(filter)
    }

    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.purge(run)
    }
}

// === impl Counts ===

impl Counts {
    /// An entry is durable. The first one of a run begins it, and each further one ends a step.
    pub(super) fn note(&self, sequence: u64, size: usize) {
        self.appends.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size as u64, Ordering::Relaxed);
        if sequence > 1 {
            self.steps.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn time(&self, run: RunId, (sequence, records): (u64, u32), is_end: bool) {
        let at = Instant::now();
        let mut last = self.last.lock();
        let before = if is_end {
            last.remove(&run)
        } else {
            last.insert(run, Last { at, records })
        };
        drop(last);
        if let Some(before) = before
            && sequence > 1
            && self.is_timed.load(Ordering::Relaxed)
        {
            let took = at.duration_since(before.at).as_secs_f64() * 1e3;
            self.times.lock().push(took);
        }
    }

    /// How many records a run has that has not ended.
    pub(super) fn records(&self, run: &RunId) -> u32 {
        self.last.lock().get(run).map_or(0, |last| last.records)
    }

    pub(super) fn so_far(&self) -> Appended {
        Appended {
            appends: self.appends.load(Ordering::Relaxed),
            steps: self.steps.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// Takes times from now on.
    pub(super) fn begin_times(&self) {
        self.times.lock().clear();
        self.is_timed.store(true, Ordering::Relaxed);
    }

    /// The times of steps, in milliseconds.
    pub(super) fn end_times(&self) -> Sample {
        self.is_timed.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.times.lock())
            .into_iter()
            .collect()
    }
}

// === impl Appended ===

impl Appended {
    /// What was appended between an earlier moment and this one.
    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            appends: self.appends - before.appends,
            steps: self.steps - before.steps,
            bytes: self.bytes - before.bytes,
        }
    }
}
