//! Events: what components publish, how the log keeps them, and how far each subscriber has come.

use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

use bytes::Bytes;

use crate::{call::BoxFuture, context::TraceContext, store::StoreError};

/// An event as a component published it; the commit of its unit of work writes it to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The channel it was published on: `shop.order.placed.v1`.
    pub topic: Arc<str>,
    /// What keeps order among themselves: the CloudEvents `subject`; empty where there is none.
    pub key: String,
    /// The message as it was published.
    pub payload: Bytes,
    /// The trace it was published in.
    pub trace: TraceContext,
}

impl NewEvent {
    /// Takes the key from a CloudEvents payload; other payloads have the empty key and so keep one order.
    pub fn new(topic: Arc<str>, payload: Bytes, trace: TraceContext) -> Self {
        #[derive(serde::Deserialize)]
        struct Envelope<'a> {
            #[serde(borrow)]
            subject: Option<std::borrow::Cow<'a, str>>,
        }
        let key = serde_json::from_slice::<Envelope<'_>>(&payload)
            .ok()
            .and_then(|envelope| envelope.subject)
            .map(std::borrow::Cow::into_owned)
            .unwrap_or_default();
        Self {
            topic,
            key,
            payload,
            trace,
        }
    }
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the log: later commits have larger numbers; there may be gaps.
    pub sequence: u64,
    /// The channel.
    pub topic: Arc<str>,
    /// The ordering key.
    pub key: String,
    /// The message.
    pub payload: Bytes,
    /// When it was committed.
    pub recorded_at: SystemTime,
    /// The trace it was published in.
    pub trace: TraceContext,
}

/// How far a subscriber has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Every event up to here is handled, or buried.
    pub cursor: u64,
    /// Handled events beyond the cursor.
    pub handled: BTreeSet<u64>,
    /// Events beyond the cursor that failed and will be tried again.
    pub failures: Vec<Failure>,
}

/// A delivery that failed and will be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The event.
    pub sequence: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this time.
    pub retry_at: SystemTime,
    /// What went wrong last.
    pub error: String,
}

/// An event that was given up on, kept for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The subscriber that could not handle it.
    pub group: Arc<str>,
    /// The event.
    pub event: Event,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong last.
    pub error: String,
    /// When it was given up.
    pub buried_at: SystemTime,
}

/// The log of events and the books of its subscribers.
pub trait EventLog: Send + Sync + 'static {
    /// The events of `topics` after `after`, oldest first, at most `limit`.
    fn read<'a>(
        &'a self,
        topics: &'a [Arc<str>],
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>>;

    /// The number of the newest event, 0 where there is none.
    fn head(&self) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// How far `group` has come. A new group starts at the beginning of the log.
    fn progress<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Progress, StoreError>>;

    /// Every event up to `cursor` is done with; the books on them are closed.
    fn advance<'a>(&'a self, group: &'a str, cursor: u64) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Notes that a delivery failed.
    fn note_failure<'a>(
        &'a self,
        group: &'a str,
        failure: Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Gives up on an event: it is handled as far as `group` is concerned, and kept as a dead letter.
    fn bury(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The dead letters of all groups, oldest first, at most `limit`.
    fn dead_letters(&self, limit: usize) -> BoxFuture<'_, Result<Vec<DeadLetter>, StoreError>>;
}
