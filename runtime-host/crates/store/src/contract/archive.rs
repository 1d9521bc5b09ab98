//! The log for people and chores.

use std::sync::Arc;

use skald_core::{
    event::{
        DeadLetter, EventLog,
        archive::{Archive, Behind, Keep, LetterId, Letters, Topic},
    },
    store::Store,
};

use super::{
    at, book, commit, event, handle,
    log::{interest, letter, newest, part, payload, payloads, published, read},
    publish,
};

/// All dead letters.
pub(crate) async fn letters(store: &impl Archive) -> Vec<DeadLetter> {
    let all = Letters {
        limit: 100,
        ..Letters::default()
    };
    store.dead_letters(&all).await.unwrap()
}

/// Publishes one event of each payload, a second apart.
async fn each_second<S: Store + EventLog>(store: &S, payloads: &[&str]) -> Vec<u64> {
    for (second, payload) in (1..).zip(payloads) {
        let change = publish(&[event("t", payload)]);
        store.commit(change, at(second * 1_000)).await.unwrap();
    }
    let events = read(store, &["t"], 0, payloads.len()).await;
    events.iter().map(|event| event.sequence).collect()
}

const EVERYTHING: Keep = Keep {
    after: 0,
    since: None,
    bytes: None,
};

/// By name; what is for one subscriber alone is no topic.
pub async fn topics_are_counted_also_when_their_events_are_gone<S: Store + EventLog + Archive>(
    store: Arc<S>,
) {
    assert!(store.topics().await.unwrap().is_empty());
    let numbers = published(&*store, 3).await;
    commit(&*store, publish(&[event("a", "1"), event("t", "3")])).await;
    let dead = letter(&*store, "cart", numbers[1]).await;
    store.bury(dead.clone()).await.unwrap();
    store.redrive(&LetterId::of(&dead), at(0)).await.unwrap();
    let part = part(&*store).await;
    let all = Keep {
        after: u64::MAX,
        since: Some(at(1_000_000)),
        bytes: None,
    };
    let topic = |name: &str, published| Topic {
        name: Arc::from(name),
        published,
    };
    let expected = [topic("a", 1), topic("t", 4)];
    assert_eq!(store.topics().await.unwrap(), expected);
    store.trim(&part, all).await.unwrap();
    assert_eq!(store.topics().await.unwrap(), expected);
    assert!(payloads(&*store, &["t", "a"], 0, 10).await.is_empty());
}

/// Of all topics where none is named.
pub async fn a_page_has_what_is_asked_for<S: Store + EventLog + Archive>(store: Arc<S>) {
    commit(
        &*store,
        publish(&[event("t", "a"), event("u", "b"), event("t", "c")]),
    )
    .await;
    let part = part(&*store).await;
    assert!(store.parts().await.unwrap().contains(&part));
    let page = async |topics: &[Arc<str>], after, limit| {
        let page = store.page(&part, topics, after, limit).await.unwrap();
        page.iter().map(payload).collect::<Vec<_>>()
    };
    assert_eq!(page(&[], 0, 10).await, ["a", "b", "c"]);
    assert_eq!(page(&[], 0, 2).await, ["a", "b"]);
    assert_eq!(page(&["t".into()], 0, 10).await, ["a", "c"]);
    let first = read(&*store, &["t"], 0, 1).await[0].sequence;
    assert_eq!(page(&[], first, 10).await, ["b", "c"]);
    assert!(page(&[], newest(&*store).await, 10).await.is_empty());
}

/// Exactly.
pub async fn the_last_event_before_a_time_is_found<S: Store + EventLog + Archive>(store: Arc<S>) {
    let numbers = each_second(&*store, &["1", "2", "3", "4", "5"]).await;
    let part = part(&*store).await;
    let before = async |at| store.before(&part, at).await.unwrap();
    assert_eq!(before(at(0)).await, 0);
    assert_eq!(before(at(1_000)).await, 0);
    assert_eq!(before(at(1_001)).await, numbers[0]);
    assert_eq!(before(at(3_000)).await, numbers[1]);
    assert_eq!(before(at(3_500)).await, numbers[2]);
    assert_eq!(before(at(99_000)).await, numbers[4]);
}

/// What it does not want to hear, and what it has done, does not count.
pub async fn what_a_subscriber_is_behind_is_counted<S: Store + EventLog + Archive>(store: Arc<S>) {
    let numbers = each_second(&*store, &["1", "2", "3", "4"]).await;
    commit(&*store, publish(&[event("u", "other")])).await;
    let part = part(&*store).await;
    let cart = book("cart", &part);
    let wants = interest("cart", &["t"]);
    let behind = async || store.behind(&part, &wants).await.unwrap();
    let expected = |messages, second: u64| Behind {
        messages,
        oldest: Some(at(second * 1_000)),
    };
    assert_eq!(behind().await, expected(4, 1));
    commit(&*store, handle(&cart, numbers[2])).await;
    assert_eq!(behind().await, expected(3, 1));
    store.advance(&cart, 0, numbers[0]).await.unwrap();
    assert_eq!(behind().await, expected(2, 2));
    store
        .advance(&cart, 0, newest(&*store).await)
        .await
        .unwrap();
    assert_eq!(behind().await, Behind::default());
}

