//! A log in memory: what was published, who has handled what, and what was given up on.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    context::TraceContext,
    event::{
        Book, DeadLetter, Event, EventLog, Failure, Head, Interest, NewEvent, Partition, Progress,
        archive::{Archive, Behind, Keep, LetterId, Letters, Topic},
    },
    node::{Health, Node, Nodes, Served},
    store::{Change, CommitError, Snapshot, Store, StoreError},
};

/// Some time; later ones for larger numbers.
pub(super) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

/// What every event was published in.
const TRACE: TraceContext = TraceContext {
    trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
    span_id: 0x00f0_67aa_0ba9_02b7,
    sampled: true,
};

#[derive(Default)]
pub(super) struct Log(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    events: Vec<Event>,
    books: BTreeMap<Book, Progress>,
    letters: BTreeMap<LetterId, DeadLetter>,
    broken: bool,
}

impl Log {
    /// Puts an event there.
    pub(super) fn put(&self, partition: &str, sequence: u64, topic: &str, second: u64) {
        self.0.lock().events.push(Event {
            partition: Arc::from(partition),
            sequence,
            topic: Arc::from(topic),
            key: format!("key-{sequence}"),
            payload: format!(r#"{{"n":{sequence}}}"#).into(),
            recorded_at: at(second),
            trace: TRACE,
        });
    }

    /// Notes how far somebody has come.
    pub(super) fn open(&self, book: (&str, &str), cursor: u64, handled: &[u64]) {
        let progress = Progress {
            cursor,
            handled: handled.iter().copied().collect(),
            ..Progress::default()
        };
        self.0.lock().books.insert(named(book), progress);
    }

    /// Has an event fail.
    pub(super) fn fail(&self, book: (&str, &str), sequence: u64) {
        let failure = Failure {
            sequence,
            attempts: 2,
            retry_at: at(1_000),
            error: "no".to_owned(),
        };
        let mut kept = self.0.lock();
        let progress = kept.books.entry(named(book)).or_default();
        progress.failures.push(failure);
    }

    /// Gives up on an event that is there.
    pub(super) fn bury(&self, group: &str, sequence: u64) {
        let mut kept = self.0.lock();
        let event = kept
            .events
            .iter()
            .find(|event| event.sequence == sequence)
            .unwrap();
        let letter = DeadLetter {
            group: Arc::from(group),
            event: event.clone(),
            attempts: 8,
            error: "the handler failed: it is poisoned".to_owned(),
            buried_at: at(500 + sequence),
        };
        kept.letters.insert(LetterId::of(&letter), letter);
    }

    /// Fails from here on.
    pub(super) fn break_down(&self) {
        self.0.lock().broken = true;
    }

    /// How far somebody has come.
    pub(super) fn cursor(&self, book: (&str, &str)) -> (u64, u64) {
        let kept = self.0.lock();
        let progress = &kept.books[&named(book)];
        (progress.generation, progress.cursor)
    }

    /// All events, as text.
    pub(super) fn told(&self) -> Vec<String> {
        let told = |event: &Event| {
            let payload = String::from_utf8_lossy(&event.payload);
            format!("{} {:?} {payload}", event.topic, event.key)
        };
        self.0.lock().events.iter().map(told).collect()
    }

    fn answer<'a, T: Send + 'a>(
        &self,
        answer: impl FnOnce(&mut Kept) -> T,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let mut kept = self.0.lock();
        let answer = if kept.broken {
            Err(StoreError::Unavailable("it is broken".to_owned()))
        } else {
            Ok(answer(&mut kept))
        };
        Box::pin(ready(answer))
    }
}

fn named((group, partition): (&str, &str)) -> Book {
    Book {
        group: Arc::from(group),
        partition: Arc::from(partition),
    }
}

impl Kept {
    fn parts(&self) -> Vec<Partition> {
        let parts = self.events.iter().map(|event| Arc::clone(&event.partition));
        parts.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn page(
        &self,
        partition: &Partition,
        topics: &[Arc<str>],
        after: u64,
        limit: usize,
    ) -> Vec<Event> {
        let is_asked = |event: &&Event| {
            event.partition == *partition
                && event.sequence > after
                && (topics.is_empty() || topics.contains(&event.topic))
        };
        let found = self.events.iter().filter(is_asked);
        found.take(limit).cloned().collect()
    }
}

impl EventLog for Log {
    fn partitions<'a>(
        &'a self,
        _: &'a Interest,
    ) -> BoxFuture<'a, Result<Vec<Partition>, StoreError>> {
        self.answer(|kept| kept.parts())
    }

    fn read<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        self.answer(|kept| kept.page(partition, &interest.topics, after, limit))
    }

    fn head<'a>(&'a self, _: &'a Book) -> BoxFuture<'a, Result<Head, StoreError>> {
        unreachable!()
    }

    fn progress<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Progress, StoreError>> {
        self.answer(|kept| kept.books.get(book).cloned().unwrap_or_default())
    }

    fn advance<'a>(&'a self, _: &'a Book, _: u64, _: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        unreachable!()
    }

    fn note_failure<'a>(
        &'a self,
        _: &'a Book,
        _: Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        unreachable!()
    }

    fn bury(&self, _: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>> {
        unreachable!()
    }
}

