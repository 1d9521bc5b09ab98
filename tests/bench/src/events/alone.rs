//! The store alone: the commit that publishes and then the handler's, one after the other, with nobody in between.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use skald_core::{context::InboxMark, event::Book};
use skald_telemetry::clock;
use tokio::time::Instant;

use super::{crowd::Turn, ground::Ground, message};

/// Not the topic of the others, who would hear of it.
pub(super) const TOPIC: &str = "alone";

/// Publishes, and handles what it has published. Nobody else may deliver there.
pub(super) fn turn(ground: &Ground) -> Turn {
    let (publisher, handler) = (Arc::clone(&ground.publisher), Arc::clone(&ground.handler));
    let next = Arc::new(AtomicU64::new(1));
    Arc::new(move |key| {
        let (publisher, handler) = (Arc::clone(&publisher), Arc::clone(&handler));
        let sequence = next.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let payload = message::payload(key, 0);
            let mut change = message::writing(&payload);
            change.inbox = Some(mark(sequence));
            let publishing = message::publishing(TOPIC, [payload].into_iter());
            publisher.commit(publishing, clock::now()).await?;
            let published = Instant::now();
            handler.commit(change, clock::now()).await?;
            Ok(published.elapsed())
        })
    })
}

fn mark(sequence: u64) -> InboxMark {
    InboxMark {
        book: Book {
            group: message::HANDLER.into(),
            partition: "alone".into(),
        },
        generation: 0,
        sequence,
    }
}
