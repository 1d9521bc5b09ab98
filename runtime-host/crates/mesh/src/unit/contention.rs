//! Turns at what many calls want to change at once.
//!
//! Optimism is right for keys that few want, and wrong for the stock of the article everybody wants: of
//! sixty-four calls that run at once one commits, and sixty-three ran in vain, again and again. So a call that
//! has lost queues, in order of arrival, for everything it has lost over so far, and runs again when it is its
//! turn. A call that comes fresh and finds at its end that somebody queues for what it writes, queues as well
//! instead of committing: so whose turn it is wins, and each call runs two or three times at most.
//!
//! Turns are only a courtesy within this process. What is correct is decided by the commit alone.
//!
//! Two calls cannot wait for each other here: whoever needs a further turn gives all of its turns back first
//! and takes them in one fixed order. They can where one calls the other's component while it holds a turn;
//! then the deadline of the inner call ends the wait.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use skald_core::store::{Change, Subject};
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

/// Who queues for what.
#[derive(Debug)]
pub(super) struct Contention {
    /// How many tickets are out. Nearly always none, and then a commit looks no further.
    tickets: AtomicUsize,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

/// Enough that calls over different hot keys do not meet at one lock.
const SHARDS: usize = 16;

type Shard = HashMap<Subject, Entry>;

#[derive(Debug, Default)]
struct Entry {
    gate: Arc<Gate<()>>,
    tickets: usize,
}

/// The turns that one call holds, in the order of their subjects.
#[derive(Debug, Default)]
pub(super) struct Turn<'a> {
    subjects: Vec<Subject>,
    passes: Vec<Pass<'a>>,
}

/// A turn at one subject. The fields drop in this order: the next in the queue is let in, then the ticket goes.
#[derive(Debug)]
struct Pass<'a> {
    _open: OwnedMutexGuard<()>,
    _ticket: Ticket<'a>,
}

/// A place in the queue for a subject, from joining it until the end of the turn.
#[derive(Debug)]
struct Ticket<'a> {
    contention: &'a Contention,
    subject: Subject,
}

// === impl Contention ===

impl Default for Contention {
    fn default() -> Self {
        Self {
            tickets: AtomicUsize::new(0),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl Contention {
    /// Waits for a turn at `subject` and at everything that the call has a turn at.
    pub(super) async fn queue<'a>(&'a self, turn: &mut Turn<'a>, subject: Subject) {
        let Err(place) = turn.subjects.binary_search(&subject) else {
            // Lost although it had the turn, to one that had not seen the queue. It keeps the turn.
            return;
        };
        turn.passes.clear();
        turn.subjects.insert(place, subject);
        for subject in &turn.subjects {
            let pass = self.pass(subject).await;
            turn.passes.push(pass);
        }
    }

    /// Something that `change` alters and that somebody else queues for: they would lose against its commit. What it
    /// only reads is no matter to them.
    pub(super) fn queued_for(&self, change: &Change, turn: &Turn<'_>) -> Option<Subject> {
        if self.tickets.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let keys = change
            .writes
            .iter()
            .map(|(key, _)| Subject::Key(key.clone()));
        let stores = change
            .writes
            .iter()
            .map(|(key, _)| Subject::Keys(Arc::clone(&key.store)));
        keys.chain(stores).find(|subject| {
            turn.subjects.binary_search(subject).is_err()
                && self.shard(subject).lock().contains_key(subject)
        })
    }

    /// Whether nobody queues for anything, and nothing of those who did is left.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.tickets.load(Ordering::Relaxed) == 0
            && self.shards.iter().all(|shard| shard.lock().is_empty())
    }

    async fn pass(&self, subject: &Subject) -> Pass<'_> {
        let (ticket, gate) = self.ticket(subject);
        Pass {
            _open: gate.lock_owned().await,
            _ticket: ticket,
        }
    }

    fn ticket(&self, subject: &Subject) -> (Ticket<'_>, Arc<Gate<()>>) {
        let mut shard = self.shard(subject).lock();
        let entry = shard.entry(subject.clone()).or_default();
        entry.tickets += 1;
        self.tickets.fetch_add(1, Ordering::Relaxed);
        (
            Ticket {
                contention: self,
                subject: subject.clone(),
            },
            Arc::clone(&entry.gate),
        )
    }

    fn shard(&self, subject: &Subject) -> &Mutex<Shard> {
        let [first, rest @ ..] = &self.shards;
        let place = self.hasher.hash_one(subject) % (SHARDS as u64);
        let place = usize::try_from(place).unwrap_or_default();
        place
            .checked_sub(1)
            .and_then(|place| rest.get(place))
            .unwrap_or(first)
    }
}

// === impl Ticket ===

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut shard = self.contention.shard(&self.subject).lock();
        self.contention.tickets.fetch_sub(1, Ordering::Relaxed);
        if let Some(entry) = shard.get_mut(&self.subject) {
            entry.tickets -= 1;
            if entry.tickets == 0 {
                shard.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests;
