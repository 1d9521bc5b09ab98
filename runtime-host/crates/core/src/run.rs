//! The port to whatever runs components: the last step of every call, below all policies.

use std::future::Future;

use crate::{
    call::{CallError, Reply, Request},
    unit::Unit,
};

/// Runs a component once. It decides nothing: deadlines, retries and commits are its caller's.
///
/// The unit comes back however the run ends, so that its maker can commit it or let it go. Dropping the future
/// stops the guest, and the unit goes with it.
pub trait Run: Send + Sync + 'static {
    /// Makes the call on `unit` and waits for its end.
    fn run(
        &self,
        request: &Request,
        unit: Unit,
    ) -> impl Future<Output = (Unit, Result<Reply, CallError>)> + Send;
}
