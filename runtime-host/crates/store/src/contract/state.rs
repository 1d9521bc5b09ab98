//! State: snapshots, versions and conflicts.

use std::sync::Arc;

use bytes::Bytes;
use skald_core::{
    event::{EventLog, archive::Archive},
    store::{Change, CommitError, Label, Store, StoreError, Subject, Versioned},
};

use super::{
    archive::letters,
    at, book, commit, conflicts, delete, event, get, given, handle, key,
    log::{newest, part, payloads},
    names, publish, set, value,
};

/// Nothing is there, and everything has version 0.
pub async fn a_new_store_is_empty<S: Store + EventLog + Archive>(store: Arc<S>) {
    let mut snapshot = store.snapshot().await.unwrap();
    let label: Label = Arc::from("stock");
    assert_eq!(
        snapshot.get(&key("stock", "apple")).await.unwrap(),
        Versioned::default()
    );
    assert_eq!(snapshot.keys_version(&label).await.unwrap(), 0);
    assert!(snapshot.keys(&label, None, 10).await.unwrap().is_empty());
    assert_eq!(newest(&*store).await, 0);
    assert!(letters(&*store).await.is_empty());
}

/// Values come back byte for byte, whatever the names and the sizes.
pub async fn what_is_committed_is_read_back<S: Store>(store: Arc<S>) {
    let large: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let cases = [
        ("plain", Bytes::from_static(b"value")),
        ("", Bytes::from_static(b"the empty name")),
        ("empty", Bytes::new()),
        ("ünï/cödé 🍏", Bytes::from_static(b"\xff\xfe\x00")),
        ("nul\0in the name", Bytes::from_static(b"\0")),
        ("large", Bytes::from(large)),
    ];
    let writes = cases
        .iter()
        .map(|(name, value)| (key("stock", name), Some(value.clone())))
        .collect();
    commit(
        &*store,
        Change {
            writes,
            ..Change::default()
        },
    )
    .await;
    for (name, value) in cases {
        let found = get(&*store, &key("stock", name)).await;
        assert_eq!(found.value, Some(value), "{name:?}");
        assert!(found.version > 0, "{name:?}");
    }
    commit(&*store, delete(&key("stock", "plain"))).await;
    assert_eq!(get(&*store, &key("stock", "plain")).await.value, None);
}

/// All that is read from a snapshot is of one moment, so that nothing is seen of what came after a change of something
/// that was read; an adapter that has lost what was there before says so.
pub async fn a_snapshot_does_not_see_later_commits<S: Store>(store: Arc<S>) {
    let (apple, pear, plum) = (
        key("stock", "apple"),
        key("stock", "pear"),
        key("more", "plum"),
    );
    commit(&*store, set(&apple, "1")).await;
    commit(&*store, set(&pear, "1")).await;
    let mut before = store.snapshot().await.unwrap();
    before.get(&apple).await.unwrap();
    commit(&*store, set(&apple, "2")).await;
    commit(&*store, delete(&pear)).await;
    commit(&*store, set(&plum, "2")).await;
    let value_of = |found: Versioned| found.value.unwrap();
    for (key, was) in [(&apple, "1"), (&pear, "1")] {
        let found = unless_changed(before.get(key).await).map(value_of);
        assert!(found.is_none_or(|found| found == was), "{key}");
    }
    let found = unless_changed(before.get(&plum).await);
    assert!(found.is_none_or(|found| found == Versioned::default()));
    let found = unless_changed(before.keys_version(&plum.store).await);
    assert!(found.is_none_or(|version| version == 0));
    let found = unless_changed(before.keys(&apple.store, None, 10).await);
    assert!(found.is_none_or(|names| names.len() == 2));
    drop(before);
    assert_eq!(value(&*store, &apple).await.unwrap(), "2");
    assert_eq!(value(&*store, &plum).await.unwrap(), "2");
}

