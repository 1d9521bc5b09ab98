use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::SystemTime,
};

use bytes::Bytes;

use super::{KeyPage, Limits, Mode, Unit};
use crate::{
    call::BoxFuture,
    context::TraceContext,
    event::NewEvent,
    store::{
        Change, CommitError, Key, Label, Snapshot, Store, StoreError, Subject, Version, Versioned,
    },
};

/// A store of one label in memory; each commit is the next version.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    commits: Version,
    keys: BTreeMap<Arc<str>, (Version, Bytes)>,
}

impl State {
    fn version(&self, subject: &Subject) -> Version {
        match subject {
            Subject::Key(key) => self.keys.get(&key.name).map_or(0, |(version, _)| *version),
            Subject::Keys(_) => self.keys.len() as Version,
        }
    }
}

impl Store for Memory {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        let seen = self.0.lock().unwrap().clone();
        Box::pin(async { Ok(Box::new(seen) as Box<dyn Snapshot>) })
    }

    fn commit(&self, change: Change, _: SystemTime) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            let mut state = self.0.lock().unwrap();
            let stale = |(subject, seen): &&(Subject, Version)| state.version(subject) != *seen;
            if let Some((subject, _)) = change.reads.iter().find(stale) {
                return Err(CommitError::Conflict(subject.clone()));
            }
            state.commits += 1;
            let version = state.commits;
            for (key, value) in change.writes {
                match value {
                    Some(value) => state.keys.insert(key.name, (version, value)),
                    None => state.keys.remove(&key.name),
                };
            }
            Ok(())
        })
    }
}

impl Snapshot for State {
    fn get<'a>(&'a mut self, key: &'a Key) -> BoxFuture<'a, Result<Versioned, StoreError>> {
        let found = self.keys.get(&key.name).cloned();
        let seen = found.map_or_else(Versioned::default, |(version, value)| Versioned {
            value: Some(value),
            version,
        });
        Box::pin(async { Ok(seen) })
    }

    fn keys_version<'a>(
        &'a mut self,
        store: &'a Label,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        let version = self.version(&Subject::Keys(Arc::clone(store)));
        Box::pin(async move { Ok(version) })
    }

    fn keys<'a>(
        &'a mut self,
        _: &'a Label,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<str>>, StoreError>> {
        let later = |name: &&Arc<str>| after.is_none_or(|after| ***name > *after);
        let names = self
            .keys
            .keys()
            .filter(later)
            .take(limit)
            .cloned()
            .collect();
        Box::pin(async { Ok(names) })
    }
}

/// Everything here is ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn key(name: &str) -> Key {
    Key {
        store: Arc::from("shop"),
        name: Arc::from(name),
    }
}

fn text(value: &str) -> Option<Bytes> {
    Some(Bytes::from(value.to_owned()))
}

fn unit(mode: Mode, store: &Memory, limits: Limits) -> Unit {
    Unit::new(mode, Arc::new(store.clone()), limits, || {
        SystemTime::UNIX_EPOCH
    })
}

fn held(store: &Memory) -> Unit {
    unit(Mode::Held, store, Limits::default())
}

fn filled(names: &[&str]) -> Memory {
    let store = Memory::default();
    let writes = names.iter().map(|name| (key(name), text(name))).collect();
    now(store.commit(
        Change {
            writes,
            ..Change::default()
        },
        SystemTime::UNIX_EPOCH,
    ))
    .unwrap();
    store
}

fn event(bytes: usize) -> NewEvent {
    let trace = TraceContext {
        trace_id: 1,
        span_id: 1,
        sampled: false,
    };
    NewEvent::new(Arc::from("t"), Bytes::from(vec![b'x'; bytes]), trace)
}

#[test]
fn a_held_unit_sees_its_own_writes_and_nobody_else_does() {
    let store = filled(&["a"]);
    let mut unit = held(&store);
    now(unit.put(key("a"), text("new"))).unwrap();
    now(unit.put(key("b"), None)).unwrap();
    assert_eq!(now(unit.get(&key("a"))).unwrap(), text("new"));
    assert_eq!(now(held(&store).get(&key("a"))).unwrap(), text("a"));
    let change = unit.into_change();
    assert_eq!(
        change.reads,
        [],
        "a value that was only written is not depended on"
    );
    assert_eq!(change.writes.len(), 2);
}

