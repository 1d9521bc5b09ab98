//! The unit of work: what one call reads, writes and publishes, held until the call has ended well.
//!
//! It decides; the store does. A held unit reads from one snapshot and answers with a [`Change`] at the end.
//! An immediate unit, for components without `atomic`, commits each write by itself.

mod closed;
mod outrun;
mod overlay;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, LazyLock},
    time::SystemTime,
};

use bytes::Bytes;
use thiserror::Error;

pub use self::outrun::Outrun;
use crate::{
    event::NewEvent,
    store::{
        Change, CommitError, Key, Label, Snapshot, Store, StoreError, Subject, Version, Versioned,
    },
};

/// How much one unit may hold. A guest that floods is stopped here, before the store sees anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Keys, values and payloads together, in bytes.
    pub bytes: usize,
    /// Published events.
    pub events: usize,
    /// Keys written.
    pub keys: usize,
    /// Keys read.
    pub reads: usize,
}

impl Default for Limits {
    /// Far above any honest business call, far below what hurts: a commit of 8 MiB takes some 20 ms on a common disk.
    fn default() -> Self {
        Self {
            bytes: 8 << 20,
            events: 1_000,
            keys: 10_000,
            reads: 20_000,
        }
    }
}

/// Whether writes wait for the end of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All or nothing, at the end.
    Held,
    /// Each write at once, as under Spin.
    Immediate,
}

/// The clock a unit stamps commits with.
pub type Now = fn() -> SystemTime;

/// What one call reads, writes and publishes.
pub struct Unit {
    mode: Mode,
    store: Arc<dyn Store>,
    now: Now,
    limits: Limits,
    snapshot: Option<Box<dyn Snapshot>>,
    /// What has changed under the unit, so that it has to begin again. Its maker looks here however the call ends.
    outrun: Outrun,
    reads: BTreeMap<Subject, Version>,
    writes: BTreeMap<Key, Option<Bytes>>,
    events: Vec<NewEvent>,
    bytes: usize,
}

/// Why a component's access to its data failed.
#[derive(Clone, Debug, Error)]
pub enum UnitError {
    /// The unit holds more than it may.
    #[error("one call may {what}, and this one went over it")]
    TooLarge {
        /// The limit, in words.
        what: String,
    },
    /// A write of an immediate unit kept losing against others.
    #[error("the value kept changing under the write")]
    Contended,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A page of key names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The names, in order.
    pub names: Vec<Arc<str>>,
    /// Whether there are more.
    pub more: bool,
}

/// How often an immediate compare-and-set tries again when others write the same key.
const IMMEDIATE_ATTEMPTS: u32 = 16;

// === impl Unit ===

impl Unit {
    /// A unit on `store`.
    pub fn new(mode: Mode, store: Arc<dyn Store>, limits: Limits, now: Now) -> Self {
        Self {
            mode,
            store,
            now,
            limits,
            snapshot: None,
            outrun: Outrun::default(),
            reads: BTreeMap::new(),
            writes: BTreeMap::new(),
            events: Vec::new(),
            bytes: 0,
        }
    }

    /// A unit that refuses everything: what an instance holds while no call runs in it.
    pub fn closed() -> Self {
        static CLOSED: LazyLock<Arc<dyn Store>> = LazyLock::new(|| Arc::new(closed::Closed));
        Self::new(
            Mode::Immediate,
            Arc::clone(&CLOSED),
            Limits::default(),
            || SystemTime::UNIX_EPOCH,
        )
    }

    /// Tells, also after the unit is gone, whether it was outrun.
    pub fn outrun(&self) -> Outrun {
        self.outrun.clone()
    }

    /// The value of a key, with this unit's own writes over it.
    pub async fn get(&mut self, key: &Key) -> Result<Option<Bytes>, UnitError> {
        if let Some(written) = self.writes.get(key) {
            return Ok(written.clone());
        }
        Ok(self.read(key).await?.value)
    }

    /// Sets a key, or deletes it where `value` is none.
    pub async fn put(&mut self, key: Key, value: Option<Bytes>) -> Result<(), UnitError> {
        match self.mode {
            Mode::Held => self.hold(key, value),
            Mode::Immediate => {
                let change = Change {
                    writes: vec![(key, value)],
                    ..Change::default()
                };
                self.commit_now(change).await
            }
        }
    }

    /// Sets a key to what `new` makes of its value, as one step. `new` may be asked more than once.
    pub async fn update<N>(&mut self, key: &Key, mut new: N) -> Result<(), UnitError>
    where
        N: FnMut(Option<&Bytes>) -> Option<Bytes> + Send,
    {
        match self.mode {
            Mode::Held => {
                let value = new(self.get(key).await?.as_ref());
                self.hold(key.clone(), value)
            }
            Mode::Immediate => self.update_now(key, new).await,
        }
    }

    /// Sets a key to `value` only if it still is `expected`; answers with what it is when it is not.
    pub async fn swap(
        &mut self,
        key: &Key,
        expected: Option<&Bytes>,
        value: Bytes,
    ) -> Result<Result<(), Option<Bytes>>, UnitError> {
        let seen = match self.mode {
            Mode::Held => Versioned {
                value: self.get(key).await?,
                version: 0,
            },
            Mode::Immediate => self.read(key).await?,
        };
        if seen.value.as_ref() != expected {
            return Ok(Err(seen.value));
        }
        if self.mode == Mode::Held {
            return self.hold(key.clone(), Some(value)).map(Ok);
        }
        if self.replace(key, seen.version, Some(value)).await? {
            return Ok(Ok(()));
        }
        Ok(Err(self.read(key).await?.value))
    }

