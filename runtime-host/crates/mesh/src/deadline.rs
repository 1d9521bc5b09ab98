//! `WithDeadline`: a guest that has not answered in time is dropped, and that interrupts it.

use std::{future::Future, sync::Arc};

use skald_core::{
    call::{CallError, Reply, Request},
    run::Run,
    unit::Unit,
};
use tokio::time::{Instant, timeout_at};

/// Runs a component until the request's deadline. It goes around the engine alone: see `stack.rs`.
pub(crate) struct WithDeadline<E> {
    engine: Arc<E>,
}

// === impl WithDeadline ===

impl<E: Run> WithDeadline<E> {
    pub(crate) const fn new(engine: Arc<E>) -> Self {
        Self { engine }
    }

    /// Runs the component once. The unit comes back with a reply only: after a failure there is nothing to keep.
    pub(crate) async fn run(
        &self,
        request: &Request,
        unit: Unit,
    ) -> Result<(Unit, Reply), CallError> {
        // Boxed, since each wrapper around it would carry, and move, all that the engine keeps while a guest runs.
        let run = Box::pin(self.engine.run(request, unit));
        let (unit, result) = within(request, run).await?;
        Ok((unit, result?))
    }
}

/// Waits for `future` until the request's deadline; what has not even begun by then never begins.
pub(crate) async fn within<T>(
    request: &Request,
    future: impl Future<Output = T>,
) -> Result<T, CallError> {
    let Some(deadline) = request.context.deadline.map(Instant::from_std) else {
        return Ok(future.await);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(CallError::TimedOut(left));
    }
    timeout_at(deadline, future)
        .await
        .map_err(|_elapsed| CallError::TimedOut(left))
}

#[cfg(test)]
mod tests;
