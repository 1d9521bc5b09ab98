//! Journals in memory that fail as they are told.

mod asked;
mod known;

use std::{
    collections::{BTreeMap, HashMap},
    future::ready,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    saga::{
        RunId, Stamped,
        codec::{self, Tail},
        journal::{Append, AppendError, Filter, Journal, Standing, Summary},
    },
    store::StoreError,
};
use tokio::{sync::Notify, time::sleep};

use self::known::Known;
use crate::{dice::Dice, points::Points, servers::Servers};

/// What goes wrong with an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is durable, and its answer is lost.
    Lost,
    /// Nothing is written, for no reason.
    Unavailable,
    /// Nothing is written, since there is no room.
    Full,
    /// Reading fails, too.
    Unreadable,
}

/// The journals.
pub struct Shelf {
    points: Arc<Points>,
    rows: Mutex<Rows>,
    /// Real journals, where there are any; then those in memory only tell what has to be in them.
    servers: Option<Servers>,
    /// Told of each append.
    changed: Notify,
    latency: Mutex<Option<Dice>>,
}

#[derive(Default)]
struct Rows {
    kept: HashMap<RunId, Kept>,
    appends: u64,
    troubles: BTreeMap<u64, Trouble>,
    differences: Vec<String>,
}

struct Kept {
    summary: Summary,
    entries: Vec<Bytes>,
    known: Known,
}

// === impl Shelf ===

impl Shelf {
    /// An empty one.
    pub fn new(points: Arc<Points>) -> Self {
        Self {
            points,
            rows: Mutex::default(),
            servers: Servers::of_now(),
            changed: Notify::new(),
            latency: Mutex::new(None),
        }
    }

    /// Append number so-and-so fails like this, counted from 1 over all attempts.
    pub fn trouble(&self, troubles: impl IntoIterator<Item = (u64, Trouble)>) {
        self.rows.lock().troubles.extend(troubles);
    }

    /// Each append takes another time.
    pub fn dawdle(&self, dice: Dice) {
        *self.latency.lock() = Some(dice);
    }

    /// How many appends were tried.
    pub fn appends(&self) -> u64 {
        self.rows.lock().appends
    }

    /// Waits for the next append.
    pub async fn change(&self) {
        self.changed.notified().await;
    }

    /// What the list says, in its order.
    pub fn summaries(&self) -> Vec<Summary> {
        let rows = self.rows.lock();
        let mut all: Vec<Summary> = rows
            .kept
            .values()
            .map(|kept| kept.summary.clone())
            .collect();
        all.sort_by(|one, other| place(one).cmp(&place(other)));
        all
    }

    /// Those that are asked for.
    fn chosen(&self, filter: &Filter) -> Vec<Summary> {
        let all = self.summaries();
        let after = filter.after.as_ref().and_then(|after| {
            let found = all.iter().find(|one| one.run == *after);
            found.map(|one| (one.started_at, one.run.clone()))
        });
        let is_asked_for = |one: &Summary| {
            let standings = &filter.standings;
            (standings.is_empty() || standings.contains(&one.standing))
                && filter
                    .component
                    .as_ref()
                    .is_none_or(|name| *name == one.component)
                && filter
                    .subject
                    .as_ref()
                    .is_none_or(|name| *name == one.subject)
                && filter
                    .prefix
                    .as_ref()
                    .is_none_or(|prefix| one.run.as_str().starts_with(prefix))
                && after
                    .as_ref()
                    .is_none_or(|(at, run)| place(one) > (*at, run))
        };
        let list = all.into_iter().filter(is_asked_for).take(filter.limit);
        list.collect()
    }

    /// The journal of a run.
    pub fn bytes(&self, run: &RunId) -> Vec<Bytes> {
        let rows = self.rows.lock();
        rows.kept
            .get(run)
            .map(|kept| kept.entries.clone())
            .unwrap_or_default()
    }

    /// The records of a run, and the epochs of its entries.
    pub fn read(&self, run: &RunId) -> Result<(Vec<Stamped>, Vec<u64>), codec::Damage> {
        let (mut records, mut epochs, mut tail) = (Vec::new(), Vec::new(), Tail::default());
        for bytes in self.bytes(run) {
            let (entry, next) = codec::decode(&bytes, tail)?;
            records.extend(entry.records);
            epochs.push(entry.epoch);
            tail = next;
        }
        Ok((records, epochs))
    }

    /// Changes the last entry of a run, as a bad disk would.
    pub fn damage(&self, run: &RunId, change: impl FnOnce(&Bytes) -> Bytes) {
        let mut rows = self.rows.lock();
        if let Some(last) = rows
            .kept
            .get_mut(run)
            .and_then(|kept| kept.entries.last_mut())
        {
            *last = change(last);
        }
    }

