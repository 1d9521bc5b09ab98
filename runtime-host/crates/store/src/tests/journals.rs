//! Journals in the file: across openings, and without room.

use std::{
    fs,
    path::Path,
    sync::{Arc, mpsc},
};

use bytes::Bytes;
use parking_lot::Mutex;
use skald_core::{
    saga::journal::{Append, AppendError, Journal, Standing},
    store::{Store, StoreError},
};
use tokio::task::JoinSet;

use super::{
    full::{SMALL, fill, open},
    poll_once,
};
use crate::{
    Config, Embedded,
    contract::{
        at, commit, delete, event,
        journal::{all, begin, entries, next, standing},
        key, publish, set,
    },
};

fn large(mut append: Append, bytes: usize) -> Append {
    append.entry = Bytes::from(vec![7; bytes]);
    append
}

fn is_full(outcome: &Result<(), AppendError>) -> bool {
    matches!(outcome, Err(AppendError::Store(StoreError::Full(_))))
}

/// How many transactions the log has: the last page of each says how large the file is from then on.
fn transactions(directory: &Path) -> usize {
    const HEADER: usize = 32;
    const PAGE: usize = 24 + 4096;
    let log = fs::read(directory.join("skald.db-wal")).unwrap();
    let pages = log[HEADER..].chunks_exact(PAGE);
    pages.filter(|page| page[4..8] != [0; 4]).count()
}

#[tokio::test]
async fn all_that_waits_is_one_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let (busy, is_busy) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let on_events = Arc::new(move || {
        busy.send(()).unwrap();
        may_go_on.lock().recv().unwrap();
    });
    let store = Embedded::open(Config {
        on_events,
        ..Config::new(directory.path())
    })
    .unwrap();
    commit(&store, publish(&[event("t", "keeps the writer busy")])).await;
    is_busy.recv().unwrap();
    let before = transactions(directory.path());
    let mut appends: Vec<_> = (0..40)
        .map(|n| store.append(begin(&format!("run_{n}"))))
        .collect();
    appends.push(store.append(next(&begin("run_0"))));
    appends.push(store.append(next(&begin("not begun"))));
    let mut unit = store.commit(set(&key("stock", "apple"), "1"), at(0));
    for append in &mut appends {
        assert!(poll_once(append).await.is_none());
    }
    assert!(poll_once(&mut unit).await.is_none());
    go_on.send(()).unwrap();
    unit.await.unwrap();
    let mut refused = 0;
    for append in appends {
        refused += usize::from(append.await.is_err());
    }
    assert_eq!(refused, 1);
    assert_eq!(transactions(directory.path()), before + 1);
}

#[tokio::test]
async fn a_run_goes_on_after_each_opening() {
    let directory = tempfile::tempdir().unwrap();
    let mut append = begin("run_1");
    let mut expected = Vec::new();
    for epoch in 1..5 {
        let store = Embedded::open(Config::new(directory.path())).unwrap();
        let run = &append.summary.run;
        assert_eq!(entries(&store, run).await, expected);
        append.summary.epoch = epoch;
        for _ in 0..3 {
            store.append(append.clone()).await.unwrap();
            expected.push(append.entry.clone());
            append = next(&append);
        }
        drop(store);
    }
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    let found = store.find(&append.summary.run).await.unwrap().unwrap();
    assert_eq!((found.epoch, found.records), (4, 12));
    append.summary.epoch = 3;
    assert_eq!(
        store.append(append).await.unwrap_err().to_string(),
        "epoch 4 has taken the run over"
    );
}

#[tokio::test]
async fn an_entry_that_does_not_fit_is_not_there_and_fits_once_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), SMALL);
    let first = begin("run_1");
    store.append(first.clone()).await.unwrap();
    fill(&store).await;
    let second = large(standing(next(&first), Standing::Parked), 20_000);
    assert!(is_full(&store.append(second.clone()).await));
    let other = large(begin("run_2"), 20_000);
    assert!(is_full(&store.append(other).await));
    let run = &second.summary.run;
    assert_eq!(entries(&store, run).await, [first.entry]);
    assert_eq!(store.list(&all()).await.unwrap(), [first.summary]);
    for n in 0..4 {
        commit(&store, delete(&key("stock", &n.to_string()))).await;
    }
    store.append(second.clone()).await.unwrap();
    assert_eq!(store.find(run).await.unwrap().unwrap(), second.summary);
    assert_eq!(entries(&store, run).await.len(), 2);
}

#[tokio::test]
async fn an_entry_that_is_too_large_does_not_take_its_neighbours_along() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path(), SMALL));
    let mut appends = JoinSet::new();
    for n in 0..30 {
        let (store, append) = (Arc::clone(&store), begin(&format!("run_{n}")));
        let bytes = if n == 15 { 1 << 20 } else { 10 };
        // On one thread they all wait in the queue before the writer can have answered the first.
        appends.spawn(async move { (n, store.append(large(append, bytes)).await) });
    }
    for (n, outcome) in appends.join_all().await {
        assert_eq!(is_full(&outcome), n == 15, "{n}: {outcome:?}");
        assert_eq!(outcome.is_ok(), n != 15, "{n}: {outcome:?}");
    }
    assert_eq!(store.list(&all()).await.unwrap().len(), 29);
}

#[tokio::test]
async fn a_purge_makes_room() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), SMALL);
    let ended = standing(large(begin("run_1"), 200_000), Standing::Completed);
    let another = large(begin("run_2"), 200_000);
    store.append(ended.clone()).await.unwrap();
    fill(&store).await;
    assert!(is_full(&store.append(another.clone()).await));
    assert!(store.purge(&ended.summary.run).await.unwrap());
    store.append(another).await.unwrap();
}
