//! The first start on new data: the application is told once that it exists, so that it can lay out its first data.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use skald_core::{
    event::{EventLog, NewEvent},
    store::{Change, CommitError, Key, Store, StoreError, Subject},
};
use skald_events::Handle;
use skald_store::Embedded;
use skald_telemetry::{clock, ids};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The event that says so.
const CREATED: &str = "skald.application.created.v1";

/// How long the first start waits for the application to have laid out its data.
const PATIENCE: Duration = Duration::from_secs(30);

/// Publishes the event if it never was; answers whether it did.
pub(crate) async fn announce(store: &Embedded, application: &str) -> Result<bool, StoreError> {
    let key = Key {
        store: Arc::from("$host"),
        name: Arc::from("created"),
    };
    let seen = store.snapshot().await?.get(&key).await?;
    if seen.value.is_some() {
        return Ok(false);
    }
    let change = Change {
        reads: vec![(Subject::Key(key.clone()), seen.version)],
        writes: vec![(key, Some(Bytes::from_static(b"1")))],
        events: vec![event(application)],
        inbox: None,
    };
    match store.commit(change, clock::now()).await {
        Ok(()) => Ok(true),
        Err(CommitError::Store(error)) => Err(error),
        Err(CommitError::Conflict(_) | CommitError::AlreadyHandled(_)) => Ok(false),
    }
}

/// Waits until nobody has anything left to handle: what the first event led to is then there.
pub(crate) async fn settle(store: &Embedded, handles: &[Handle]) -> Result<(), StoreError> {
    let settled = tokio::time::timeout(PATIENCE, async {
        loop {
            let head = store.head().await?;
            for handle in handles {
                // A delivery that ended is shutting down; there is nothing to wait for.
                let _ = handle.idle().await;
            }
            if store.head().await? == head {
                return Ok(());
            }
        }
    });
    settled.await.unwrap_or_else(|_| {
        tracing::warn!(
            "the first data is not complete after {PATIENCE:?}; it goes on in the background"
        );
        Ok(())
    })
}

fn event(application: &str) -> NewEvent {
    let now = OffsetDateTime::from(clock::now());
    let trace = ids::new_trace();
    let payload = serde_json::json!({
        "specversion": "1.0",
        "id": format!("{:032x}", ids::trace_id()),
        "source": "/skald",
        "type": CREATED,
        "time": now.format(&Rfc3339).unwrap_or_default(),
        "subject": application,
        "datacontenttype": "application/json",
        "traceparent": trace.to_string(),
        "data": { "application": application },
    });
    NewEvent::new(Arc::from(CREATED), Bytes::from(payload.to_string()), trace)
}
