//! The store behind a unit that refuses everything.

use std::time::SystemTime;

use crate::{
    call::BoxFuture,
    store::{Change, CommitError, Snapshot, Store, StoreError},
};

/// Answers everything with a refusal.
pub(super) struct Closed;

impl Closed {
    fn refusal() -> StoreError {
        StoreError::Unavailable("no call is running in this instance".to_owned())
    }
}

impl Store for Closed {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        Box::pin(async { Err(Self::refusal()) })
    }

    fn commit(&self, _: Change, _: SystemTime) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async { Err(Self::refusal().into()) })
    }
}
