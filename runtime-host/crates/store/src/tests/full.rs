//! A disk with no room left, played by SQLite's own limit on the size of the file.

use std::{num::NonZeroU64, path::Path, sync::Arc};

use skald_core::store::{CommitError, Store, StoreError};
use tokio::task::JoinSet;

use crate::{
    Config, Embedded,
    contract::{at, commit, delete, key, names, set, value},
};

pub(super) const SMALL: u64 = 512 << 10;

pub(super) fn open(directory: &Path, max_bytes: u64) -> Embedded {
    Embedded::open(Config {
        max_bytes: NonZeroU64::new(max_bytes),
        ..Config::new(directory)
    })
    .unwrap()
}

/// Writes until nothing fits any more; answers with how many values did.
pub(super) async fn fill(store: &Embedded) -> usize {
    let large = "x".repeat(10_000);
    for n in 0.. {
        match store
            .commit(set(&key("stock", &n.to_string()), &large), at(0))
            .await
        {
            Ok(()) => {}
            Err(CommitError::Store(StoreError::Full(_))) => return n,
            Err(other) => panic!("{other}"),
        }
    }
    unreachable!()
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), SMALL);
    let fitted = fill(&store).await;
    assert!(fitted > 10);
    assert_eq!(names(&store, "stock", None, usize::MAX).await.len(), fitted);
    store.close().await;
    let store = open(directory.path(), SMALL);
    assert_eq!(names(&store, "stock", None, usize::MAX).await.len(), fitted);
}

#[tokio::test]
async fn once_there_is_room_the_store_works_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), SMALL);
    fill(&store).await;
    for n in 0..5 {
        commit(&store, delete(&key("stock", &n.to_string()))).await;
    }
    let large = "y".repeat(10_000);
    commit(&store, set(&key("stock", "after"), &large)).await;
    assert_eq!(value(&store, &key("stock", "after")).await.unwrap(), large);
    store.close().await;
    let store = open(directory.path(), 4 * SMALL);
    assert!(fill(&store).await > 100);
}

#[tokio::test]
async fn a_unit_that_is_too_large_does_not_take_its_neighbours_along() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path(), SMALL));
    let mut units = JoinSet::new();
    for n in 0..30 {
        let store = Arc::clone(&store);
        let value = if n == 15 {
            "z".repeat(1 << 20)
        } else {
            "small".to_owned()
        };
        // On one thread they all wait in the queue before the writer can have answered the first.
        units.spawn(async move {
            (
                n,
                store
                    .commit(set(&key("stock", &n.to_string()), &value), at(0))
                    .await,
            )
        });
    }
    while let Some(unit) = units.join_next().await {
        let (n, outcome) = unit.unwrap();
        assert_eq!(
            matches!(outcome, Err(CommitError::Store(StoreError::Full(_)))),
            n == 15,
            "{n}: {outcome:?}"
        );
        assert_eq!(outcome.is_ok(), n != 15, "{n}: {outcome:?}");
    }
    assert_eq!(names(&*store, "stock", None, 100).await.len(), 29);
}

#[tokio::test]
async fn a_store_that_did_not_come_to_be_does_not_share_its_place_with_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), SMALL);
    let too_large = set(&key("first", "name"), &"z".repeat(1 << 20));
    assert!(store.commit(too_large, at(0)).await.is_err());
    commit(&store, set(&key("second", "name"), "of the second")).await;
    commit(&store, set(&key("first", "name"), "of the first")).await;
    assert_eq!(
        value(&store, &key("first", "name")).await.unwrap(),
        "of the first"
    );
    assert_eq!(
        value(&store, &key("second", "name")).await.unwrap(),
        "of the second"
    );
}
