//! How many snapshots there can be, and what becomes of them.

use std::{num::NonZeroUsize, path::Path, time::Duration};

use skald_core::{
    event::EventLog,
    store::{Store, StoreError},
};

use super::poll_once;
use crate::{
    Config, Embedded,
    contract::{book, commit, key, set, value},
};

fn config(directory: &Path, readers: usize, patience: Duration) -> Config {
    Config {
        readers: NonZeroUsize::new(readers).unwrap(),
        patience,
        ..Config::new(directory)
    }
}

#[tokio::test]
async fn who_finds_all_snapshots_taken_waits_for_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(config(directory.path(), 1, Duration::from_secs(3_600))).unwrap();
    let held = store.snapshot().await.unwrap();
    let cart = book("cart", &"log".into());
    let mut waiting = store.head(&cart);
    assert!(poll_once(&mut waiting).await.is_none());
    drop(held);
    assert_eq!(waiting.await.unwrap().newest, 0);
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
