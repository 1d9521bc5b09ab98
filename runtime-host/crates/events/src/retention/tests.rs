use std::{
    future::ready,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    event::{
        Book, DeadLetter, Event, EventLog, Failure, Head, Interest, Partition, Progress,
        archive::{Archive, Behind, Keep, LetterId, Letters, Topic},
    },
    store::StoreError,
};

use super::Retention;

const DAY: Duration = Duration::from_hours(24);

fn now() -> SystemTime {
    UNIX_EPOCH + DAY * 100
}

/// A log of some partitions, on which some subscribers have come so far.
struct Log {
    parts: Vec<Partition>,
    books: Vec<(&'static str, &'static str, u64)>,
    trimmed: Mutex<Vec<(Partition, Keep)>>,
}

impl Log {
    fn new(parts: &[&str], books: &[(&'static str, &'static str, u64)]) -> Self {
        Self {
            parts: parts.iter().map(|part| Arc::from(*part)).collect(),
            books: books.to_vec(),
            trimmed: Mutex::default(),
        }
    }

    /// What was let go of: which partition, and up to where at most.
    async fn trimmed(&self, retention: Retention) -> Vec<(String, u64)> {
        let mut groups: Vec<_> = self.books.iter().map(|(group, ..)| *group).collect();
        groups.dedup();
        let interests: Vec<_> = groups
            .into_iter()
            .map(|group| Interest {
                group: Arc::from(group),
                topics: vec!["t".into()],
            })
            .collect();
        let gone = retention.trim(self, self, &interests, now()).await.unwrap();
        let trimmed = std::mem::take(&mut *self.trimmed.lock());
        assert_eq!(usize::try_from(gone).unwrap(), trimmed.len());
        trimmed
            .into_iter()
            .map(|(part, keep)| (part.to_string(), keep.after))
            .collect()
    }
}

fn done<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(ready(Ok(value)))
}

impl EventLog for Log {
    fn partitions<'a>(
        &'a self,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Vec<Partition>, StoreError>> {
        let of = self.books.iter().filter(|book| book.0 == &*interest.group);
        done(of.map(|book| Arc::from(book.1)).collect())
    }

    fn progress<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Progress, StoreError>> {
        let found = self
            .books
            .iter()
            .find(|one| one.0 == &*book.group && one.1 == &*book.partition);
        done(Progress {
            cursor: found.unwrap().2,
            ..Progress::default()
        })
    }

    fn read<'a>(
        &'a self,
        _: &'a Partition,
        _: &'a Interest,
        _: u64,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        unreachable!()
    }

    fn head<'a>(&'a self, _: &'a Book) -> BoxFuture<'a, Result<Head, StoreError>> {
        unreachable!()
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
    fn parts(&self) -> BoxFuture<'_, Result<Vec<Partition>, StoreError>> {
        done(self.parts.clone())
    }

    fn trim<'a>(
        &'a self,
        partition: &'a Partition,
        keep: Keep,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.trimmed.lock().push((Arc::clone(partition), keep));
        done(1)
    }

    fn topics(&self) -> BoxFuture<'_, Result<Vec<Topic>, StoreError>> {
        unreachable!()
    }

    fn page<'a>(
        &'a self,
        _: &'a Partition,
        _: &'a [Arc<str>],
        _: u64,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        unreachable!()
    }

    fn before<'a>(
        &'a self,
        _: &'a Partition,
        _: SystemTime,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        unreachable!()
    }

    fn behind<'a>(
        &'a self,
        _: &'a Partition,
        _: &'a Interest,
    ) -> BoxFuture<'a, Result<Behind, StoreError>> {
        unreachable!()
    }

    fn dead_letters<'a>(
        &'a self,
        _: &'a Letters,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, StoreError>> {
        unreachable!()
    }

    fn dead_letter<'a>(
        &'a self,
        _: &'a LetterId,
    ) -> BoxFuture<'a, Result<Option<DeadLetter>, StoreError>> {
        unreachable!()
    }

    fn redrive<'a>(
        &'a self,
        _: &'a LetterId,
        _: SystemTime,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        unreachable!()
    }

    fn discard<'a>(&'a self, _: &'a LetterId) -> BoxFuture<'a, Result<bool, StoreError>> {
        unreachable!()
    }

    fn rewind<'a>(&'a self, _: &'a Book, _: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        unreachable!()
    }
}

#[tokio::test]
async fn nothing_is_let_go_of_where_nobody_says_so() {
    let log = Log::new(&["log"], &[("cart", "log", 7)]);
    assert_eq!(log.trimmed(Retention::default()).await, []);
}

#[tokio::test]
async fn the_slowest_subscriber_of_each_partition_is_waited_for() {
    let log = Log::new(
        &["a", "b", "c", "d"],
        &[
            ("cart", "a", 7),
            ("cart", "b", 9),
            ("stock", "a", 5),
            ("stock", "b", 11),
            ("stock", "d", 0),
        ],
    );
    let retention = Retention {
        age: Some(DAY),
        bytes: None,
    };
    let expected = [("a", 5), ("b", 9), ("c", u64::MAX)];
    let expected = expected.map(|(part, after)| (part.to_owned(), after));
    assert_eq!(log.trimmed(retention).await, expected);
}

#[test]
fn ages_count_back_from_now_and_bytes_are_shared_by_the_partitions() {
    let keep = |age, bytes| Retention { age, bytes }.keep(7, 4, now());
    let expected = Keep {
        after: 7,
        since: Some(UNIX_EPOCH + DAY * 70),
        bytes: Some(25),
    };
    assert_eq!(keep(Some(DAY * 30), Some(100)), expected);
    let none = Keep {
        after: 7,
        since: None,
        bytes: None,
    };
    assert_eq!(keep(None, None), none);
    // Longer than time has gone on.
    assert_eq!(keep(Some(Duration::MAX), None).since, Some(UNIX_EPOCH));
}
