//! An adapter beside a few maps that say what it should do, for steps in any order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use skald_core::{
    event::{Book, EventLog},
    store::{Change, CommitError, Key, Label, Snapshot, Store, StoreError, Subject, Version},
};

use super::{at, book, event, handle, key, log};

/// How many units can be open at once.
pub const UNITS: usize = 3;

/// One step. Units and keys are small numbers, so that steps meet each other often.
#[derive(Clone, Debug)]
pub enum Step {
    /// Opens a unit on a new snapshot, in place of what was there.
    Open(usize),
    /// A unit reads a key.
    Read(usize, u8),
    /// A unit lists the keys of a store.
    List(usize, u8),
    /// Commits a unit: what it sets, what it deletes, how many events it publishes, which event it handles.
    Commit(usize, Vec<(u8, Option<u8>)>, u8, Option<u8>),
    /// Moves the cursor of the one group.
    Advance(u8),
}

type Values = BTreeMap<Key, Bytes>;

struct Open {
    snapshot: Box<dyn Snapshot>,
    /// How many units had been committed when it was opened.
    opened_at: usize,
    reads: BTreeMap<Subject, Version>,
    /// What it saw: values, and the names that stores have.
    values: BTreeMap<Key, Option<Bytes>>,
    names: BTreeMap<Label, Vec<Arc<str>>>,
}

/// What the store should hold.
#[derive(Default)]
struct Model {
    now: Values,
    /// The state before each commit.
    before: Vec<Values>,
    /// For each commit, what it wrote, and whose set of keys it altered.
    history: Vec<BTreeSet<Subject>>,
    /// What each version of a key stood for.
    versions: BTreeMap<(Key, Version), Bytes>,
    events: usize,
    handled: BTreeSet<u64>,
    cursor: u64,
}

fn names_in(values: &Values, label: &Label) -> Vec<Arc<str>> {
    let keys = values.keys().filter(|key| key.store == *label);
    keys.map(|key| Arc::clone(&key.name)).collect()
}

fn subject(number: u8) -> Key {
    key(
        ["a", "b"][usize::from(number % 2)],
        &(number / 2 % 3).to_string(),
    )
}

/// Does the steps on `store`, which has to be empty, and compares it with the model after each.
pub async fn agrees<S: Store + EventLog>(store: &S, steps: &[Step]) {
    let mut model = Model::default();
    let mut units: [Option<Open>; UNITS] = [const { None }; UNITS];
    let group = book("group", &log::part(store).await);
    for step in steps {
        match step {
            Step::Open(unit) => units[*unit] = Some(model.open(store).await),
            Step::Read(unit, number) => {
                if let Some(open) = &mut units[*unit] {
                    let read = model.read(open, &subject(*number)).await;
                    model.outrun(&mut units[*unit], read);
                }
            }
            Step::List(unit, number) => {
                if let Some(open) = &mut units[*unit] {
                    let listed = model.list(open, subject(*number).store).await;
                    model.outrun(&mut units[*unit], listed);
                }
            }
            Step::Commit(unit, writes, events, handles) => {
                let open = units[*unit].take();
                let change = change(open.as_ref(), &group, (writes, *events, *handles));
                let outcome = store.commit(change.clone(), at(0)).await;
                model.committed(open.as_ref(), &change, outcome);
            }
            Step::Advance(number) => {
                store.advance(&group, 0, (*number).into()).await.unwrap();
                model.cursor = model.cursor.max((*number).into());
            }
        }
        model.compare(store, &group).await;
    }
}

/// What a unit sets, how many events it publishes, which event it handles.
type Deeds<'a> = (&'a [(u8, Option<u8>)], u8, Option<u8>);

fn change(open: Option<&Open>, group: &Book, (writes, events, handles): Deeds<'_>) -> Change {
    // A key is written once in a unit; the last word counts.
    let writes: BTreeMap<_, _> = writes
        .iter()
        .map(|(n, value)| (subject(*n), value.map(|v| vec![v].into())))
        .collect();
    Change {
        reads: open
            .map(|open| open.reads.clone().into_iter().collect())
            .unwrap_or_default(),
        writes: writes.into_iter().collect(),
        events: (0..events).map(|n| event("t", &n.to_string())).collect(),
        inbox: handles.and_then(|sequence| handle(group, sequence.into()).inbox),
        ..Change::default()
    }
}

// === impl Model ===