impl Archive for Log {
    fn topics(&self) -> BoxFuture<'_, Result<Vec<Topic>, StoreError>> {
        self.answer(|kept| {
            let mut counts: BTreeMap<Arc<str>, u64> = BTreeMap::new();
            for event in &kept.events {
                *counts.entry(Arc::clone(&event.topic)).or_default() += 1;
            }
            let topic = |(name, published)| Topic { name, published };
            counts.into_iter().map(topic).collect()
        })
    }

    fn parts(&self) -> BoxFuture<'_, Result<Vec<Partition>, StoreError>> {
        self.answer(|kept| kept.parts())
    }

    fn page<'a>(
        &'a self,
        partition: &'a Partition,
        topics: &'a [Arc<str>],
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        self.answer(|kept| kept.page(partition, topics, after, limit))
    }

    fn before<'a>(
        &'a self,
        partition: &'a Partition,
        at: SystemTime,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.answer(|kept| {
            let earlier = |event: &&Event| event.partition == *partition && event.recorded_at < at;
            let last = kept.events.iter().rfind(earlier);
            last.map_or(0, |event| event.sequence)
        })
    }

    fn behind<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Behind, StoreError>> {
        self.answer(|kept| {
            let book = named((&interest.group, partition));
            let progress = kept.books.get(&book).cloned().unwrap_or_default();
            let page = kept.page(partition, &interest.topics, progress.cursor, usize::MAX);
            let undone = page
                .iter()
                .filter(|event| !progress.handled.contains(&event.sequence));
            Behind {
                messages: undone.clone().count() as u64,
                oldest: undone.map(|event| event.recorded_at).min(),
            }
        })
    }

    fn dead_letters<'a>(
        &'a self,
        asked: &'a Letters,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, StoreError>> {
        self.answer(|kept| {
            let found = kept.letters.iter().filter(|(id, letter)| {
                asked
                    .group
                    .as_ref()
                    .is_none_or(|group| letter.group == *group)
                    && asked.after.as_ref().is_none_or(|after| *id > after)
            });
            let found = found.map(|(_, letter)| letter.clone());
            found.take(asked.limit).collect()
        })
    }

    fn dead_letter<'a>(
        &'a self,
        id: &'a LetterId,
    ) -> BoxFuture<'a, Result<Option<DeadLetter>, StoreError>> {
        self.answer(|kept| kept.letters.get(id).cloned())
    }

    fn redrive<'a>(
        &'a self,
        id: &'a LetterId,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.answer(|kept| {
            let Some(letter) = kept.letters.remove(id) else {
                return false;
            };
            let sequence = kept.events.iter().map(|event| event.sequence).max();
            kept.events.push(Event {
                sequence: sequence.unwrap_or_default() + 1,
                topic: NewEvent::topic_for(&letter.group),
                recorded_at: now,
                ..letter.event
            });
            true
        })
    }

    fn discard<'a>(&'a self, id: &'a LetterId) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.answer(|kept| kept.letters.remove(id).is_some())
    }

    fn rewind<'a>(&'a self, book: &'a Book, to: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        self.answer(|kept| {
            let progress = kept.books.entry(book.clone()).or_default();
            *progress = Progress {
                generation: progress.generation + 1,
                cursor: to,
                ..Progress::default()
            };
        })
    }

    fn trim<'a>(&'a self, _: &'a Partition, _: Keep) -> BoxFuture<'a, Result<u64, StoreError>> {
        unreachable!()
    }
}

impl Store for Log {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        unreachable!()
    }

    fn commit(&self, change: Change, now: SystemTime) -> BoxFuture<'_, Result<(), CommitError>> {
        let written = self.answer(|kept| {
            for event in change.events {
                kept.events.push(Event {
                    partition: Arc::from("log"),
                    sequence: kept.events.len() as u64 + 1,
                    topic: event.topic,
                    key: event.key,
                    payload: event.payload,
                    recorded_at: now,
                    trace: event.trace,
                });
            }
        });
        Box::pin(async { Ok(written.await?) })
    }
}

impl Nodes for Log {
    fn announce<'a>(
        &'a self,
        _: &'a Node,
        _: Duration,
    ) -> BoxFuture<'a, Result<Vec<Node>, StoreError>> {
        unreachable!()
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<Node>, StoreError>> {
        self.answer(|_| {
            vec![Node {
                id: "node_1".to_owned(),
                address: None,
                admin: Some("127.0.0.1:9090".to_owned()),
                components: vec![Served {
                    component: "cart".to_owned(),
                    revision: "c0ffee".to_owned(),
                }],
                load: 3,
                health: Health::Draining,
                epochs: vec![4],
                started_at: UNIX_EPOCH + Duration::from_secs(1),
                version: "0.1.0".to_owned(),
            }]
        })
    }

    fn leave<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        unreachable!()
    }

    fn next_epoch(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        unreachable!()
    }
}