/// The same name in another store is another key.
pub async fn stores_do_not_share_keys<S: Store>(store: Arc<S>) {
    commit(&*store, set(&key("a", "name"), "of a")).await;
    commit(&*store, set(&key("b", "name"), "of b")).await;
    commit(&*store, delete(&key("a", "name"))).await;
    assert_eq!(value(&*store, &key("a", "name")).await, None);
    assert_eq!(value(&*store, &key("b", "name")).await.unwrap(), "of b");
    assert!(names(&*store, "a", None, 10).await.is_empty());
}

/// The second of two units that read the same version loses.
pub async fn a_value_that_changed_conflicts<S: Store>(store: Arc<S>) {
    let apple = key("stock", "apple");
    commit(&*store, set(&apple, "1")).await;
    let seen = get(&*store, &apple).await.version;
    commit(&*store, given(set(&apple, "2"), &apple, seen)).await;
    conflicts(
        &*store,
        given(set(&apple, "3"), &apple, seen),
        &Subject::Key(apple.clone()),
    )
    .await;
    assert_eq!(value(&*store, &apple).await.unwrap(), "2");
    // Setting the same value is a change too: the version says who wrote, not what.
    let seen = get(&*store, &apple).await.version;
    commit(&*store, set(&apple, "2")).await;
    conflicts(
        &*store,
        given(set(&apple, "4"), &apple, seen),
        &Subject::Key(apple.clone()),
    )
    .await;
}

/// Absence can be depended on.
pub async fn a_key_that_appeared_conflicts<S: Store>(store: Arc<S>) {
    let apple = key("stock", "apple");
    let seen = get(&*store, &apple).await.version;
    commit(&*store, given(set(&apple, "first"), &apple, seen)).await;
    conflicts(
        &*store,
        given(set(&apple, "second"), &apple, seen),
        &Subject::Key(apple.clone()),
    )
    .await;
    assert_eq!(value(&*store, &apple).await.unwrap(), "first");
}

/// Presence can be depended on.
pub async fn a_key_that_was_deleted_conflicts<S: Store>(store: Arc<S>) {
    let (apple, pear) = (key("stock", "apple"), key("stock", "pear"));
    commit(&*store, set(&apple, "1")).await;
    let seen = get(&*store, &apple).await.version;
    commit(&*store, delete(&apple)).await;
    conflicts(
        &*store,
        given(set(&pear, "1"), &apple, seen),
        &Subject::Key(apple.clone()),
    )
    .await;
}

/// A version is never used twice for a key.
pub async fn a_key_deleted_and_set_again_conflicts<S: Store>(store: Arc<S>) {
    let apple = key("stock", "apple");
    commit(&*store, set(&apple, "1")).await;
    let seen = get(&*store, &apple).await.version;
    commit(&*store, delete(&apple)).await;
    commit(&*store, set(&apple, "1")).await;
    assert!(get(&*store, &apple).await.version > seen);
    conflicts(
        &*store,
        given(set(&apple, "2"), &apple, seen),
        &Subject::Key(apple.clone()),
    )
    .await;
}

/// What was read, if it could still be.
fn unless_changed<T>(read: Result<T, StoreError>) -> Option<T> {
    match read {
        Err(StoreError::Changed(_)) => None,
        read => Some(read.unwrap()),
    }
}

/// Who reads nothing depends on nothing.
pub async fn a_write_without_a_read_never_conflicts<S: Store>(store: Arc<S>) {
    let apple = key("stock", "apple");
    for n in 0..3 {
        commit(&*store, set(&apple, &n.to_string())).await;
        commit(&*store, delete(&key("stock", "never there"))).await;
    }
    assert_eq!(value(&*store, &apple).await.unwrap(), "2");
}

/// In the order of their bytes, each once.
pub async fn names_come_in_order_and_in_pages<S: Store>(store: Arc<S>) {
    for name in ["b", "", "a", "Z", "é", "ab", "gone"] {
        commit(&*store, set(&key("stock", name), "1")).await;
    }
    commit(&*store, delete(&key("stock", "gone"))).await;
    assert_eq!(
        names(&*store, "stock", None, 10).await,
        ["", "Z", "a", "ab", "b", "é"]
    );
    assert_eq!(names(&*store, "stock", None, 2).await, ["", "Z"]);
    assert_eq!(names(&*store, "stock", Some("Z"), 2).await, ["a", "ab"]);
    assert_eq!(
        names(&*store, "stock", Some("aa"), 10).await,
        ["ab", "b", "é"]
    );
    assert_eq!(names(&*store, "stock", Some(""), 1).await, ["Z"]);
    assert!(names(&*store, "stock", Some("é"), 10).await.is_empty());
    assert!(names(&*store, "stock", None, 0).await.is_empty());
}