/// By subscriber and number.
pub async fn dead_letters_come_in_order_and_in_pages<S: Store + EventLog + Archive>(store: Arc<S>) {
    let numbers = published(&*store, 3).await;
    let mut expected = Vec::new();
    for (group, number) in [("cart", 0), ("cart", 2), ("stock", 1)] {
        expected.push(letter(&*store, group, numbers[number]).await);
    }
    for letter in expected.iter().rev() {
        store.bury(letter.clone()).await.unwrap();
    }
    assert_eq!(letters(&*store).await, expected);
    let ask = async |group: Option<&str>, after: Option<&DeadLetter>, limit| {
        let asked = Letters {
            group: group.map(Arc::from),
            after: after.map(LetterId::of),
            limit,
        };
        store.dead_letters(&asked).await.unwrap()
    };
    assert_eq!(ask(None, None, 2).await, expected[..2]);
    assert_eq!(ask(None, Some(&expected[0]), 5).await, expected[1..]);
    assert_eq!(ask(Some("stock"), None, 5).await, expected[2..]);
    assert_eq!(
        ask(Some("cart"), Some(&expected[0]), 5).await,
        expected[1..2]
    );
    assert!(ask(Some("nobody"), None, 5).await.is_empty());
    for letter in &expected {
        let id = LetterId::of(letter);
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_eq!(store.dead_letter(&id).await.unwrap().as_ref(), Some(letter));
    }
}

/// Behind all that is in the log, as it was, and once.
pub async fn a_dead_letter_that_is_redriven_is_delivered_to_its_subscriber_alone<
    S: Store + EventLog + Archive,
>(
    store: Arc<S>,
) {
    let numbers = published(&*store, 2).await;
    let dead = letter(&*store, "cart", numbers[0]).await;
    store.bury(dead.clone()).await.unwrap();
    let id = LetterId::of(&dead);
    assert!(store.redrive(&id, at(7)).await.unwrap());
    assert!(!store.redrive(&id, at(8)).await.unwrap());
    assert!(letters(&*store).await.is_empty());
    let mut heard = Vec::new();
    for group in ["cart", "stock"] {
        let wants = interest(group, &["t"]);
        let mut events = Vec::new();
        for part in store.partitions(&wants).await.unwrap() {
            events.extend(store.read(&part, &wants, 0, 10).await.unwrap());
        }
        events.retain(|event| event.recorded_at == at(7));
        heard.push(events);
    }
    let again = heard[0][0].clone();
    assert_eq!((heard[0].len(), heard[1].len()), (1, 0));
    assert_eq!(
        (&again.topic, &again.key, &again.payload, again.trace),
        (
            &dead.event.topic,
            &dead.event.key,
            &dead.event.payload,
            dead.event.trace
        )
    );
    commit(
        &*store,
        handle(&book("cart", &again.partition), again.sequence),
    )
    .await;
}

/// And no other.
pub async fn a_dead_letter_that_is_discarded_is_gone<S: Store + EventLog + Archive>(store: Arc<S>) {
    let numbers = published(&*store, 2).await;
    let mut dead = Vec::new();
    for number in numbers {
        dead.push(letter(&*store, "cart", number).await);
        store.bury(dead.last().unwrap().clone()).await.unwrap();
    }
    let id = LetterId::of(&dead[0]);
    assert!(store.discard(&id).await.unwrap());
    assert!(!store.discard(&id).await.unwrap());
    assert_eq!(store.dead_letter(&id).await.unwrap(), None);
    assert_eq!(letters(&*store).await, dead[1..]);
}

/// Neither what comes after the slowest subscriber, nor what is young, nor what is few.
pub async fn nothing_is_trimmed_that_is_to_be_kept<S: Store + EventLog + Archive>(store: Arc<S>) {
    let ten = ["0123456789"; 6];
    let numbers = each_second(&*store, &ten).await;
    let part = part(&*store).await;
    let trim = async |keep| store.trim(&part, keep).await.unwrap();
    let kept = async || read(&*store, &["t"], 0, 10).await.len();
    assert_eq!(trim(EVERYTHING).await, 0);
    let no_reason = Keep {
        after: numbers[5],
        ..EVERYTHING
    };
    assert_eq!(trim(no_reason).await, 0);
    let old = Keep {
        since: Some(at(3_000)),
        ..EVERYTHING
    };
    assert_eq!(trim(old).await, 0);
    let slow = Keep {
        after: numbers[0],
        ..old
    };
    assert_eq!((trim(slow).await, kept().await), (1, 5));
    let fast = Keep {
        after: numbers[5],
        ..old
    };
    assert_eq!((trim(fast).await, kept().await), (1, 4));
    let few = Keep {
        bytes: Some(35),
        ..no_reason
    };
    assert_eq!((trim(few).await, kept().await), (1, 3));
    assert_eq!(newest(&*store).await, numbers[5]);
}

/// Past what it does not want to hear, and it hears when it is sent back.
pub async fn a_subscriber_reads_on_to_the_end_of_what_there_is<S: Store + EventLog + Archive>(
    store: Arc<S>,
) {
    let numbers = published(&*store, 4).await;
    commit(&*store, publish(&[event("u", "unwanted")])).await;
    let end = newest(&*store).await;
    let cart = book("cart", &part(&*store).await);
    let wants = interest("cart", &["t"]);
    let on = async |after, limit| {
        let stretch = store.read_on(&cart, &wants, after, limit).await.unwrap();
        let events: Vec<_> = stretch.events.iter().map(|event| event.sequence).collect();
        (events, stretch.to, stretch.has_more, stretch.generation)
    };
    assert_eq!(on(0, 2).await, (numbers[..2].to_vec(), numbers[1], true, 0));
    assert_eq!(
        on(numbers[1], 9).await,
        (numbers[2..].to_vec(), end, false, 0)
    );
    assert_eq!(on(end, 9).await, (Vec::new(), end, false, 0));
    store.rewind(&cart, 0).await.unwrap();
    assert_eq!(on(end, 9).await, (Vec::new(), end, false, 1));
}
