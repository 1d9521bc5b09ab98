//! The port to whoever carries runs, for people: what there is, what it waits for, and what can be done about it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    By, RunId, Verb,
    journal::{Filter, Summary},
    owners::Other,
    view::View,
};
use crate::{call::BoxFuture, hex, store::StoreError};

/// A run's journal as it can be given away: enough to replay the run elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The version of this form.
    pub version: u32,
    /// The run.
    pub run: RunId,
    /// Whose code it runs.
    pub component: String,
    /// The entries, each in hexadecimal digits.
    pub entries: Vec<String>,
}

/// What people ask of the coordinator.
pub trait Desk: Send + Sync + 'static {
    /// The runs there are.
    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, DeskError>>;

    /// One run with its whole story.
    fn show<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<View, DeskError>>;

    /// Does something to a run; durable when it answers.
    fn act<'a>(
        &'a self,
        run: &'a RunId,
        verb: Verb,
        by: By,
    ) -> BoxFuture<'a, Result<(), DeskError>>;

    /// Sends a signal; durable when it answers. The same sending twice is one signal.
    fn signal<'a>(&'a self, run: &'a RunId, signal: Signal)
    -> BoxFuture<'a, Result<(), DeskError>>;

    /// Begins a new run with the journal of an ended one up to a command, and answers with its id.
    fn rerun<'a>(
        &'a self,
        run: &'a RunId,
        from: u32,
        by: By,
    ) -> BoxFuture<'a, Result<RunId, DeskError>>;

    /// Goes on with the current revision, if that takes the same way; only says so on a rehearsal.
    fn upgrade<'a>(
        &'a self,
        run: &'a RunId,
        mode: Upgrade,
        by: By,
    ) -> BoxFuture<'a, Result<String, DeskError>>;

    /// The journal.
    fn export<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Export, DeskError>>;

    /// Forgets a run that has ended.
    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<(), DeskError>>;
}

/// What is sent to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The sender's name for this sending.
    pub id: String,
    /// The signal's name.
    pub name: String,
    /// What comes with it.
    pub payload: Bytes,
}

/// Whether an upgrade is done or only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// The run goes on with the current revision.
    Apply,
    /// Only tell whether it could.
    Rehearse,
}

/// Why something could not be done. Nothing has changed.
#[derive(Clone, Debug, Error)]
pub enum DeskError {
    /// No run has that id.
    #[error("there is no run {0}; `skald saga ls` shows those there are")]
    NoSuchRun(RunId),
    /// The run is not where this can be done; what can.
    #[error("{0}")]
    Refused(String),
    /// What was asked makes no sense; why.
    #[error("{0}")]
    Invalid(String),
    /// The journal is damaged, and where.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// The journal could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another node carries the run, and has to be asked.
    #[error("node {} carries the run; ask it", .0.node)]
    Elsewhere(Other),
    /// The host is draining.
    #[error("the host is shutting down")]
    ShuttingDown,
}

// === impl DeskError ===

impl DeskError {
    /// A stable code with a page in `docs/errors/`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRun(_) => "SAGA-001",
            Self::Refused(_) => "SAGA-002",
            Self::Invalid(_) => "SAGA-003",
            Self::Damaged(_) => "SAGA-004",
            Self::Store(error) => error.code(),
            Self::ShuttingDown => "SAGA-005",
            Self::Elsewhere(_) => "SAGA-006",
        }
    }
}

impl Export {
    /// The version of this form that is written.
    pub const VERSION: u32 = 1;

    /// An export of these entries.
    pub fn new(run: RunId, component: String, entries: &[Bytes]) -> Self {
        Self {
            version: Self::VERSION,
            run,
            component,
            entries: entries.iter().map(|entry| hex::digits(entry)).collect(),
        }
    }

    /// The entries; none where the digits are not such.
    pub fn bytes(&self) -> Option<Vec<Bytes>> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let entry = |digits: &String| -> Option<Bytes> {
            if !digits.len().is_multiple_of(2) {
                return None;
            }
            let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
            bytes.map(Bytes::from)
        };
        self.entries.iter().map(entry).collect()
    }
}
