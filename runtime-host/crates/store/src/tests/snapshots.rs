//! How many snapshots there can be, and what becomes of them.

use std::{num::NonZeroUsize, time::Duration};

use skald_core::{event::EventLog, store::{Store, StoreError}};

use crate::{
    Config, Embedded,
    contract::{commit, key, set, value},
};

fn config(directory: &std::path::Path, readers: usize, patience: Duration) -> Config {
    Config { readers: NonZeroUsize::new(readers).unwrap(), patience, ..Config::new(directory) }
}

#[tokio::test]
async fn who_finds_all_snapshots_taken_waits_for_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(config(directory.path(), 1, Duration::from_secs(3_600))).unwrap();
    let held = store.snapshot().await.unwrap();
    let mut waiting = store.head();
    assert!(poll_once(&mut waiting).await.is_none());
    drop(held);
    assert_eq!(waiting.await.unwrap(), 0);
}

#[tokio::test]
async fn the_wait_for_a_snapshot_ends() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(config(directory.path(), 1, Duration::from_millis(1))).unwrap();
    let _held = store.snapshot().await.unwrap();
    let refused = store.snapshot().await.err().unwrap();
    assert!(matches!(refused, StoreError::Unavailable(_)));
    insta::assert_snapshot!(refused, @"the store is not available: all 1 snapshots were in use for 1ms");
}

#[tokio::test]
async fn an_open_snapshot_outlives_the_store_and_keeps_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    let apple = key("stock", "apple");
    commit(&store, set(&apple, "1")).await;
    let mut snapshot = store.snapshot().await.unwrap();
    drop(store);
    assert_eq!(snapshot.get(&apple).await.unwrap().value.unwrap(), "1");
    assert!(Embedded::open(Config::new(directory.path())).is_err());
    drop(snapshot);
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    assert_eq!(value(&store, &apple).await.unwrap(), "1");
}

#[tokio::test]
async fn the_log_of_the_database_stays_small_under_overlapping_snapshots() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    let large = "x".repeat(1 << 20);
    let mut held = store.snapshot().await.unwrap();
    let mut largest = 0;
    for n in 0..400 {
        commit(&store, set(&key("stock", &(n % 4).to_string()), &large)).await;
        // There is never a moment without a snapshot, but none is old.
        held = std::hint::black_box(store.snapshot().await.unwrap());
        let log = std::fs::metadata(directory.path().join("skald.db-wal")).unwrap().len();
        largest = largest.max(log);
    }
    drop(held);
    assert!(largest < 200 << 20, "{largest} bytes");
}

/// Polls a future once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