    /// The last entry of a run was never written: the run stands where it did before.
    pub fn tear(&self, run: &RunId) {
        let mut rows = self.rows.lock();
        if let Some(kept) = rows.kept.get_mut(run) {
            kept.entries.pop();
            kept.summary.standing = Standing::Running;
            kept.summary.due = None;
        }
    }

    /// Becomes a copy of other journals.
    pub fn become_copy(&self, all: Vec<(Summary, Vec<Bytes>)>) {
        let mut rows = self.rows.lock();
        rows.kept.clear();
        for (summary, entries) in all {
            let mut known = Known::default();
            entries.iter().for_each(|entry| known.learn(entry));
            let run = summary.run.clone();
            let kept = Kept {
                summary,
                entries,
                known,
            };
            rows.kept.insert(run, kept);
        }
    }

    /// A place where hosts die before they write elsewhere.
    pub async fn before(&self) {
        self.points.pass("before a file is written").await;
    }

    /// What speaks against sending this now.
    pub fn objections(&self, run: &RunId, key: &str, is_undo: bool) -> Vec<String> {
        let rows = self.rows.lock();
        let Some(kept) = rows.kept.get(run) else {
            return vec!["the run is not in a journal".to_owned()];
        };
        let mut objections = Vec::new();
        if !kept.known.keys.contains(key) {
            objections.push("its key is not in the journal".to_owned());
        }
        if is_undo && !kept.known.turns_back {
            objections.push("no rollback is in the journal".to_owned());
        }
        if kept.known.has_ended {
            objections.push("the run has ended".to_owned());
        }
        objections
    }

    async fn write(&self, append: Append) -> Result<(), AppendError> {
        self.points.pass("before an append").await;
        let pause = self.latency.lock().as_mut().map(|dice| dice.below(20));
        if let Some(pause) = pause {
            sleep(Duration::from_millis(pause)).await;
        }
        let trouble = {
            let mut rows = self.rows.lock();
            rows.appends += 1;
            let number = rows.appends;
            rows.troubles.get(&number).copied()
        };
        let unavailable = || AppendError::Store(StoreError::Unavailable("told to".to_owned()));
        match trouble {
            Some(Trouble::Full) => {
                return Err(StoreError::Full("told to".to_owned()).into());
            }
            Some(Trouble::Unavailable | Trouble::Unreadable) => return Err(unavailable()),
            Some(Trouble::Lost) | None => self.keep(append)?,
        }
        self.changed.notify_one();
        self.points.pass("after an append").await;
        match trouble {
            Some(Trouble::Lost) => Err(unavailable()),
            _ => Ok(()),
        }
    }
}

impl Journal for Shelf {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(self.write(append))
    }

    fn entries<'a>(
        &'a self,
        run: &'a RunId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(async move {
            self.points.pass("before a journal is read").await;
            let is_unreadable = {
                let mut rows = self.rows.lock();
                let next = rows.appends + 1;
                let is_unreadable = rows.troubles.get(&next) == Some(&Trouble::Unreadable);
                rows.appends += u64::from(is_unreadable);
                is_unreadable
            };
            if is_unreadable {
                return Err(StoreError::Unavailable("told to".to_owned()));
            }
            self.entries_of(run, after, limit)
        })
    }

    fn find<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Option<Summary>, StoreError>> {
        Box::pin(ready(self.find_of(run)))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(ready(self.list_of(filter)))
    }

    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(ready(self.purge_of(run)))
    }
}

fn place(summary: &Summary) -> (std::time::SystemTime, &RunId) {
    (summary.started_at, &summary.run)
}

// === impl Rows ===

impl Rows {
    fn append(&mut self, append: Append) -> Result<(), AppendError> {
        let run = append.summary.run.clone();
        let Some(kept) = self.kept.get_mut(&run) else {
            if append.sequence != 1 {
                return Err(AppendError::Conflict { expected: 1 });
            }
            let mut known = Known::default();
            known.learn(&append.entry);
            let kept = Kept {
                summary: append.summary,
                entries: vec![append.entry],
                known,
            };
            self.kept.insert(run, kept);
            return Ok(());
        };
        if append.summary.epoch < kept.summary.epoch {
            let epoch = kept.summary.epoch;
            return Err(AppendError::Fenced { epoch });
        }
        let next = kept.entries.len() as u64 + 1;
        if append.sequence == next {
            kept.known.learn(&append.entry);
            kept.entries.push(append.entry);
            kept.summary = append.summary;
            return Ok(());
        }
        let at = usize::try_from(append.sequence.saturating_sub(1)).unwrap_or(usize::MAX);
        let is_same = append.summary.epoch == kept.summary.epoch
            && kept.entries.get(at) == Some(&append.entry);
        if is_same {
            Ok(())
        } else {
            Err(AppendError::Conflict { expected: next })
        }
    }
}
