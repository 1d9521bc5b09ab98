//! Events: their numbers, their readers, and the books of the subscribers.

use std::{collections::BTreeSet, sync::Arc};

use skald_core::{
    context::TraceContext,
    event::{DeadLetter, Event, EventLog, Failure, NewEvent, Progress},
    store::{CommitError, Store},
};

use super::{at, commit, event, handle, publish};

fn topics(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

async fn payloads(store: &impl EventLog, of: &[&str], after: u64, limit: usize) -> Vec<String> {
    let events = store.read(&topics(of), after, limit).await.unwrap();
    events
        .into_iter()
        .map(|event| String::from_utf8(event.payload.to_vec()).unwrap())
        .collect()
}

/// Publishes `count` events and answers with their numbers.
async fn published<S: Store + EventLog>(store: &S, count: usize) -> Vec<u64> {
    for n in 0..count {
        commit(store, publish(&[event("t", &n.to_string())])).await;
    }
    store
        .read(&topics(&["t"]), 0, count)
        .await
        .unwrap()
        .iter()
        .map(|event| event.sequence)
        .collect()
}

fn failure(sequence: u64, attempts: u32) -> Failure {
    Failure {
        sequence,
        attempts,
        retry_at: at(attempts.into()),
        error: format!("failure {attempts}"),
    }
}

async fn letter(store: &impl EventLog, group: &str, sequence: u64) -> DeadLetter {
    let event = store
        .read(&topics(&["t"]), sequence - 1, 1)
        .await
        .unwrap()
        .remove(0);
    DeadLetter {
        group: Arc::from(group),
        event,
        attempts: 8,
        error: "gave up".to_owned(),
        buried_at: at(9),
    }
}

async fn already_handled(store: &impl Store, group: &str, sequence: u64) {
    let outcome = store.commit(handle(group, sequence), at(0)).await;
    assert!(
        matches!(outcome, Err(CommitError::AlreadyHandled(_))),
        "{group} {sequence}: {outcome:?}"
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
    let events = store.read(&topics(&["t", "u"]), 0, 10).await.unwrap();
    assert!(events.is_sorted_by(|one, next| one.sequence < next.sequence));
    assert_eq!(
        payloads(&*store, &["u", "t"], 0, 10).await,
        ["a", "b", "c", "d"]
    );
    assert_eq!(store.head().await.unwrap(), events.last().unwrap().sequence);
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
        key: String::new(),
        payload: Vec::new().into(),
        trace: untraced,
        ..event("t", "")
    };
    store
        .commit(publish(&[plain.clone(), bare.clone()]), at(42))
        .await
        .unwrap();
    let read = store.read(&topics(&["t"]), 0, 10).await.unwrap();
    let expected = |event: NewEvent, sequence| Event {
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
    let third = store.read(&topics(&["t", "u", "v"]), 0, 3).await.unwrap()[2].sequence;
    assert_eq!(
        payloads(&*store, &["t", "u", "v"], third, 10).await,
        ["t3", "u4", "v5"]
    );
    let head = store.head().await.unwrap();
    assert!(
        payloads(&*store, &["t", "u", "v"], head, 10)
            .await
            .is_empty()
    );
    assert!(
        payloads(&*store, &["t", "u", "v"], u64::MAX, 10)
            .await
            .is_empty()
    );
}

/// The mark commits with the unit; groups do not know each other.
pub async fn an_event_is_handled_once_by_each_group<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 2).await;
    commit(&*store, handle("cart", numbers[1])).await;
    already_handled(&*store, "cart", numbers[1]).await;
    commit(&*store, handle("stock", numbers[1])).await;
    commit(&*store, handle("cart", numbers[0])).await;
    let progress = store.progress("cart").await.unwrap();
    assert_eq!(
        progress,
        Progress {
            cursor: 0,
            handled: numbers.into_iter().collect(),
            failures: Vec::new()
        }
    );
    assert_eq!(store.progress("nobody").await.unwrap(), Progress::default());
}

/// The marks are gone, and still nothing is handled twice.
pub async fn what_is_before_the_cursor_was_handled<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    for number in &numbers {
        commit(&*store, handle("cart", *number)).await;
    }
    store
        .note_failure("stock", failure(numbers[0], 1))
        .await
        .unwrap();
    store.advance("cart", numbers[1]).await.unwrap();
    let progress = store.progress("cart").await.unwrap();
    assert_eq!(progress.cursor, numbers[1]);
    assert_eq!(progress.handled, BTreeSet::from([numbers[2]]));
    already_handled(&*store, "cart", numbers[0]).await;
    already_handled(&*store, "cart", numbers[1]).await;
    assert_eq!(store.progress("stock").await.unwrap().failures.len(), 1);
}

/// A late or doubled step does no harm.
pub async fn the_cursor_never_goes_back<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    store.advance("cart", numbers[2]).await.unwrap();
    store.advance("cart", numbers[0]).await.unwrap();
    assert_eq!(store.progress("cart").await.unwrap().cursor, numbers[2]);
    already_handled(&*store, "cart", numbers[1]).await;
}

/// The last failure of an event is what counts.
pub async fn a_failure_is_kept_until_the_event_is_handled<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    for (number, attempts) in [
        (numbers[2], 1),
        (numbers[0], 1),
        (numbers[0], 2),
        (numbers[1], 5),
    ] {
        store
            .note_failure("cart", failure(number, attempts))
            .await
            .unwrap();
    }
    let failures = store.progress("cart").await.unwrap().failures;
    assert_eq!(
        failures,
        [
            failure(numbers[0], 2),
            failure(numbers[1], 5),
            failure(numbers[2], 1)
        ]
    );
    commit(&*store, handle("cart", numbers[0])).await;
    assert_eq!(store.progress("cart").await.unwrap().failures.len(), 2);
    store.advance("cart", numbers[1]).await.unwrap();
    assert_eq!(
        store.progress("cart").await.unwrap().failures,
        [failure(numbers[2], 1)]
    );
}

/// Whole, for a person to look at.
pub async fn a_buried_event_is_handled_and_kept<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    store
        .note_failure("cart", failure(numbers[1], 7))
        .await
        .unwrap();
    let first = letter(&*store, "cart", numbers[1]).await;
    let second = letter(&*store, "stock", numbers[0]).await;
    store.bury(first.clone()).await.unwrap();
    store.bury(second.clone()).await.unwrap();
    let progress = store.progress("cart").await.unwrap();
    assert_eq!(
        (progress.handled, progress.failures),
        (BTreeSet::from([numbers[1]]), Vec::new())
    );
    already_handled(&*store, "cart", numbers[1]).await;
    // A second burial of the same event is none.
    store.bury(first.clone()).await.unwrap();
    assert_eq!(
        store.dead_letters(10).await.unwrap(),
        [first.clone(), second]
    );
    assert_eq!(store.dead_letters(1).await.unwrap(), [first]);
}

/// An answer that came too late does not undo what was done.
pub async fn what_was_handled_neither_fails_nor_dies<S: Store + EventLog>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    commit(&*store, handle("cart", numbers[1])).await;
    store.advance("cart", numbers[0]).await.unwrap();
    for number in &numbers[..2] {
        store
            .note_failure("cart", failure(*number, 1))
            .await
            .unwrap();
        store
            .bury(letter(&*store, "cart", *number).await)
            .await
            .unwrap();
    }
    assert!(store.progress("cart").await.unwrap().failures.is_empty());
    assert!(store.dead_letters(10).await.unwrap().is_empty());
}
