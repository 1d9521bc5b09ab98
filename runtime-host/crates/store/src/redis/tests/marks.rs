//! Units that handle an event: their mark alone makes them happen once, however often they are sent.

use skald_core::{
    event::{Book, EventLog as _, archive::Archive as _},
    store::{Change, CommitError, Store as _, Subject},
};
use test_redis::{Proxy, Server};

use super::{
    Whole,
    faults::{COMMITTED, impatient, unit},
    server,
};
use crate::contract::{
    at, book, commit, conflicts, get, given, handle, key,
    log::{part, payloads, published},
    set, value,
};

/// A server, a line to it that can be cut, and an event to handle.
struct Scene {
    server: Server,
    proxy: Proxy,
    store: Whole,
    /// Another host, with a line of its own.
    other: Whole,
    book: Book,
    sequence: u64,
}

impl Scene {
    async fn new() -> Self {
        let server = server();
        let proxy = Proxy::start(server.address()).unwrap();
        let store = Whole::open_with(impatient(&proxy.url())).await;
        let other = Whole::open("app", &server.url()).await;
        let sequence = published(&store, 1).await[0];
        let book = book("cart", &part(&store).await);
        commit(&store, set(&key("stock", "apple"), "1")).await;
        Self {
            server,
            proxy,
            store,
            other,
            book,
            sequence,
        }
    }

    /// What handles the event: it changes what it has read, and publishes.
    async fn handling(&self) -> Change {
        let apple = key("stock", "apple");
        let seen = get(&self.store, &apple).await.version;
        given(
            unit("apple", Some(handle(&self.book, self.sequence))),
            &apple,
            seen,
        )
    }

    async fn is_handled_before(&self, change: Change) {
        let outcome = self.store.commit(change, at(0)).await;
        assert!(
            matches!(outcome, Err(CommitError::AlreadyHandled(_))),
            "{outcome:?}"
        );
    }

    async fn published(&self) -> Vec<String> {
        payloads(&self.other, &["t"], self.sequence, 10).await
    }
}

#[tokio::test]
async fn a_unit_whose_answer_was_lost_is_committed_once_and_says_so() {
    let scene = Scene::new().await;
    scene.proxy.swallow_reply_to(COMMITTED);
    // On its own reads it would conflict the second time, and on its own mark it would be somebody else's.
    commit(&scene.store, scene.handling().await).await;
    assert_eq!(scene.proxy.done(), 1);
    assert_eq!(scene.published().await, ["apple"]);
    scene.is_handled_before(scene.handling().await).await;
    assert_eq!(scene.published().await, ["apple"]);
}

#[tokio::test]
async fn a_unit_that_did_not_arrive_whole_is_sent_again() {
    let scene = Scene::new().await;
    scene.proxy.break_request(COMMITTED, 100);
    commit(&scene.store, scene.handling().await).await;
    assert_eq!(scene.proxy.done(), 1);
    assert_eq!(scene.published().await, ["apple"]);
}

#[tokio::test]
async fn what_somebody_else_has_handled_is_not_ours_although_our_answer_was_lost() {
    let scene = Scene::new().await;
    let change = scene.handling().await;
    commit(&scene.other, handle(&scene.book, scene.sequence)).await;
    scene.proxy.swallow_reply_to(COMMITTED);
    scene.is_handled_before(change).await;
    assert_eq!(scene.proxy.done(), 1);
    assert_eq!(
        value(&scene.other, &key("stock", "apple")).await.unwrap(),
        "1"
    );
    assert!(scene.published().await.is_empty());
}

#[tokio::test]
async fn a_mark_wins_over_a_conflict() {
    let scene = Scene::new().await;
    let change = scene.handling().await;
    commit(&scene.other, scene.handling().await).await;
    scene.is_handled_before(change).await;
    assert_eq!(scene.published().await, ["apple"]);
}

#[tokio::test]
async fn a_conflict_whose_answer_was_lost_stays_one() {
    let scene = Scene::new().await;
    let apple = key("stock", "apple");
    let late = scene.handling().await;
    commit(&scene.other, set(&apple, "2")).await;
    scene.proxy.swallow_reply_to(COMMITTED);
    conflicts(&scene.store, late, &Subject::Key(apple)).await;
    assert_eq!(scene.proxy.done(), 1);
    commit(&scene.store, scene.handling().await).await;
    assert_eq!(scene.published().await, ["apple"]);
}

#[tokio::test]
async fn a_copy_that_was_held_up_finds_the_mark_of_the_one_that_was_sent_in_its_stead() {
    let scene = Scene::new().await;
    let change = scene.handling().await;
    scene.proxy.hold();
    let outcome = scene.store.commit(change, at(0)).await;
    assert!(matches!(outcome, Err(CommitError::Store(_))), "{outcome:?}");
    // Somebody else takes the partition over, and handles the event.
    commit(&scene.other, {
        let apple = key("stock", "apple");
        let seen = get(&scene.other, &apple).await.version;
        given(
            unit("apple", Some(handle(&scene.book, scene.sequence))),
            &apple,
            seen,
        )
    })
    .await;
    scene.proxy.mend();
    scene.is_handled_before(scene.handling().await).await;
    assert_eq!(scene.published().await, ["apple"]);
}

#[tokio::test]
async fn what_was_buried_or_sent_back_meanwhile_takes_no_late_unit() {
    let scene = Scene::new().await;
    let late = scene.handling().await;
    let letter = crate::contract::log::letter(&scene.other, "cart", scene.sequence).await;
    scene.other.bury(letter).await.unwrap();
    scene.is_handled_before(late.clone()).await;
    scene.other.rewind(&scene.book, 0).await.unwrap();
    scene.is_handled_before(late).await;
    assert!(scene.published().await.is_empty());
}

#[tokio::test]
async fn marks_leave_no_tokens() {
    let scene = Scene::new().await;
    let count = || {
        scene
            .server
            .ask(&["ZCARD", "skald:app:{writer}:tokens"])
            .unwrap()
    };
    let before = count();
    commit(&scene.store, scene.handling().await).await;
    assert_eq!(count(), before);
}
