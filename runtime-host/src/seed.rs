//! The first start on new data: the application is told once that it exists, so that it can lay out its first data.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use skald_core::{
    event::NewEvent,
    store::{Change, CommitError, Key, Store, StoreError, Subject},
};
use skald_events::Deliveries;
use skald_telemetry::{clock, ids};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The event that says so.
const CREATED: &str = "skald.application.created.v1";

/// How long the first start waits for the application to have laid out its data.
const PATIENCE: Duration = Duration::from_secs(30);

/// How far the first data has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstData {
    /// The event was published, by this start or by one that ended too early; what it leads to is not all there.
    Begun,
    /// All of it is there.
    Complete,
}

const BEGUN: &[u8] = b"begun";
const COMPLETE: &[u8] = b"complete";

/// Publishes the event if it never was.
pub(crate) async fn announce(
    store: &dyn Store,
    application: &str,
) -> Result<FirstData, StoreError> {
    let seen = store.snapshot().await?.get(&key()).await?;
    match seen.value.as_deref() {
        Some(COMPLETE) => return Ok(FirstData::Complete),
        Some(_) => return Ok(FirstData::Begun),
        None => {}
    }
    let change = Change {
        reads: vec![(Subject::Key(key()), seen.version)],
        writes: vec![(key(), Some(Bytes::from_static(BEGUN)))],
        events: vec![event(application)],
        ..Change::default()
    };
    commit(store, change).await?;
    Ok(FirstData::Begun)
}

/// Remembers that all of it is there.
pub(crate) async fn complete(store: &dyn Store) -> Result<(), StoreError> {
    let writes = vec![(key(), Some(Bytes::from_static(COMPLETE)))];
    commit(
        store,
        Change {
            writes,
            ..Change::default()
        },
    )
    .await
}

fn key() -> Key {
    Key {
        store: Arc::from("$host"),
        name: Arc::from("created"),
    }
}

async fn commit(store: &dyn Store, change: Change) -> Result<(), StoreError> {
    match store.commit(change, clock::now()).await {
        Err(CommitError::Store(error)) => Err(error),
        // Another start was quicker, which is as good.
        Ok(()) | Err(CommitError::Conflict(_) | CommitError::AlreadyHandled(_)) => Ok(()),
    }
}

/// Waits until nobody has anything left to handle: what the first event led to is then there.
pub(crate) async fn settle(deliveries: &Deliveries) -> Result<(), StoreError> {
    let settled = tokio::time::timeout(PATIENCE, deliveries.settle());
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
