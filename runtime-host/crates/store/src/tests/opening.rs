//! What is found on the disk when the store is opened, and what is left there.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use parking_lot::Mutex;
use rusqlite::Connection;
use skald_core::{
    event::EventLog,
    store::{CommitError, Store, StoreError},
};

use super::poll_once;
use crate::{
    Config, Embedded,
    contract::{at, book, commit, event, get, given, key, log, publish, set, value},
};

/// What a person is told, with the place of the data left out.
fn refusal(directory: &Path) -> String {
    let error = Embedded::open(Config::new(directory)).unwrap_err();
    format!("{}: {error}", error.code()).replace(&directory.display().to_string(), "[data]")
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    insta::assert_snapshot!(
        refusal(directory.path()),
        @"STORE-004: the data in [data] is in use by another process; stop that process, or choose another data directory"
    );
    store.close().await;
    Embedded::open(Config::new(directory.path())).unwrap();
}

#[tokio::test]
async fn data_of_a_newer_version_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(Embedded::open(Config::new(directory.path())).unwrap());
    let file = directory.path().join("skald.db");
    Connection::open(&file)
        .unwrap()
        .execute_batch("PRAGMA user_version = 9")
        .unwrap();
    let before = fs::read(&file).unwrap();
    insta::assert_snapshot!(
        refusal(directory.path()),
        @"STORE-005: [data]/skald.db has data format 9, and this version reads up to 3; run the version that wrote it, or choose another data directory"
    );
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("skald.db");
    fs::write(
        &file,
        "not a database at all, but long enough to have a header ".repeat(9),
    )
    .unwrap();
    insta::assert_snapshot!(
        refusal(directory.path()),
        @"STORE-006: [data]/skald.db is damaged or was not written by this program (file is not a database); restore it from a backup, or move it away to start with no data"
    );
    fs::remove_file(&file).unwrap();
    Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (id)")
        .unwrap();
    let before = fs::read(&file).unwrap();
    insta::assert_snapshot!(
        refusal(directory.path()),
        @"STORE-006: [data]/skald.db is damaged or was not written by this program (it is a database of another kind); restore it from a backup, or move it away to start with no data"
    );
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let error = Embedded::open(Config::new(directory.path().join("file/data"))).unwrap_err();
    let message = error
        .to_string()
        .replace(&directory.path().display().to_string(), "[tmp]");
    insta::assert_snapshot!(
        message,
        @"the data directory [tmp]/file/data cannot be used; make sure that it can be created and written to by this user"
    );
}

#[tokio::test]
async fn damage_is_reported_as_damage() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    for n in 0..100 {
        commit(&store, set(&key("stock", &n.to_string()), &"x".repeat(300))).await;
    }
    store.close().await;
    let file = directory.path().join("skald.db");
    let mut bytes = fs::read(&file).unwrap();
    // All pages but the first two, which hold the header and the schema.
    bytes[2 * 4096..].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let outcome = match Embedded::open(Config::new(directory.path())) {
        Err(error) => error.code(),
        Ok(store) => match store.commit(set(&key("stock", "1"), "y"), at(0)).await {
            Err(CommitError::Store(error @ StoreError::Corrupt(_))) => error.code(),
            other => panic!("{other:?}"),
        },
    };
    assert!(["STORE-002", "STORE-006"].contains(&outcome), "{outcome}");
}

#[tokio::test]
async fn data_is_new_until_the_first_commit() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Embedded::open(Config::new(directory.path())).unwrap();
    assert!(open().is_new());
    let store = open();
    assert!(store.is_new());
    store
        .advance(&book("cart", &"log".into()), 0, 1)
        .await
        .unwrap();
    commit(&store, publish(&[event("t", "created")])).await;
    assert!(store.is_new(), "it is about how the data was found");
    drop(store);
    assert!(!open().is_new());
}

#[tokio::test]
async fn versions_and_event_numbers_go_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let apple = key("stock", "apple");
    let mut newest = (0, 0);
    for n in 0..4 {
        let store = Embedded::open(Config::new(directory.path())).unwrap();
        let seen = get(&store, &apple).await.version;
        commit(&store, given(set(&apple, &n.to_string()), &apple, seen)).await;
        commit(&store, publish(&[event("t", "one")])).await;
        let now = (get(&store, &apple).await.version, log::newest(&store).await);
        assert!(
            now.0 > newest.0 && now.1 > newest.1,
            "{now:?} after {newest:?}"
        );
        newest = now;
        store.close().await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_closed_store_is_one_file_and_answers_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    commit(&store, set(&key("stock", "apple"), "1")).await;
    store.close().await;
    let mut files: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["skald.db", "skald.lock"]);
    let refused = store.commit(set(&key("stock", "apple"), "2"), at(0)).await;
    assert!(matches!(
        refused,
        Err(CommitError::Store(StoreError::Unavailable(_)))
    ));
    assert!(matches!(
        store.snapshot().await.err(),
        Some(StoreError::Unavailable(_))
    ));
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    assert_eq!(value(&store, &key("stock", "apple")).await.unwrap(), "1");
}

#[tokio::test]
async fn only_commits_that_wrote_events_are_announced() {
    let directory = tempfile::tempdir().unwrap();
    let announced = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&announced);
    let on_events = Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let store = Embedded::open(Config {
        on_events,
        ..Config::new(directory.path())
    })
    .unwrap();
    commit(&store, set(&key("stock", "apple"), "1")).await;
    commit(&store, publish(&[event("t", "one"), event("t", "two")])).await;
    let apple = key("stock", "apple");
    let refused = given(publish(&[event("t", "three")]), &apple, 0);
    assert!(store.commit(refused, at(0)).await.is_err());
    store.close().await;
    assert_eq!(announced.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_unit_that_nobody_waits_for_any_more_is_not_begun() {
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
    let (left, kept) = (key("stock", "left"), key("stock", "kept"));
    let mut leaving = store.commit(set(&left, "1"), at(0));
    assert!(poll_once(&mut leaving).await.is_none());
    drop(leaving);
    go_on.send(()).unwrap();
    commit(&store, set(&kept, "1")).await;
    assert_eq!(value(&store, &left).await, None);
    assert_eq!(value(&store, &kept).await.unwrap(), "1");
}
