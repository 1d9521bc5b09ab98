//! What can go wrong when something is asked of the coordinator.

use skald_core::{
    call::CallError,
    saga::{RunId, desk::DeskError, owners::Other, verb},
    store::StoreError,
};
use thiserror::Error;

/// Why a run was not begun. Nothing was recorded.
#[derive(Clone, Debug, Error)]
pub enum StartError {
    /// No saga has that name.
    #[error("{0:?} is no saga; set `saga = true` in its table tool.skald")]
    NoSuchSaga(String),
    /// The key began a run before, with something else.
    #[error("the start key {key:?} began {run} with another input")]
    Conflict {
        /// The key.
        key: String,
        /// The run.
        run: RunId,
    },
    /// The input is too large for the journal.
    #[error("the input has {size} bytes; {limit} are the most")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The most.
        limit: usize,
    },
    /// The journal could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The host is draining.
    #[error("the host is shutting down")]
    ShuttingDown,
}

/// Why something was not done to a run. Nothing has changed.
#[derive(Clone, Debug, Error)]
pub enum VerbError {
    /// No run has that id.
    #[error("there is no run {0}; `skald saga ls` shows those there are")]
    NoSuchRun(RunId),
    /// The run is not where this can be done.
    #[error(transparent)]
    Refused(#[from] verb::Refusal),
    /// What was asked makes no sense; why.
    #[error("{0}")]
    Invalid(String),
    /// The other code would have gone another way.
    #[error("{0}")]
    Diverges(String),
    /// The journal is damaged.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// The journal could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another node carries the run.
    #[error("node {} carries the run", .0.node)]
    Elsewhere(Other),
    /// The host is draining.
    #[error("the host is shutting down")]
    ShuttingDown,
}

impl From<StartError> for CallError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => Self::Store(error),
            StartError::ShuttingDown => Self::ShuttingDown,
            StartError::NoSuchSaga(_)
            | StartError::Conflict { .. }
            | StartError::TooLarge { .. } => Self::HandlerFailed(error.to_string()),
        }
    }
}

impl From<VerbError> for DeskError {
    fn from(error: VerbError) -> Self {
        match error {
            VerbError::NoSuchRun(run) => Self::NoSuchRun(run),
            VerbError::Refused(refusal) => Self::Refused(refusal.to_string()),
            VerbError::Invalid(why) => Self::Invalid(why),
            VerbError::Diverges(where_) => Self::Refused(where_),
            VerbError::Damaged(where_) => Self::Damaged(where_),
            VerbError::Store(error) => Self::Store(error),
            VerbError::Elsewhere(other) => Self::Elsewhere(other),
            VerbError::ShuttingDown => Self::ShuttingDown,
        }
    }
}
