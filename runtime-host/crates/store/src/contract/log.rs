//! Events: their numbers, their readers, and the books of the subscribers.

use std::{collections::BTreeSet, sync::Arc};

use skald_core::{
    context::{InboxMark, TraceContext},
    event::{
        Book, DeadLetter, Event, EventLog, Failure, Interest, NewEvent, Partition, Progress,
        archive::Archive,
    },
    store::{Change, CommitError, Store},
};

use super::{archive::letters, at, book, commit, event, handle, publish};

/// Somebody who wants to hear these topics.
pub(crate) fn interest(group: &str, topics: &[&str]) -> Interest {
    Interest {
        group: Arc::from(group),
        topics: topics.iter().map(|name| Arc::from(*name)).collect(),
    }
}

/// The partition that the events of the suite are in: they all have one key. Any of them as long as there are none.
pub(crate) async fn part(store: &impl EventLog) -> Partition {
    let parts = store
        .partitions(&interest("cart", &["t", "u", "v"]))
        .await
        .unwrap();
    for part in &parts {
        if store.head(&book("cart", part)).await.unwrap().newest > 0 {
            return Arc::clone(part);
        }
    }
    Arc::clone(&parts[0])
}

/// The number of the newest event.
pub(crate) async fn newest(store: &impl EventLog) -> u64 {
    let book = book("cart", &part(store).await);
    store.head(&book).await.unwrap().newest
}

pub(crate) async fn read(
    store: &impl EventLog,
    of: &[&str],
    after: u64,
    limit: usize,
) -> Vec<Event> {
    let part = part(store).await;
    store
        .read(&part, &interest("cart", of), after, limit)
        .await
        .unwrap()
}

pub(crate) async fn payloads(
    store: &impl EventLog,
    of: &[&str],
    after: u64,
    limit: usize,
) -> Vec<String> {
    let events = read(store, of, after, limit).await;
    events.iter().map(payload).collect()
}

pub(crate) fn payload(event: &Event) -> String {
    String::from_utf8(event.payload.to_vec()).unwrap()
}

/// Publishes `count` events and answers with their numbers.
pub(crate) async fn published<S: Store + EventLog>(store: &S, count: usize) -> Vec<u64> {
    for n in 0..count {
        commit(store, publish(&[event("t", &n.to_string())])).await;
    }
    let events = read(store, &["t"], 0, count).await;
    events.iter().map(|event| event.sequence).collect()
}

fn failure(sequence: u64, attempts: u32) -> Failure {
    Failure {
        sequence,
        attempts,
        retry_at: at(attempts.into()),
        error: format!("failure {attempts}"),
    }
}

pub(crate) async fn letter(store: &impl EventLog, group: &str, sequence: u64) -> DeadLetter {
    let event = read(store, &["t"], sequence - 1, 1).await.remove(0);
    DeadLetter {
        group: Arc::from(group),
        event,
        attempts: 8,
        error: "gave up".to_owned(),
        buried_at: at(9),
    }
}

async fn already_handled(store: &impl Store, book: &Book, sequence: u64) {
    let outcome = store.commit(handle(book, sequence), at(0)).await;
    assert!(
        matches!(outcome, Err(CommitError::AlreadyHandled(_))),
        "{book} {sequence}: {outcome:?}"
    );
}

/// In one unit in the order of publication, and later units after earlier ones.
pub async fn events_are_numbered_in_the_order_of_their_commits<S: Store + EventLog>(store: Arc<S>) {
    commit(
        &*store,
        publish(&[event("t", "a"), event("u", "b"), event("t", "c")]),
    )
    .await;
    commit(&*store, publish(&[event("t", "d")])).await;
    let events = read(&*store, &["t", "u"], 0, 10).await;
    assert!(events.is_sorted_by(|one, next| one.sequence < next.sequence));
    assert_eq!(
        payloads(&*store, &["u", "t"], 0, 10).await,
        ["a", "b", "c", "d"]
    );
    assert_eq!(newest(&*store).await, events.last().unwrap().sequence);
}

