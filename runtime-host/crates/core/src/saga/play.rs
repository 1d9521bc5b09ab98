//! The port to whatever runs the code of a saga, and what that code sees of its run.

use std::sync::Arc;

use thiserror::Error;

use super::{Command, Input, Misuse, Outcome, RunId};
use crate::{
    call::{BoxFuture, CallError, Reply},
    context::TraceContext,
    manifest::ComponentId,
};

/// Whose code, and what it is asked.
#[derive(Clone, Debug)]
pub struct Part {
    /// The component.
    pub component: ComponentId,
    /// The digest of its code.
    pub revision: String,
    /// What it is asked.
    pub input: Input,
}

/// Runs the code of sagas from its beginning, with nothing in reach but its stage: no clock, no chance, no network, no
/// data of its own. Dropping the future stops the code.
pub trait Play: Send + Sync + 'static {
    /// Runs it to its end. A fresh instance each time.
    fn play<'a>(
        &'a self,
        part: &'a Part,
        stage: Arc<dyn Stage>,
    ) -> BoxFuture<'a, Result<Reply, PlayError>>;

    /// The revision that new runs of a component begin with.
    fn current(&self, component: &ComponentId) -> Option<String>;
}

/// What the code of a saga sees: everything it asks goes through here, and everything here is the same in a replay.
pub trait Stage: Send + Sync + 'static {
    /// Asks for something; answers with its ordinal, and does not wait for its end.
    fn issue(&self, command: Command) -> Result<u32, Interrupted>;

    /// Waits for the end of a command that takes time.
    fn outcome(&self, ordinal: u32) -> BoxFuture<'_, Result<Outcome, Interrupted>>;

    /// Waits for the first of these to end that was not answered before.
    fn join<'a>(&'a self, ordinals: &'a [u32]) -> BoxFuture<'a, Result<u32, Interrupted>>;

    /// Whether this run takes the branch.
    fn patched(&self, id: &str) -> Result<bool, Interrupted>;

    /// The time, in microseconds since 1970: that of the last record the code has come past. It never goes back.
    fn now(&self) -> u64;

    /// The run.
    fn run(&self) -> &RunId;

    /// What began the run.
    fn key(&self) -> &str;

    /// Whether the code has come past all that is recorded: what it says now, it says for the first time.
    fn is_live(&self) -> bool;

    /// The trace that the run began in.
    fn trace(&self) -> Option<TraceContext>;
}

/// Why the code goes no further.
#[derive(Clone, Debug, Error)]
pub enum Interrupted {
    /// Whoever runs it wants it no longer; it is replayed later, or not at all.
    #[error("the run was interrupted")]
    Stopped,
    /// The code asked for something that makes no sense.
    #[error(transparent)]
    Misuse(#[from] Misuse),
}

/// Why the code has not come to its end.
#[derive(Clone, Debug, Error)]
pub enum PlayError {
    /// The code is not there, or does not fit the other components.
    #[error("the revision cannot run: {0}")]
    NoRevision(String),
    /// Its stage stopped it.
    #[error("the run was interrupted")]
    Stopped,
    /// It trapped, went over a limit, or could not be started.
    #[error(transparent)]
    Crashed(#[from] CallError),
}