#[test]
fn a_held_unit_reads_one_snapshot_and_says_what_it_saw() {
    let store = filled(&["a"]);
    let mut unit = held(&store);
    assert_eq!(now(unit.get(&key("a"))).unwrap(), text("a"));
    let other = Change {
        writes: vec![(key("a"), text("changed")), (key("c"), text("c"))],
        ..Change::default()
    };
    now(store.commit(other, SystemTime::UNIX_EPOCH)).unwrap();
    assert_eq!(now(unit.get(&key("a"))).unwrap(), text("a"));
    assert_eq!(now(unit.get(&key("c"))).unwrap(), None);
    now(unit.put(key("d"), text("d"))).unwrap();
    let change = unit.into_change();
    assert_eq!(
        change.reads,
        [(Subject::Key(key("a")), 1), (Subject::Key(key("c")), 0)]
    );
    let lost = now(store.commit(change, SystemTime::UNIX_EPOCH));
    assert!(
        matches!(lost, Err(CommitError::Conflict(subject)) if subject == Subject::Key(key("a")))
    );
}

#[test]
fn a_listing_has_the_units_own_writes_in_place() {
    let store = filled(&["a", "b", "c", "e"]);
    let mut unit = held(&store);
    now(unit.put(key("b"), None)).unwrap();
    now(unit.put(key("d"), text("d"))).unwrap();
    let mut page = |after: Option<&str>| now(unit.keys(&Arc::from("shop"), after, 2)).unwrap();
    let names = |page: &KeyPage| {
        page.names
            .iter()
            .map(ToString::to_string)
            .collect::<String>()
    };
    let first = page(None);
    assert_eq!((names(&first).as_str(), first.more), ("ac", true));
    let second = page(Some("c"));
    assert_eq!((names(&second).as_str(), second.more), ("de", false));
}

#[test]
fn a_flood_is_stopped_before_the_store_sees_it() {
    let store = Memory::default();
    let limits = Limits {
        bytes: 100,
        events: 2,
        keys: 2,
        reads: 2,
    };
    let mut unit = unit(Mode::Held, &store, limits);
    let too_many = |done: Result<(), super::UnitError>| done.unwrap_err().to_string();
    now(unit.put(key("a"), text("1"))).unwrap();
    now(unit.put(key("b"), text("1"))).unwrap();
    now(unit.put(key("a"), text("2"))).unwrap();
    insta::assert_snapshot!(too_many(now(unit.put(key("c"), text("1")))), @"one call may write 2 keys, and this one went over it");
    now(unit.publish(event(1))).unwrap();
    now(unit.publish(event(1))).unwrap();
    insta::assert_snapshot!(too_many(now(unit.publish(event(1)))), @"one call may publish 2 events, and this one went over it");
    insta::assert_snapshot!(too_many(now(unit.publish(event(200)))), @"one call may write 100 bytes, and this one went over it");
}

#[test]
fn what_a_unit_reads_is_bounded_too() {
    let store = Memory::default();
    let limits = Limits {
        reads: 2,
        ..Limits::default()
    };
    let mut unit = unit(Mode::Held, &store, limits);
    for name in ["a", "b", "a"] {
        now(unit.get(&key(name))).unwrap();
    }
    let error = now(unit.get(&key("c"))).unwrap_err();
    insta::assert_snapshot!(error, @"one call may read 2 keys, and this one went over it");
}

#[test]
fn an_immediate_unit_writes_at_once_and_reads_afresh() {
    let store = filled(&["a"]);
    let mut unit = unit(Mode::Immediate, &store, Limits::default());
    now(unit.put(key("b"), text("b"))).unwrap();
    assert_eq!(now(held(&store).get(&key("b"))).unwrap(), text("b"));
    let other = Change {
        writes: vec![(key("a"), text("changed"))],
        ..Change::default()
    };
    now(store.commit(other, SystemTime::UNIX_EPOCH)).unwrap();
    assert_eq!(now(unit.get(&key("a"))).unwrap(), text("changed"));
    now(unit.update(&key("a"), |value| {
        value.map(|value| [value, &b"!"[..]].concat().into())
    }))
    .unwrap();
    assert_eq!(now(unit.get(&key("a"))).unwrap(), text("changed!"));
    assert!(unit.into_change().is_empty());
}

#[test]
fn a_swap_needs_the_value_to_be_what_was_expected() {
    for mode in [Mode::Held, Mode::Immediate] {
        let store = filled(&["a"]);
        let mut unit = unit(mode, &store, Limits::default());
        let wrong = now(unit.swap(&key("a"), text("x").as_ref(), Bytes::from("y"))).unwrap();
        assert_eq!(wrong, Err(text("a")));
        let right = now(unit.swap(&key("a"), text("a").as_ref(), Bytes::from("y"))).unwrap();
        assert_eq!(right, Ok(()));
        assert_eq!(now(unit.get(&key("a"))).unwrap(), text("y"));
    }
}

#[test]
fn a_closed_unit_refuses() {
    let error = now(Unit::closed().get(&key("a"))).unwrap_err();
    insta::assert_snapshot!(error, @"the store is not available: no call is running in this instance");
}
