//! The log and the books of one group, in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    event::{Book, DeadLetter, Event, EventLog, Failure, Head, Interest, Partition, Progress},
    store::StoreError,
};

use super::TOPIC;

#[derive(Default)]
pub(crate) struct FakeLog(Mutex<Books>);

#[derive(Default)]
pub(crate) struct Books {
    pub(crate) events: Vec<Event>,
    pub(crate) cursor: u64,
    pub(crate) generation: u64,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) handled: BTreeSet<u64>,
    pub(crate) failures: BTreeMap<u64, Failure>,
    pub(crate) broken: bool,
    noted: Vec<(u64, u32)>,
    dead: Vec<DeadLetter>,
    broken_operation: Option<&'static str>,
    counts: HashMap<&'static str, usize>,
}

impl FakeLog {
    pub(crate) fn edit<T>(&self, edit: impl FnOnce(&mut Books) -> T) -> T {
        edit(&mut self.0.lock())
    }

    pub(crate) fn event(&self, sequence: u64) -> Event {
        self.edit(|books| books.events[usize::try_from(sequence).unwrap() - 1].clone())
    }

    pub(crate) fn dead(&self) -> Vec<DeadLetter> {
        self.edit(|books| books.dead.clone())
    }

    pub(crate) fn noted(&self) -> Vec<(u64, u32)> {
        self.edit(|books| books.noted.clone())
    }

    pub(crate) fn cursor(&self) -> u64 {
        self.edit(|books| books.cursor)
    }

    /// How often an operation was asked for.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.edit(|books| books.counts.get(operation).copied().unwrap_or_default())
    }

    pub(crate) fn break_operation(&self, operation: &'static str) {
        self.edit(|books| books.broken_operation = Some(operation));
    }

    pub(crate) fn repair(&self) {
        self.edit(|books| books.broken_operation = None);
    }

    fn answer<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        act: impl FnOnce(&mut Books) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mut books = self.0.lock();
            *books.counts.entry(operation).or_default() += 1;
            if books.broken || books.broken_operation == Some(operation) {
                return Err(StoreError::Unavailable(operation.to_owned()));
            }
            Ok(act(&mut books))
        })
    }
}

impl EventLog for FakeLog {
    fn partitions<'a>(
        &'a self,
        _interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Vec<Partition>, StoreError>> {
        self.answer("partitions", |books| books.partitions.clone())
    }

    fn read<'a>(
        &'a self,
        _partition: &'a Partition,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        self.answer("read", move |books| {
            let after = books.events.iter().skip(usize::try_from(after).unwrap());
            after
                .filter(|event| interest.topics.contains(&event.topic))
                .take(limit)
                .cloned()
                .collect()
        })
    }

    fn head<'a>(&'a self, _book: &'a Book) -> BoxFuture<'a, Result<Head, StoreError>> {
        self.answer("head", |books| Head {
            newest: books.events.last().map_or(0, |event| event.sequence),
            generation: books.generation,
        })
    }

    fn progress<'a>(&'a self, _book: &'a Book) -> BoxFuture<'a, Result<Progress, StoreError>> {
        self.answer("progress", |books| Progress {
            generation: books.generation,
            cursor: books.cursor,
            handled: books.handled.clone(),
            failures: books.failures.values().cloned().collect(),
        })
    }

    fn advance<'a>(
        &'a self,
        _: &'a Book,
        generation: u64,
        cursor: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.answer("advance", move |books| {
            if generation != books.generation {
                return;
            }
            assert!(cursor > books.cursor, "the cursor only goes forward");
            let passed = books.cursor + 1..=cursor;
            for event in books.events.iter().filter(|event| &*event.topic == TOPIC) {
                let undone =
                    passed.contains(&event.sequence) && !books.handled.contains(&event.sequence);
                assert!(!undone, "the cursor passes {}", event.sequence);
            }
            books.cursor = cursor;
            books.handled.retain(|sequence| *sequence > cursor);
            books.failures.retain(|sequence, _| *sequence > cursor);
        })
    }

    fn note_failure<'a>(
        &'a self,
        _: &'a Book,
        failure: Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.answer("note_failure", move |books| {
            assert!(failure.sequence > books.cursor && !books.handled.contains(&failure.sequence));
            books.noted.push((failure.sequence, failure.attempts));
            books.failures.insert(failure.sequence, failure);
        })
    }

    fn bury(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>> {
        self.answer("bury", move |books| {
            books.handled.insert(letter.event.sequence);
            books.dead.push(letter);
        })
    }
}