/// New values under old names are not its business.
pub async fn a_listing_conflicts_with_keys_that_appear_or_go<S: Store>(store: Arc<S>) {
    let (apple, pear, other) = (
        key("stock", "apple"),
        key("stock", "pear"),
        key("other", "key"),
    );
    let listing = Subject::Keys(Arc::clone(&apple.store));
    let count = set(&key("other", "count"), "1");
    let depends = |version| Change {
        reads: vec![(listing.clone(), version)],
        ..count.clone()
    };
    let version = async || {
        store
            .snapshot()
            .await
            .unwrap()
            .keys_version(&apple.store)
            .await
            .unwrap()
    };

    commit(&*store, depends(0)).await;
    commit(&*store, set(&apple, "1")).await;
    conflicts(&*store, depends(0), &listing).await;

    let seen = version().await;
    commit(&*store, set(&apple, "2")).await;
    commit(&*store, set(&other, "1")).await;
    commit(&*store, delete(&pear)).await;
    commit(&*store, depends(seen)).await;

    commit(&*store, set(&pear, "1")).await;
    conflicts(&*store, depends(seen), &listing).await;

    let seen = version().await;
    commit(&*store, delete(&apple)).await;
    conflicts(&*store, depends(seen), &listing).await;
    let after = version().await;
    assert!(after > seen);
}

/// Neither values, nor events, nor the mark.
pub async fn a_refused_unit_leaves_nothing_behind<S: Store + EventLog>(store: Arc<S>) {
    let (apple, pear) = (key("stock", "apple"), key("stock", "pear"));
    commit(&*store, set(&apple, "1")).await;
    commit(&*store, publish(&[event("t", "one")])).await;
    let cart = book("cart", &part(&*store).await);
    let head = newest(&*store).await;
    let unit = Change {
        reads: vec![(Subject::Key(apple.clone()), 0)],
        writes: vec![
            (pear.clone(), Some(Bytes::from_static(b"1"))),
            (apple.clone(), None),
        ],
        events: vec![event("t", "two")],
        ..handle(&cart, head)
    };
    conflicts(&*store, unit.clone(), &Subject::Key(apple.clone())).await;
    let handled_before = Change {
        reads: Vec::new(),
        ..unit.clone()
    };
    commit(&*store, handle(&cart, head)).await;
    let refused = store.commit(handled_before, at(0)).await;
    assert!(
        matches!(refused, Err(CommitError::AlreadyHandled(mark)) if Some(&mark) == unit.inbox.as_ref())
    );
    assert_eq!(value(&*store, &apple).await.unwrap(), "1");
    assert_eq!(value(&*store, &pear).await, None);
    assert_eq!(names(&*store, "stock", None, 10).await, ["apple"]);
    assert_eq!(payloads(&*store, &["t"], 0, 10).await, ["one"]);
}

/// No update is lost, whoever wins.
pub async fn concurrent_increments_are_all_counted<S: Store>(store: Arc<S>) {
    const TASKS: usize = 8;
    const EACH: usize = 25;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for _ in 0..EACH {
                increment(&*store).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(
        value(&*store, &key("stock", "count")).await.unwrap(),
        (TASKS * EACH).to_string()
    );
}

async fn increment(store: &impl Store) {
    let count = key("stock", "count");
    loop {
        let seen = get(store, &count).await;
        let old: usize = seen.value.map_or(0, |value| {
            std::str::from_utf8(&value).unwrap().parse().unwrap()
        });
        let unit = given(set(&count, &(old + 1).to_string()), &count, seen.version);
        match store.commit(unit, at(0)).await {
            Ok(()) => return,
            Err(CommitError::Conflict(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}
