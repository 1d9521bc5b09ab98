//! `WithBulkhead`: bounds how many calls of a component run at once, and how many wait.
//!
//! Waiting is cheap and a burst is short, so that the queue is long and a call waits until its deadline. Only
//! when even the queue is full is a call refused at once.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use skald_core::{
    call::{Call, CallError, Reply, Request},
    manifest::ComponentId,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

/// Lets so many calls run, and so many wait.
pub(crate) struct WithBulkhead<C> {
    component: ComponentId,
    places: Semaphore,
    queue: usize,
    waiting: AtomicUsize,
    inner: C,
}

/// One who waits; counted until it is let in or gives up.
struct Waiter<'a>(&'a AtomicUsize);

/// A full queue at a component of ordinary speed is gone within a second.
const RETRY_AFTER: Duration = Duration::from_secs(1);

// === impl WithBulkhead ===

impl<C> WithBulkhead<C> {
    pub(crate) fn new(
        component: ComponentId,
        concurrency: NonZeroUsize,
        queue: usize,
        inner: C,
    ) -> Self {
        let places = Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS));
        Self {
            component,
            places,
            queue,
            waiting: AtomicUsize::new(0),
            inner,
        }
    }

    async fn enter(&self, request: &Request) -> Result<SemaphorePermit<'_>, CallError> {
        // A place that is free and that nobody queues for; those who queue are served first, in order.
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let _waiter = Waiter::queue(&self.waiting, self.queue).ok_or_else(|| self.overloaded())?;
        let place = match request.context.deadline.map(Instant::from_std) {
            Some(deadline) => timeout_at(deadline, self.places.acquire()).await,
            None => Ok(self.places.acquire().await),
        };
        // The semaphore is never closed, so that the inner error is only the compiler's.
        place
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| self.overloaded())
    }

    fn overloaded(&self) -> CallError {
        CallError::Overloaded {
            component: self.component.clone(),
            retry_after: RETRY_AFTER,
        }
    }
}

impl<C: Call> Call for WithBulkhead<C> {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        let _place = self.enter(request).await?;
        self.inner.call(request).await
    }
}

// === impl Waiter ===

impl<'a> Waiter<'a> {
    fn queue(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let waiter = Self(waiting);
        // Counted before it is judged; dropping the waiter uncounts it in either case.
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(waiter)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
