//! The way into a running delivery, and how far it has come.

use std::sync::Arc;

use skald_core::{
    call::chain,
    event::{Book, EventLog},
};
use thiserror::Error;
use tokio::{
    sync::{Notify, watch},
    time,
};

use crate::delivery::STORE_PAUSE;

/// The way into a running delivery. Clones lead to the same one.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) wake: Arc<Notify>,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) book: Book,
}

/// The delivery has ended; nobody is served any more.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the delivery of events has stopped")]
pub(crate) struct Stopped;

/// What a delivery says of itself after each pass.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Status {
    /// Every event up to here is done with; none before the books were read.
    pub(crate) cursor: Option<u64>,
}

// === impl Handle ===

impl Handle {
    /// Whether the delivery has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.status.has_changed().is_err()
    }

    /// Says that there may be new events. It may be said too often, and forgotten: the delivery looks by itself
    /// now and then.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until every event that is in the log now is handled or buried.
    ///
    /// What the handlers publish meanwhile is in the log later: ask again, or ask the next subscriber, for that.
    pub(crate) async fn idle(&self) -> Result<(), Stopped> {
        let mut status = self.status.clone();
        let head = self.head().await?;
        self.wake();
        let reached = |status: &Status| status.cursor.is_some_and(|cursor| cursor >= head);
        status
            .wait_for(reached)
            .await
            .map(drop)
            .map_err(|_| Stopped)
    }

    async fn head(&self) -> Result<u64, Stopped> {
        loop {
            match self.log.head(&self.book).await {
                Ok(head) => return Ok(head.newest),
                Err(_) if self.status.has_changed().is_err() => return Err(Stopped),
                Err(error) => {
                    tracing::warn!(
                        code = error.code(),
                        error = chain(&error),
                        "the log has no answer"
                    );
                    time::sleep(STORE_PAUSE).await;
                }
            }
        }
    }
}
