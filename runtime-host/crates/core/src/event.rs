//! Events: what components publish, how the log keeps them, and how far each subscriber has come.

pub mod archive;

use std::{collections::BTreeSet, fmt, sync::Arc, time::SystemTime};

use bytes::Bytes;

use crate::{call::BoxFuture, context::TraceContext, store::StoreError};

/// A part of the log. Events of one publisher and one key are in one part, and a part has one order. The embedded log is
/// a single part; a log that several nodes share has more.
pub type Partition = Arc<str>;

/// The book of one subscriber on one partition: how far it has come there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Book {
    /// The subscriber.
    pub group: Arc<str>,
    /// The partition.
    pub partition: Partition,
}

impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.group, self.partition)
    }
}

/// What a subscriber wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// The subscriber. It also hears what was delivered anew for it alone.
    pub group: Arc<str>,
    /// The topics.
    pub topics: Vec<Arc<str>>,
}

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

    /// The topic of what is published again for one subscriber alone; the store keeps the true topic beside it.
    pub fn topic_for(group: &str) -> Arc<str> {
        format!("{FOR_ONE}{group}").into()
    }

    /// Whether a topic is one of those.
    pub fn is_for_one(topic: &str) -> bool {
        topic.starts_with(FOR_ONE)
    }
}

/// How the topic of what is for one subscriber begins. Components cannot publish on it.
const FOR_ONE: &str = "$for/";

/// That something was published, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Published {
    /// The part of the log that it is in.
    pub partition: Partition,
    /// The channel.
    pub topic: Arc<str>,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The part of the log that it is in.
    pub partition: Partition,
    /// Its place there: later commits have larger numbers; there may be gaps. The first number is at least 1.
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
    /// How often the subscriber was sent back. What was begun before the last time counts no more.
    pub generation: u64,
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

/// How far a partition goes for a subscriber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The number of the partition's newest event, 0 where there is none.
    pub newest: u64,
    /// The book's generation.
    pub generation: u64,
}

/// What a subscriber finds that reads on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The events that it wants to hear, oldest first.
    pub events: Vec<Event>,
    /// There are no others of them up to here.
    pub to: u64,
    /// Whether there may be more beyond it already.
    pub has_more: bool,
    /// The book's generation.
    pub generation: u64,
}

/// The log of events and the books of its subscribers.
pub trait EventLog: Send + Sync + 'static {
    /// The partitions that may hold what a subscriber wants to hear; more may come.
    fn partitions<'a>(
        &'a self,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Vec<Partition>, StoreError>>;

    /// The events of a partition that a subscriber wants to hear, after `after`, oldest first, at most `limit`.
    fn read<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>>;

    /// How far the partition goes, and whether the book is still the one that was opened.
    fn head<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Head, StoreError>>;

    /// The events that a subscriber wants to hear after `after`, at most `limit`, with what a delivery has to know to go on
    /// from there. A store that answers all of it at once does so.
    fn read_on<'a>(
        &'a self,
        book: &'a Book,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Stretch, StoreError>> {
        Box::pin(async move {
            // Asked before reading: an event that is committed in between is not taken for one that was read.
            let head = self.head(book).await?;
            if head.newest <= after {
                return Ok(Stretch::nothing(after, head.generation));
            }
            let events = self.read(&book.partition, interest, after, limit).await?;
            Ok(Stretch::new(events, limit, head))
        })
    }

    /// How far a subscriber has come. A new one starts at the beginning of the partition.
    fn progress<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Progress, StoreError>>;

    /// Every event up to `cursor` is done with; the notes on them are forgotten. Without effect in another generation.
    fn advance<'a>(
        &'a self,
        book: &'a Book,
        generation: u64,
        cursor: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Notes that a delivery failed.
    fn note_failure<'a>(
        &'a self,
        book: &'a Book,
        failure: Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Gives up on an event: it is handled as far as the subscriber is concerned, and kept as a dead letter.
    fn bury(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>>;
}

// === impl Stretch ===

impl Stretch {
    /// What was read with a limit, of a partition that went at least so far when it was read.
    pub fn new(events: Vec<Event>, limit: usize, head: Head) -> Self {
        let has_more = events.len() >= limit;
        let last = events.last().map_or(0, |event| event.sequence);
        Self {
            events,
            to: if has_more {
                last
            } else {
                head.newest.max(last)
            },
            has_more,
            generation: head.generation,
        }
    }

    /// Nothing after `after`.
    pub const fn nothing(after: u64, generation: u64) -> Self {
        Self {
            events: Vec::new(),
            to: after,
            has_more: false,
            generation,
        }
    }
}

// === impl DeadLetter ===

impl DeadLetter {
    /// The book that the event is done with in.
    pub fn book(&self) -> Book {
        Book {
            group: Arc::clone(&self.group),
            partition: Arc::clone(&self.event.partition),
        }
    }
}
