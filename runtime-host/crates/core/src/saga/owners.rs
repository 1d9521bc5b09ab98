//! The port to who else carries runs: which of them are whose, and to whom those of a dead node fall.

use std::future::ready;

use serde::{Deserialize, Serialize};

use super::RunId;
use crate::{call::BoxFuture, store::StoreError};

/// Another node that is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// Its name.
    pub node: String,
    /// Where people ask it, if they can.
    pub admin: Option<String>,
}

/// Who else carries runs.
pub trait Owners: Send + Sync + 'static {
    /// The other node that is alive and writes in this epoch, if any. What it carries is left to it.
    fn other(&self, epoch: u64) -> Option<Other>;

    /// Whether a run that nobody carries any more falls to this node.
    fn inherits(&self, component: &str, run: &RunId) -> bool;

    /// A new epoch for this node, larger than any before; other nodes know of it when this answers. None where there is
    /// none to be had.
    fn new_epoch(&self) -> BoxFuture<'_, Result<Option<u64>, StoreError>>;

    /// Whether the store has all that was written in this epoch, as far as its owner knew: it has looked for itself on the
    /// servers that keep it now, or no others have kept it. What nobody can know is no.
    fn is_vouched(&self, _epoch: u64) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(ready(Ok(true)))
    }
}

/// There is nobody else. A journal of a later epoch is then a sign of a second host, and is left alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Owners for Alone {
    fn other(&self, _epoch: u64) -> Option<Other> {
        None
    }

    fn inherits(&self, _component: &str, _run: &RunId) -> bool {
        true
    }

    fn new_epoch(&self) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        Box::pin(ready(Ok(None)))
    }
}