impl Model {
    async fn open(&self, store: &impl Store) -> Open {
        let mut snapshot = store.snapshot().await.unwrap();
        // The view is of this moment at the latest.
        snapshot.keys_version(&Arc::from("none")).await.unwrap();
        Open {
            snapshot,
            opened_at: self.history.len(),
            reads: BTreeMap::new(),
            values: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    async fn list(&self, open: &mut Open, label: Label) -> Result<(), StoreError> {
        let names = open.snapshot.keys(&label, None, 100).await?;
        let version = open.snapshot.keys_version(&label).await?;
        let seen = open.reads.entry(Subject::Keys(Arc::clone(&label)));
        assert_eq!(*seen.or_insert(version), version);
        let before = open.names.insert(label, names.clone());
        assert!(before.is_none_or(|before| before == names));
        self.is_of_one_moment(open);
        Ok(())
    }

    /// There was a moment since the unit was opened when all was as the unit has seen it.
    fn is_of_one_moment(&self, open: &Open) {
        let as_seen = |state: &Values| {
            let values = open
                .values
                .iter()
                .all(|(key, value)| state.get(key) == value.as_ref());
            values
                && open
                    .names
                    .iter()
                    .all(|(label, names)| *names == names_in(state, label))
        };
        let mut states = self.before[open.opened_at..].iter().chain([&self.now]);
        assert!(states.any(as_seen), "{:?} {:?}", open.values, open.names);
    }

    async fn read(&mut self, open: &mut Open, key: &Key) -> Result<(), StoreError> {
        let found = open.snapshot.get(key).await?;
        open.values.insert(key.clone(), found.value.clone());
        self.is_of_one_moment(open);
        if let Some(value) = found.value {
            // One version of a key is one value, for ever.
            let before = self
                .versions
                .entry((key.clone(), found.version))
                .or_insert_with(|| value.clone());
            assert_eq!(*before, value);
        }
        let seen = open
            .reads
            .entry(Subject::Key(key.clone()))
            .or_insert(found.version);
        assert_eq!(*seen, found.version);
        Ok(())
    }

    /// An adapter may give up on a unit that somebody has overtaken since it was opened.
    fn outrun(&self, unit: &mut Option<Open>, read: Result<(), StoreError>) {
        let Err(error) = read else { return };
        assert!(matches!(error, StoreError::Changed(_)), "{error}");
        let opened_at = unit.as_ref().unwrap().opened_at;
        assert!(opened_at < self.history.len(), "nobody has overtaken it");
        *unit = None;
    }

    /// A commit that succeeds saw what is there; one that conflicts has lost against another. Between the two, where
    /// all was written over and is again as it was, an adapter may do either.
    fn committed(
        &mut self,
        open: Option<&Open>,
        change: &Change,
        outcome: Result<(), CommitError>,
    ) {
        let handled = change
            .inbox
            .as_ref()
            .is_some_and(|mark| self.is_handled(mark.sequence));
        match outcome {
            Ok(()) => {
                assert!(!handled, "handled twice");
                for (subject, _) in &change.reads {
                    assert!(
                        !self.differs(open.unwrap(), subject),
                        "a lost update of {subject:?}"
                    );
                }
                self.apply(change);
            }
            Err(CommitError::AlreadyHandled(_)) => assert!(handled),
            Err(CommitError::Conflict(subject)) => {
                let since = &self.history[open.unwrap().opened_at..];
                assert!(
                    since.iter().any(|commit| commit.contains(&subject)),
                    "nobody touched {subject:?}"
                );
            }
            Err(CommitError::Store(error)) => panic!("{error}"),
        }
    }

    fn is_handled(&self, sequence: u64) -> bool {
        sequence <= self.cursor || self.handled.contains(&sequence)
    }

    fn differs(&self, open: &Open, subject: &Subject) -> bool {
        match subject {
            Subject::Key(key) => self.now.get(key) != open.values[key].as_ref(),
            Subject::Keys(label) => names_in(&self.now, label) != open.names[label],
        }
    }

    fn apply(&mut self, change: &Change) {
        self.before.push(self.now.clone());
        let mut touched = BTreeSet::new();
        for (key, value) in &change.writes {
            let before = match value {
                Some(value) => self.now.insert(key.clone(), value.clone()),
                None => self.now.remove(key),
            };
            touched.insert(Subject::Key(key.clone()));
            if before.is_some() != value.is_some() {
                touched.insert(Subject::Keys(Arc::clone(&key.store)));
            }
        }
        self.history.push(touched);
        self.events += change.events.len();
        self.handled
            .extend(change.inbox.as_ref().map(|mark| mark.sequence));
    }

    async fn compare<S: Store + EventLog>(&self, store: &S, group: &Book) {
        let mut snapshot = store.snapshot().await.unwrap();
        for number in 0..6 {
            let key = subject(number);
            assert_eq!(
                snapshot.get(&key).await.unwrap().value.as_ref(),
                self.now.get(&key),
                "{key}"
            );
        }
        let progress = store.progress(group).await.unwrap();
        assert_eq!(progress.cursor, self.cursor);
        assert_eq!(
            progress.handled,
            self.handled
                .iter()
                .copied()
                .filter(|n| *n > self.cursor)
                .collect()
        );
        let events = log::payloads(store, &["t"], 0, usize::MAX).await;
        assert_eq!(events.len(), self.events);
    }
}