/// With all that is known of it.
pub async fn an_event_is_read_as_it_was_published<S: Store + EventLog>(store: Arc<S>) {
    let plain = event("t", "{\"subject\": \"ü\"}");
    let untraced = TraceContext {
        trace_id: 0,
        span_id: 0,
        sampled: false,
    };
    let bare = NewEvent {
        payload: Vec::new().into(),
        trace: untraced,
        ..event("t", "")
    };
    store
        .commit(publish(&[plain.clone(), bare.clone()]), at(42))
        .await
        .unwrap();
    let partition = part(&*store).await;
    let read = read(&*store, &["t"], 0, 10).await;
    let expected = |event: NewEvent, sequence| Event {
        partition: Arc::clone(&partition),
        sequence,
        topic: event.topic,
        key: event.key,
        payload: event.payload,
        recorded_at: at(42),
        trace: event.trace,
    };
    assert_eq!(
        read,
        [
            expected(plain, read[0].sequence),
            expected(bare, read[1].sequence)
        ]
    );
}

/// What is asked for, no more, the oldest first.
pub async fn the_log_is_read_by_topic_and_in_pages<S: Store + EventLog>(store: Arc<S>) {
    for n in 0..6 {
        let topic = ["t", "u", "v"][n % 3];
        commit(&*store, publish(&[event(topic, &format!("{topic}{n}"))])).await;
    }
    assert_eq!(payloads(&*store, &["t"], 0, 10).await, ["t0", "t3"]);
    assert_eq!(
        payloads(&*store, &["v", "t"], 0, 3).await,
        ["t0", "v2", "t3"]
    );
    assert_eq!(
        payloads(&*store, &["t", "t", "never"], 0, 10).await,
        ["t0", "t3"]
    );
    assert!(payloads(&*store, &[], 0, 10).await.is_empty());
    assert!(payloads(&*store, &["t"], 0, 0).await.is_empty());
    let third = read(&*store, &["t", "u", "v"], 0, 3).await[2].sequence;
    assert_eq!(
        payloads(&*store, &["t", "u", "v"], third, 10).await,
        ["t3", "u4", "v5"]
    );
    for end in [newest(&*store).await, u64::MAX] {
        let beyond = payloads(&*store, &["t", "u", "v"], end, 10).await;
        assert!(beyond.is_empty());
    }
}

/// The mark commits with the unit; groups do not know each other.
pub async fn an_event_is_handled_once_by_each_group<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 2).await;
    let part = part(&*store).await;
    let (cart, stock) = (book("cart", &part), book("stock", &part));
    commit(&*store, handle(&cart, numbers[1])).await;
    already_handled(&*store, &cart, numbers[1]).await;
    commit(&*store, handle(&stock, numbers[1])).await;
    commit(&*store, handle(&cart, numbers[0])).await;
    let progress = store.progress(&cart).await.unwrap();
    assert_eq!(
        progress,
        Progress {
            handled: numbers.into_iter().collect(),
            ..Progress::default()
        }
    );
    let nobody = book("nobody", &part);
    assert_eq!(store.progress(&nobody).await.unwrap(), Progress::default());
}

/// The marks are gone, and still nothing is handled twice.
pub async fn what_is_before_the_cursor_was_handled<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    let part = part(&*store).await;
    let (cart, stock) = (book("cart", &part), book("stock", &part));
    for number in &numbers {
        commit(&*store, handle(&cart, *number)).await;
    }
    store
        .note_failure(&stock, failure(numbers[0], 1))
        .await
        .unwrap();
    store.advance(&cart, 0, numbers[1]).await.unwrap();
    let progress = store.progress(&cart).await.unwrap();
    assert_eq!(progress.cursor, numbers[1]);
    assert_eq!(progress.handled, BTreeSet::from([numbers[2]]));
    already_handled(&*store, &cart, numbers[0]).await;
    already_handled(&*store, &cart, numbers[1]).await;
    assert_eq!(store.progress(&stock).await.unwrap().failures.len(), 1);
}

/// A late or doubled step does no harm.
pub async fn the_cursor_never_goes_back<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    let cart = book("cart", &part(&*store).await);
    store.advance(&cart, 0, numbers[2]).await.unwrap();
    store.advance(&cart, 0, numbers[0]).await.unwrap();
    assert_eq!(store.progress(&cart).await.unwrap().cursor, numbers[2]);
    already_handled(&*store, &cart, numbers[1]).await;
}

/// The last failure of an event is what counts.
pub async fn a_failure_is_kept_until_the_event_is_handled<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    let cart = book("cart", &part(&*store).await);
    for (number, attempts) in [
        (numbers[2], 1),
        (numbers[0], 1),
        (numbers[0], 2),
        (numbers[1], 5),
    ] {
        store
            .note_failure(&cart, failure(number, attempts))
            .await
            .unwrap();
    }
    let failures = store.progress(&cart).await.unwrap().failures;
    assert_eq!(
        failures,
        [
            failure(numbers[0], 2),
            failure(numbers[1], 5),
            failure(numbers[2], 1)
        ]
    );
    commit(&*store, handle(&cart, numbers[0])).await;
    assert_eq!(store.progress(&cart).await.unwrap().failures.len(), 2);
    store.advance(&cart, 0, numbers[1]).await.unwrap();
    assert_eq!(
        store.progress(&cart).await.unwrap().failures,
        [failure(numbers[2], 1)]
    );
}

