//! The port to the log for people and chores: what there is, how far subscribers are behind, what was given up on, and
//! what can be done about it.

use std::{fmt, str::FromStr, sync::Arc, time::SystemTime};

use thiserror::Error;

use super::{Book, DeadLetter, Event, Interest, Partition};
use crate::{call::BoxFuture, store::StoreError};

/// A topic of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// How many events of it were published, also those that are not kept any more.
    pub published: u64,
}

/// How far a subscriber is behind on one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// Events not done with.
    pub messages: u64,
    /// When the oldest of them was recorded.
    pub oldest: Option<SystemTime>,
}

/// Which dead letter: which subscriber gave up on which event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterId {
    /// The subscriber's book.
    pub book: Book,
    /// The event.
    pub sequence: u64,
}

/// Which dead letters are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// Of this subscriber only.
    pub group: Option<Arc<str>>,
    /// After this one, in the order of the list.
    pub after: Option<LetterId>,
    /// How many at most.
    pub limit: usize,
}

/// What of a partition is kept at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Every event after this one.
    pub after: u64,
    /// Events recorded at this time or later; none keeps no event for its age.
    pub since: Option<SystemTime>,
    /// So many bytes of payloads, the newest; none sets no bound. Events are let go for their number even where they are
    /// young.
    pub bytes: Option<u64>,
}

/// That text names no dead letter.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("write a dead letter as SUBSCRIBER/PARTITION/NUMBER, as `skald events dlq ls` does")]
pub struct NoLetter;

/// The log, for people and chores.
pub trait Archive: Send + Sync + 'static {
    /// The topics of which anything was ever published, by name.
    fn topics(&self) -> BoxFuture<'_, Result<Vec<Topic>, StoreError>>;

    /// All partitions there are.
    fn parts(&self) -> BoxFuture<'_, Result<Vec<Partition>, StoreError>>;

    /// The events of a partition after `after`, oldest first, at most `limit`; of all topics where none is named.
    fn page<'a>(
        &'a self,
        partition: &'a Partition,
        topics: &'a [Arc<str>],
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>>;

    /// The number of the last event of a partition that was recorded before `at`, 0 where there is none.
    fn before<'a>(
        &'a self,
        partition: &'a Partition,
        at: SystemTime,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// How far a subscriber is behind on a partition.
    fn behind<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Behind, StoreError>>;

    /// The dead letters, by subscriber, partition and number.
    fn dead_letters<'a>(
        &'a self,
        asked: &'a Letters,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, StoreError>>;

    /// One dead letter.
    fn dead_letter<'a>(
        &'a self,
        id: &'a LetterId,
    ) -> BoxFuture<'a, Result<Option<DeadLetter>, StoreError>>;

    /// Publishes a dead letter's event again, for its subscriber alone, behind all that is in the log; the letter is gone
    /// with the same commit. Answers whether it was there.
    fn redrive<'a>(
        &'a self,
        id: &'a LetterId,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Forgets a dead letter. Answers whether it was there.
    fn discard<'a>(&'a self, id: &'a LetterId) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Sends a subscriber back: what comes after `to` will be delivered to it again, or be skipped where `to` is ahead.
    /// Its book begins a new generation.
    fn rewind<'a>(&'a self, book: &'a Book, to: u64) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Lets go of the oldest events of a partition, as far as `keep` allows. Answers how many those were.
    fn trim<'a>(
        &'a self,
        partition: &'a Partition,
        keep: Keep,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;
}

// === impl LetterId ===

impl LetterId {
    /// The id of a letter.
    pub fn of(letter: &DeadLetter) -> Self {
        Self {
            book: letter.book(),
            sequence: letter.event.sequence,
        }
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { book, sequence } = self;
        write!(f, "{}/{}/{sequence}", book.group, book.partition)
    }
}

impl FromStr for LetterId {
    type Err = NoLetter;

    /// A subscriber's name has no slash; a partition's may have.
    fn from_str(text: &str) -> Result<Self, NoLetter> {
        let (group, rest) = text.split_once('/').ok_or(NoLetter)?;
        let (partition, sequence) = rest.rsplit_once('/').ok_or(NoLetter)?;
        if group.is_empty() || partition.is_empty() {
            return Err(NoLetter);
        }
        Ok(Self {
            book: Book {
                group: Arc::from(group),
                partition: Arc::from(partition),
            },
            sequence: sequence.parse().map_err(|_| NoLetter)?,
        })
    }
}
