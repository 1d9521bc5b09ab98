//! The port to durable state: consistent reads, and one commit for everything a unit of work did.

use std::{fmt, sync::Arc, time::SystemTime};

use bytes::Bytes;
use thiserror::Error;

use crate::{call::BoxFuture, context::InboxMark, event::NewEvent};

/// The name of a key-value store. Names that begin with `$` belong to the host; no component can be granted one.
pub type Label = Arc<str>;

/// One key of one store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The store.
    pub store: Label,
    /// The key in it.
    pub name: Arc<str>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.store, self.name)
    }
}

/// Which commit wrote a key last; 0 means that the key is absent and its absence was never marked.
pub type Version = u64;

/// A value and the version that a commit can be made to depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versioned {
    /// The value; none where the key is absent.
    pub value: Option<Bytes>,
    /// Its version.
    pub version: Version,
}

/// What a unit of work depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The value, or absence, of a key.
    Key(Key),
    /// Which keys a store has: its version changes when a key appears or goes.
    Keys(Label),
}

/// All that a unit of work did. It is committed whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What was read, and the version that was seen; a commit finds them unchanged or conflicts.
    pub reads: Vec<(Subject, Version)>,
    /// New values; none deletes.
    pub writes: Vec<(Key, Option<Bytes>)>,
    /// What was published, in order.
    pub events: Vec<NewEvent>,
    /// The event that this unit handles.
    pub inbox: Option<InboxMark>,
    /// The life of the store that this is for, if what it follows from is of one: in a later one it comes too late. See
    /// [`Journal::life`](crate::saga::journal::Journal::life).
    pub life: Option<u32>,
}

impl Change {
    /// Whether there is nothing to commit: a call that only read needs no check, since it saw one snapshot.
    pub const fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.events.is_empty() && self.inbox.is_none()
    }
}

/// A consistent view of the store as some commit left it: all that is read from it is of one moment. A store that keeps no
/// old values takes a later moment as long as what was read before is still so, and says [`StoreError::Changed`] where it
/// is not.
pub trait Snapshot: Send {
    /// The value of a key.
    fn get<'a>(&'a mut self, key: &'a Key) -> BoxFuture<'a, Result<Versioned, StoreError>>;

    /// The version of a store's set of keys.
    fn keys_version<'a>(
        &'a mut self,
        store: &'a Label,
    ) -> BoxFuture<'a, Result<Version, StoreError>>;

    /// The names of a store's keys in order, after `after`, at most `limit`.
    fn keys<'a>(
        &'a mut self,
        store: &'a Label,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<str>>, StoreError>>;
}

/// Durable state. When `commit` has answered, the change survives the death of the process and of the machine.
pub trait Store: Send + Sync + 'static {
    /// A view of the newest commit, or of one that comes while it is read from.
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>>;

    /// Commits `change` if all it read is as it was.
    fn commit(&self, change: Change, now: SystemTime) -> BoxFuture<'_, Result<(), CommitError>>;
}

/// Why a change was not committed. Nothing of it was.
#[derive(Clone, Debug, Error)]
pub enum CommitError {
    /// Something that was read has changed since.
    #[error("{0:?} has changed")]
    Conflict(Subject),
    /// The event was handled before.
    #[error("event {} was already handled by {}", .0.sequence, .0.book)]
    AlreadyHandled(InboxMark),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store could not do its part.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// No room is left where the data is.
    #[error("the disk is full; nothing was written: {0}")]
    Full(String),
    /// The data is damaged or not ours.
    #[error("the data cannot be read: {0}")]
    Corrupt(String),
    /// What a unit is about to read has changed since it began to read; it has to begin again. Nobody but the unit's maker
    /// hears this.
    #[error("{0:?} has changed since the call began to read")]
    Changed(Subject),
    /// A commit may have happened or not: the store could not be asked again.
    #[error("whether the change was written is not known: {0}")]
    Unknown(String),
    /// Any other failure of the disk or the server. What was asked for has not happened.
    #[error("the store is not available: {0}")]
    Unavailable(String),
}

impl StoreError {
    /// A stable code with a page in `docs/errors/`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Full(_) => "STORE-001",
            Self::Corrupt(_) => "STORE-002",
            Self::Unavailable(_) => "STORE-003",
            Self::Changed(_) => "STORE-008",
            Self::Unknown(_) => "STORE-009",
        }
    }
}
