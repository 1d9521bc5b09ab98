//! Units that share a script: each is committed or refused by itself.

use std::sync::Arc;

use futures_util::future::join_all;
use skald_core::store::{Change, CommitError, Store as _, StoreError};
use tokio::{select, task::JoinSet};

use super::{
    Whole,
    faults::{impatient, unit},
    server,
};
use crate::{
    contract::{at, commit, event, get, given, key, log::payloads, set, value},
    redis::Config,
};

/// So many units that a few scripts have room for them.
const MANY: usize = 60;

fn patient(url: &str) -> Config {
    super::config("app", url)
}

fn name(number: usize) -> String {
    format!("{number:02}")
}

/// What was published, in order of names.
async fn all_published(store: &Whole) -> Vec<String> {
    let mut found = payloads(store, &["t"], 0, 1_000).await;
    found.sort();
    found
}

/// Begins to commit many units, of which none is answered as long as the server stands still.
fn begin(
    store: &Arc<Whole>,
    changes: impl IntoIterator<Item = Change>,
) -> JoinSet<(usize, Result<(), CommitError>)> {
    let mut tasks = JoinSet::new();
    for (number, change) in changes.into_iter().enumerate() {
        let store = Arc::clone(store);
        tasks.spawn(async move { (number, store.commit(change, at(0)).await) });
    }
    tasks
}

#[tokio::test]
async fn units_that_wait_go_together_and_each_has_its_own_outcome() {
    let server = server();
    let store = Arc::new(Whole::open_with(patient(&server.url())).await);
    let apple = key("stock", "apple");
    commit(&*store, set(&apple, "1")).await;
    let seen = get(&*store, &apple).await.version;
    let calls = || {
        let said = server.ask(&["INFO", "commandstats"]).unwrap();
        let line = said
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"));
        let calls = line.and_then(|line| line.split(&['=', ','][..]).nth(1));
        calls.unwrap().parse::<usize>().unwrap()
    };
    let before = calls();
    server.stop().unwrap();
    // All of them have read the same value and change it: one wins.
    let racing = |number| {
        let mut change = given(set(&apple, &name(number)), &apple, seen);
        change.events.push(event("t", &name(number)));
        change
    };
    let mut tasks = begin(&store, (0..MANY).map(racing));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    server.cont().unwrap();
    let (mut won, mut lost) = (Vec::new(), 0);
    while let Some(ended) = tasks.join_next().await {
        match ended.unwrap() {
            (number, Ok(())) => won.push(name(number)),
            (_, Err(CommitError::Conflict(_))) => lost += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((won.len(), lost), (1, MANY - 1));
    assert_eq!(all_published(&store).await, won);
    assert_eq!(value(&*store, &apple).await, won.pop());
    assert!(calls() - before < MANY / 2, "{} scripts", calls() - before);
}

#[tokio::test]
async fn a_unit_that_fails_takes_no_other_with_it() {
    let server = server();
    let store = Arc::new(Whole::open_with(patient(&server.url())).await);
    commit(&*store, unit("first", None)).await;
    server
        .ask(&["SET", "skald:app:{writer}:kv:other", "no hash"])
        .unwrap();
    server.stop().unwrap();
    let broken = MANY / 2;
    let change = |number| {
        let mut change = unit(&name(number), None);
        if number == broken {
            change.writes[0].0 = key("other", "x");
        }
        change
    };
    let mut tasks = begin(&store, (0..MANY).map(change));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    server.cont().unwrap();
    while let Some(ended) = tasks.join_next().await {
        match ended.unwrap() {
            (number, Ok(())) => assert_ne!(number, broken),
            (number, Err(CommitError::Store(StoreError::Corrupt(_)))) => assert_eq!(number, broken),
            other => panic!("{other:?}"),
        }
    }
    let mut expected: Vec<_> = (0..MANY)
        .filter(|number| *number != broken)
        .map(name)
        .collect();
    expected.push("first".to_owned());
    assert_eq!(all_published(&store).await, expected);
}

#[tokio::test]
async fn who_sends_for_others_may_go() {
    let server = server();
    let store = Arc::new(Whole::open_with(patient(&server.url())).await);
    commit(&*store, unit("first", None)).await;
    server.stop().unwrap();
    let changes = (0..MANY).map(|number| unit(&name(number), None));
    let mut units: Vec<_> = changes.map(|change| store.commit(change, at(0))).collect();
    // All have begun. Those who go are the ones that have sent something.
    let begun = join_all(units.iter_mut().map(|unit| async move {
        select! { biased; _ = unit => panic!("the server stands still"), () = tokio::task::yield_now() => () }
    }));
    begun.await;
    let gone = 5;
    units.drain(..gone);
    server.cont().unwrap();
    for outcome in join_all(units).await {
        outcome.unwrap();
    }
    let found = all_published(&store).await;
    let others: Vec<_> = (gone..MANY).map(name).chain(["first".to_owned()]).collect();
    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, found);
    assert!(others.iter().all(|one| found.contains(one)), "{found:?}");
}

#[tokio::test]
async fn nobody_waits_longer_for_a_server_because_others_wait_too() {
    let mut server = server();
    let store = Arc::new(Whole::open_with(impatient(&server.url())).await);
    commit(&*store, unit("first", None)).await;
    server.kill().unwrap();
    let began = tokio::time::Instant::now();
    // Script by script, each with its patience, it would take ten times as long as one.
    let mut tasks = begin(&store, (0..1_000).map(|number| unit(&name(number), None)));
    while let Some(ended) = tasks.join_next().await {
        let (_, outcome) = ended.unwrap();
        assert!(matches!(outcome, Err(CommitError::Store(_))), "{outcome:?}");
    }
    assert!(began.elapsed() < 8 * impatient("redis://localhost").patience);
}
