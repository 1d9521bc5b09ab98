//! Servers that die, fill up or forget, and answers that are lost.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use skald_core::store::{Change, CommitError, Store as _, StoreError, Subject};
use test_redis::{Options, Proxy, Server};
use tokio::{task::JoinSet, time::Instant};

use super::{Whole, config, server};
use crate::{
    contract::{
        at, commit, conflicts, event, get, given, key,
        log::{part, payloads},
        names, publish, set, value,
    },
    redis::Config,
};

/// What a commit of the tests below has in it.
pub(super) const COMMITTED: &str = "committed value";

/// A unit that writes, publishes and handles.
pub(super) fn unit(name: &str, handles: Option<Change>) -> Change {
    Change {
        writes: vec![(
            key("stock", name),
            Some(Bytes::from_static(COMMITTED.as_bytes())),
        )],
        events: vec![event("t", name)],
        ..handles.unwrap_or_default()
    }
}

pub(super) fn impatient(url: &str) -> Config {
    Config {
        patience: Duration::from_millis(700),
        answer: Duration::from_millis(300),
        ..config("app", url)
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_takes_effect_once() {
    let server = server();
    let proxy = Proxy::start(server.address()).unwrap();
    let store = Whole::open("app", &proxy.url()).await;
    let apple = key("stock", "apple");
    commit(&store, set(&apple, "1")).await;
    let seen = get(&store, &apple).await.version;
    proxy.swallow_reply_to(COMMITTED);
    // On its own reads it would conflict the second time.
    commit(&store, given(unit("apple", None), &apple, seen)).await;
    assert_eq!(proxy.done(), 1);
    assert_eq!(payloads(&store, &["t"], 0, 10).await, ["apple"]);
    let committed = get(&store, &apple).await.version;
    assert!(committed > seen, "{committed} after {seen}");
    proxy.break_request(COMMITTED, 100);
    commit(&store, unit("pear", None)).await;
    assert_eq!(proxy.done(), 2);
    assert_eq!(payloads(&store, &["t"], 0, 10).await, ["apple", "pear"]);
}

#[tokio::test]
async fn a_refusal_whose_answer_was_lost_stays_one() {
    let server = server();
    let proxy = Proxy::start(server.address()).unwrap();
    let store = Whole::open("app", &proxy.url()).await;
    let apple = key("stock", "apple");
    commit(&store, set(&apple, "1")).await;
    proxy.swallow_reply_to(COMMITTED);
    let late = given(unit("apple", None), &apple, 0);
    conflicts(&store, late, &Subject::Key(apple.clone())).await;
    assert_eq!(proxy.done(), 1);
    assert_eq!(value(&store, &apple).await.unwrap(), "1");
    assert!(payloads(&store, &["t"], 0, 10).await.is_empty());
}

#[tokio::test]
async fn commits_are_once_each_while_connections_are_cut() {
    let server = server();
    let proxy = Proxy::start(server.address()).unwrap();
    // Units that share a script share its cuts.
    let store = Whole::open_with(Config {
        patience: Duration::from_secs(60),
        ..config("app", &proxy.url())
    });
    let store = Arc::new(store.await);
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { commit_twenty(&store, task).await });
    }
    let mut cuts = 0;
    while cuts < 20 && !tasks.is_empty() {
        if proxy.done() == cuts {
            proxy.swallow_reply_to(COMMITTED);
            cuts += 1;
        }
        tokio::task::yield_now().await;
        while let Some(done) = tasks.try_join_next() {
            done.unwrap();
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert!(proxy.done() > 0);
    let mut events = payloads(&*store, &["t"], 0, 1_000).await;
    events.sort();
    let count = events.len();
    events.dedup();
    assert_eq!((count, events.len()), (160, 160));
    assert_eq!(names(&*store, "stock", None, 1_000).await.len(), 160);
}

async fn commit_twenty(store: &Whole, task: u32) {
    for n in 0..20 {
        commit(store, unit(&format!("{task}-{n:02}"), None)).await;
    }
}

#[tokio::test]
async fn scripts_that_the_server_has_forgotten_are_sent_again() {
    let server = server();
    let store = Whole::open("app", &server.url()).await;
    commit(&store, unit("one", None)).await;
    server.ask(&["SCRIPT", "FLUSH"]).unwrap();
    commit(&store, unit("two", None)).await;
    server.ask(&["SCRIPT", "FLUSH"]).unwrap();
    assert_eq!(payloads(&store, &["t"], 0, 10).await, ["one", "two"]);
    assert_eq!(names(&store, "stock", None, 10).await, ["one", "two"]);
}

#[tokio::test]
async fn a_dead_server_is_unavailable_soon_and_all_is_there_when_it_is_back() {
    let mut server = server();
    let store = Whole::open_with(impatient(&server.url())).await;
    commit(&store, unit("before", None)).await;
    server.kill().unwrap();
    let began = Instant::now();
    let outcome = store.commit(unit("meanwhile", None), at(0)).await;
    assert!(
        matches!(
            outcome,
            Err(CommitError::Store(
                StoreError::Unavailable(_) | StoreError::Unknown(_)
            ))
        ),
        "{outcome:?}"
    );
    let outcome = store.commit(unit("meanwhile", None), at(0)).await;
    assert!(
        matches!(outcome, Err(CommitError::Store(StoreError::Unavailable(_)))),
        "{outcome:?}"
    );
    let read = store
        .snapshot()
        .await
        .unwrap()
        .get(&key("stock", "before"))
        .await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(began.elapsed() < Duration::from_secs(4));
    server.restart().unwrap();
    assert_eq!(
        value(&store, &key("stock", "before")).await.unwrap(),
        COMMITTED
    );
    commit(&store, unit("after", None)).await;
    assert_eq!(payloads(&store, &["t"], 0, 10).await, ["before", "after"]);
}

#[tokio::test]
async fn a_server_that_comes_back_in_time_is_waited_for() {
    let mut server = server();
    let store = Whole::open("app", &server.url()).await;
    commit(&store, unit("before", None)).await;
    server.kill().unwrap();
    let restarted = tokio::task::spawn_blocking(move || {
        server.restart().unwrap();
        server
    });
    let (outcome, restarted) =
        tokio::join!(store.commit(unit("meanwhile", None), at(0)), restarted);
    let _server = restarted.unwrap();
    outcome.unwrap();
    assert_eq!(
        payloads(&store, &["t"], 0, 10).await,
        ["before", "meanwhile"]
    );
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let server = server();
    let store = Whole::open_with(impatient(&server.url())).await;
    server.stop().unwrap();
    let began = Instant::now();
    let outcome = store.commit(unit("hanging", None), at(0)).await;
    assert!(
        matches!(outcome, Err(CommitError::Store(StoreError::Unknown(_)))),
        "{outcome:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(2));
    server.cont().unwrap();
    commit(&store, unit("after", None)).await;
    // All copies of it that the server found when it went on had one effect.
    let events = payloads(&store, &["t"], 0, 10).await;
    assert!(
        events == ["hanging", "after"] || events == ["after"],
        "{events:?}"
    );
}

#[tokio::test]
async fn a_full_server_is_said_to_be_full_and_nothing_is_half_written() {
    let server = Server::start(
        Options::default()
            .with("maxmemory", "3mb")
            .with("maxmemory-policy", "noeviction"),
    )
    .unwrap();
    let store = Whole::open("app", &server.url()).await;
    let large = Bytes::from(vec![b'x'; 50_000]);
    let fitted = fill(&store, &large).await;
    assert!(fitted > 3);
    assert_eq!(names(&store, "stock", None, 1_000).await.len(), fitted);
    assert_eq!(payloads(&store, &["t"], 0, 1_000).await.len(), fitted);
    let version = server
        .ask(&["HGET", "skald:app:{writer}:meta", "version"])
        .unwrap();
    let last = key("stock", &format!("{:04}", fitted - 1));
    assert_eq!(get(&store, &last).await.version.to_string(), version);
    // What is there can be read, and the books can be closed.
    let cart = crate::contract::book("cart", &part(&store).await);
    skald_core::event::EventLog::advance(&store, &cart, 0, 7)
        .await
        .unwrap();
    server
        .ask(&["CONFIG", "SET", "maxmemory", "100mb"])
        .unwrap();
    commit(&store, unit("after", None)).await;
}

async fn fill(store: &Whole, large: &Bytes) -> usize {
    for n in 0.. {
        let change = Change {
            writes: vec![(key("stock", &format!("{n:04}")), Some(large.clone()))],
            events: vec![event("t", &n.to_string())],
            ..Change::default()
        };
        match store.commit(change, at(0)).await {
            Ok(()) => {}
            Err(CommitError::Store(StoreError::Full(_))) => return n,
            Err(other) => panic!("{other}"),
        }
    }
    unreachable!()
}

#[tokio::test]
async fn what_changed_after_it_was_read_makes_the_unit_begin_again() {
    let server = server();
    let store = Whole::open("app", &server.url()).await;
    let (apple, pear) = (key("stock", "apple"), key("stock", "pear"));
    commit(&store, set(&apple, "1")).await;
    let mut view = store.snapshot().await.unwrap();
    view.get(&apple).await.unwrap();
    commit(&store, set(&pear, "1")).await;
    // Nothing that was read has changed: the view moves on.
    assert_eq!(view.get(&pear).await.unwrap().value.unwrap(), "1");
    commit(&store, set(&apple, "2")).await;
    commit(&store, set(&pear, "2")).await;
    let read = view.get(&pear).await;
    assert!(matches!(read, Err(StoreError::Changed(_))), "{read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_count_together() {
    let server = server();
    let url = server.url();
    let mut tasks = JoinSet::new();
    for _ in 0..2 {
        let store = Arc::new(Whole::open("app", &url).await);
        let four = [(); 4].map(|()| Arc::clone(&store));
        tasks.spawn(async move {
            let counting = four.iter().map(|store| increment_often(store));
            futures_util::future::join_all(counting).await;
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let store = Whole::open("app", &url).await;
    assert_eq!(value(&store, &key("stock", "count")).await.unwrap(), "200");
}

async fn increment_often(store: &Whole) {
    for _ in 0..25 {
        increment(store).await;
    }
}

async fn increment(store: &Whole) {
    let count = key("stock", "count");
    loop {
        let seen = get(store, &count).await;
        let old = seen.value.map_or(0, |value| {
            std::str::from_utf8(&value).unwrap().parse::<u32>().unwrap()
        });
        let change = given(set(&count, &(old + 1).to_string()), &count, seen.version);
        match store.commit(change, at(0)).await {
            Ok(()) => return,
            Err(CommitError::Conflict(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn commits_that_were_answered_are_not_remembered_for_long() {
    let server = server();
    let store = Whole::open("app", &server.url()).await;
    for _ in 0..500 {
        commit(&store, publish(&[])).await;
    }
    let remembered = server.ask(&["ZCARD", "skald:app:{writer}:tokens"]).unwrap();
    assert!(remembered.parse::<usize>().unwrap() < 100, "{remembered}");
}