/// Whole, for a person to look at.
pub async fn a_buried_event_is_handled_and_kept<S: Store + EventLog + Archive>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    let cart = book("cart", &part(&*store).await);
    store
        .note_failure(&cart, failure(numbers[1], 7))
        .await
        .unwrap();
    let first = letter(&*store, "cart", numbers[1]).await;
    let second = letter(&*store, "stock", numbers[0]).await;
    store.bury(first.clone()).await.unwrap();
    store.bury(second.clone()).await.unwrap();
    let progress = store.progress(&cart).await.unwrap();
    assert_eq!(
        (progress.handled, progress.failures),
        (BTreeSet::from([numbers[1]]), Vec::new())
    );
    already_handled(&*store, &cart, numbers[1]).await;
    // A second burial of the same event is none.
    store.bury(first.clone()).await.unwrap();
    assert_eq!(letters(&*store).await, [first, second]);
}

/// An answer that came too late does not undo what was done.
pub async fn what_was_handled_neither_fails_nor_dies<S: Store + EventLog + Archive>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    let cart = book("cart", &part(&*store).await);
    commit(&*store, handle(&cart, numbers[1])).await;
    store.advance(&cart, 0, numbers[0]).await.unwrap();
    for number in &numbers[..2] {
        store
            .note_failure(&cart, failure(*number, 1))
            .await
            .unwrap();
        store
            .bury(letter(&*store, "cart", *number).await)
            .await
            .unwrap();
    }
    assert!(store.progress(&cart).await.unwrap().failures.is_empty());
    assert!(letters(&*store).await.is_empty());
}

fn handle_in(generation: u64, book: &Book, sequence: u64) -> Change {
    Change {
        inbox: Some(InboxMark {
            book: book.clone(),
            generation,
            sequence,
        }),
        ..Change::default()
    }
}

/// As if it had never been there; and others are not concerned.
pub async fn a_subscriber_that_was_sent_back_hears_all_of_it_again<
    S: Store + EventLog + Archive,
>(
    store: Arc<S>,
) {
    let numbers = published(&*store, 3).await;
    let part = part(&*store).await;
    let (cart, stock) = (book("cart", &part), book("stock", &part));
    for book in [&cart, &stock] {
        commit(&*store, handle(book, numbers[2])).await;
        store.advance(book, 0, numbers[1]).await.unwrap();
    }
    store.rewind(&cart, numbers[0]).await.unwrap();
    let progress = store.progress(&cart).await.unwrap();
    let sent_back = Progress {
        generation: 1,
        cursor: numbers[0],
        ..Progress::default()
    };
    assert_eq!(progress, sent_back);
    assert_eq!(store.head(&cart).await.unwrap().generation, 1);
    already_handled(&*store, &cart, numbers[0]).await;
    commit(&*store, handle_in(1, &cart, numbers[1])).await;
    commit(&*store, handle_in(1, &cart, numbers[2])).await;
    assert_eq!(store.progress(&stock).await.unwrap().cursor, numbers[1]);
    assert_eq!(store.head(&stock).await.unwrap().generation, 0);
    store.rewind(&cart, 0).await.unwrap();
    assert_eq!(store.head(&cart).await.unwrap().generation, 2);
    commit(&*store, handle_in(2, &cart, numbers[0])).await;
}

/// Neither its effect nor its cursor.
pub async fn what_was_begun_before_a_subscriber_was_sent_back_comes_too_late<
    S: Store + EventLog + Archive,
>(
    store: Arc<S>,
) {
    let numbers = published(&*store, 2).await;
    let cart = book("cart", &part(&*store).await);
    store.rewind(&cart, 0).await.unwrap();
    already_handled(&*store, &cart, numbers[0]).await;
    store.advance(&cart, 0, numbers[1]).await.unwrap();
    assert_eq!(store.progress(&cart).await.unwrap().cursor, 0);
    store.advance(&cart, 1, numbers[0]).await.unwrap();
    assert_eq!(store.progress(&cart).await.unwrap().cursor, numbers[0]);
}