    /// A page of a store's key names, with this unit's own writes over them.
    pub async fn keys(
        &mut self,
        store: &Label,
        after: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, UnitError> {
        let held = self.mode == Mode::Held;
        let outrun = self.outrun();
        let snapshot = self.snapshot().await?;
        let version = outrun.note(snapshot.keys_version(store).await)?;
        // Each of our own deletions can hide one name, so that many more must be asked for.
        let hidden = self.writes.values().filter(|value| value.is_none()).count();
        let asked = limit.saturating_add(hidden).saturating_add(1);
        let snapshot = self.snapshot().await?;
        let names = outrun.note(snapshot.keys(store, after, asked).await)?;
        let complete = names.len() < asked;
        if held {
            self.reads
                .entry(Subject::Keys(Arc::clone(store)))
                .or_insert(version);
        } else {
            self.snapshot = None;
        }
        Ok(overlay::overlay(
            names,
            complete,
            &self.writes,
            &overlay::Window {
                store,
                after,
                limit,
            },
        ))
    }

    /// Publishes an event: with the commit, or at once where writes are immediate.
    pub async fn publish(&mut self, event: NewEvent) -> Result<(), UnitError> {
        match self.mode {
            Mode::Immediate => {
                self.commit_now(Change {
                    events: vec![event],
                    ..Change::default()
                })
                .await
            }
            Mode::Held => {
                self.charge(event.payload.len())?;
                if self.events.len() >= self.limits.events {
                    return Err(too_large(format!("publish {} events", self.limits.events)));
                }
                self.events.push(event);
                Ok(())
            }
        }
    }

    /// All that is to be committed.
    pub fn into_change(self) -> Change {
        Change {
            reads: self.reads.into_iter().collect(),
            writes: self.writes.into_iter().collect(),
            events: self.events,
            inbox: None,
            life: None,
        }
    }

    async fn snapshot(&mut self) -> Result<&mut Box<dyn Snapshot>, StoreError> {
        match &mut self.snapshot {
            Some(snapshot) => Ok(snapshot),
            empty => Ok(empty.insert(self.store.snapshot().await?)),
        }
    }

    async fn read(&mut self, key: &Key) -> Result<Versioned, UnitError> {
        let read = self.snapshot().await?.get(key).await;
        let seen = self.outrun.note(read)?;
        match self.mode {
            Mode::Held => self.note(key, seen.version)?,
            // The next read is to see the next commit.
            Mode::Immediate => self.snapshot = None,
        }
        Ok(seen)
    }

    /// Remembers what the commit must find unchanged. It is bounded: the store's writer looks at each of them.
    fn note(&mut self, key: &Key, version: Version) -> Result<(), UnitError> {
        let is_full = self.reads.len() >= self.limits.reads;
        match self.reads.entry(Subject::Key(key.clone())) {
            Entry::Occupied(_) => Ok(()),
            Entry::Vacant(_) if is_full => {
                Err(too_large(format!("read {} keys", self.limits.reads)))
            }
            Entry::Vacant(empty) => {
                empty.insert(version);
                Ok(())
            }
        }
    }

    fn hold(&mut self, key: Key, value: Option<Bytes>) -> Result<(), UnitError> {
        self.charge(key.name.len() + value.as_ref().map_or(0, Bytes::len))?;
        if self.writes.len() >= self.limits.keys && !self.writes.contains_key(&key) {
            return Err(too_large(format!("write {} keys", self.limits.keys)));
        }
        self.writes.insert(key, value);
        Ok(())
    }

    fn charge(&mut self, bytes: usize) -> Result<(), UnitError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.bytes {
            return Err(too_large(format!("write {} bytes", self.limits.bytes)));
        }
        Ok(())
    }

    async fn update_now<N>(&mut self, key: &Key, mut new: N) -> Result<(), UnitError>
    where
        N: FnMut(Option<&Bytes>) -> Option<Bytes> + Send,
    {
        for _ in 0..IMMEDIATE_ATTEMPTS {
            let seen = self.read(key).await?;
            let value = new(seen.value.as_ref());
            if self.replace(key, seen.version, value).await? {
                return Ok(());
            }
        }
        Err(UnitError::Contended)
    }

    /// Writes a key at once if nobody has written it since; answers whether it was written.
    async fn replace(
        &mut self,
        key: &Key,
        seen: Version,
        value: Option<Bytes>,
    ) -> Result<bool, UnitError> {
        let change = Change {
            reads: vec![(Subject::Key(key.clone()), seen)],
            writes: vec![(key.clone(), value)],
            ..Change::default()
        };
        match self.store.commit(change, (self.now)()).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict(_)) => Ok(false),
            Err(other) => Err(immediate_failure(other)),
        }
    }

    async fn commit_now(&mut self, change: Change) -> Result<(), UnitError> {
        self.store
            .commit(change, (self.now)())
            .await
            .map_err(immediate_failure)
    }
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("mode", &self.mode)
            .field("reads", &self.reads.len())
            .field("writes", &self.writes.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

const fn too_large(what: String) -> UnitError {
    UnitError::TooLarge { what }
}

fn immediate_failure(error: CommitError) -> UnitError {
    match error {
        CommitError::Store(store) => UnitError::Store(store),
        CommitError::Conflict(_) | CommitError::AlreadyHandled(_) => UnitError::Contended,
    }
}

#[cfg(test)]
mod tests;
