//! Which event may be handled now: a pure machine over the sequence numbers of undone events.
//!
//! It deliberately knows neither messages nor the log, and it reads no clock: time comes in as an argument.
//!
//! ```text
//!            add                    begin
//!  (log) ──────────► queued ─► waiting ────► running ──finish──► gone; the next of the key waits
//!                 (behind its     ▲             │
//!                  key's head)    └────fail─────┘
//! ```
//! Of each key only the oldest event, its head, can wait or run. Heads wait in one line that is ordered by
//! when they may start, so that a failed event that is due again, or the next one of a busy key, goes behind
//! those that have waited longer: no key can keep others from their turn.
//!
//! Events behind a head cost a few words each, whatever their size, so one blocked key does not end the
//! reading of the log. Two bounds end it: [`Schedule::new`]'s `window` of keys with undone events, and
//! [`BACKLOG`] times as many events. Beyond them others wait until a blocked event succeeds or is buried.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

#[cfg(test)]
mod tests;

/// A time, as what has passed since the delivery began; the clock on the wall may jump, this does not.
pub(crate) type Moment = Duration;

/// Undone events held, for each key that may be held: 64 × 1,024 numbers are half a MiB.
const BACKLOG: usize = 64;

/// How often an event was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tries {
    /// Failures of the handler; so many are allowed.
    pub(crate) attempts: u32,
    /// Failures of any kind in a row since this process began; pauses grow with it.
    pub(crate) row: u32,
}

/// A failure that an earlier process noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) attempts: u32,
    pub(crate) retry_at: Moment,
}

/// Where an event that was read has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is its key's oldest, and waits for its turn.
    Head,
    /// Others of its key come first.
    Behind,
    /// It needs nothing: it was handled before.
    Done,
}

/// The undone events of one subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    concurrency: usize,
    window: usize,
    /// Every event of the log up to here was added.
    read: u64,
    /// Events beyond `read` that were handled before the process began.
    handled: BTreeSet<u64>,
    /// Failures beyond `read` that an earlier process noted.
    noted: BTreeMap<u64, Noted>,
    /// The undone events of each key; none of the queues is empty.
    keys: HashMap<Arc<str>, Queue>,
    /// The oldest undone event of each key.
    heads: BTreeMap<u64, Arc<str>>,
    /// The heads that are not running, by when they may start.
    waiting: BTreeSet<(Moment, u64)>,
    running: usize,
    undone: usize,
}

#[derive(Clone, Debug)]
struct Queue {
    events: VecDeque<u64>,
    head: Head,
    /// Of the head.
    tries: Tries,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    Waiting { until: Moment },
    Running,
}

// === impl Schedule ===

impl Schedule {
    /// A schedule that runs at most `concurrency` events at once and holds at most about `window` keys.
    pub(crate) fn new(concurrency: usize, window: usize) -> Self {
        Self {
            concurrency,
            // A window that is smaller than what can run would leave handlers without work.
            window: window.max(concurrency.saturating_mul(2)),
            read: 0,
            handled: BTreeSet::new(),
            noted: BTreeMap::new(),
            keys: HashMap::new(),
            heads: BTreeMap::new(),
            waiting: BTreeSet::new(),
            running: 0,
            undone: 0,
        }
    }

    /// Continues where an earlier process has stopped.
    #[must_use]
    pub(crate) fn resume(
        self,
        cursor: u64,
        handled: BTreeSet<u64>,
        noted: BTreeMap<u64, Noted>,
    ) -> Self {
        Self {
            read: cursor,
            handled,
            noted,
            ..self
        }
    }

    /// Takes in the next event of the log.
    pub(crate) fn add(&mut self, sequence: u64, key: &str, now: Moment) -> Place {
        if sequence <= self.read {
            return Place::Done;
        }
        self.read = sequence;
        if self.handled.remove(&sequence) {
            self.noted.remove(&sequence);
            return Place::Done;
        }
        self.undone += 1;
        if let Some(queue) = self.keys.get_mut(key) {
            queue.events.push_back(sequence);
            return Place::Behind;
        }
        let (until, tries) = self.turn(sequence, now);
        let key: Arc<str> = key.into();
        let head = Head::Waiting { until };
        self.keys.insert(
            Arc::clone(&key),
            Queue {
                events: VecDeque::from([sequence]),
                head,
                tries,
            },
        );
        self.heads.insert(sequence, key);
        self.waiting.insert((until, sequence));
        Place::Head
    }

    /// Learns that the log has nothing more for this subscriber up to `sequence`.
    pub(crate) fn read_to(&mut self, sequence: u64) {
        if sequence > self.read {
            self.read = sequence;
            // What was noted on events that the log does not have, or not for us, is of no use any more.
            self.handled = self.handled.split_off(&sequence.saturating_add(1));
            self.noted = self.noted.split_off(&sequence.saturating_add(1));
        }
    }

    /// The event that should begin now, if any may.
    pub(crate) fn next(&self, now: Moment) -> Option<u64> {
        let (until, sequence) = self.waiting.first()?;
        (self.running < self.concurrency && *until <= now).then_some(*sequence)
    }

    /// Notes that a waiting event is now being handled; returns how often it was tried before.
    pub(crate) fn begin(&mut self, sequence: u64) -> Option<Tries> {
        let queue = self.keys.get_mut(self.heads.get(&sequence)?)?;
        let Head::Waiting { until } = queue.head else {
            return None;
        };
        queue.head = Head::Running;
        self.waiting.remove(&(until, sequence));
        self.running += 1;
        Some(queue.tries)
    }

    /// Notes that a running event was handled, or buried; the next one of its key gets in line.
    pub(crate) fn finish(&mut self, sequence: u64, now: Moment) {
        let Some((key, _)) = self.end_run(sequence) else {
            return;
        };
        self.heads.remove(&sequence);
        self.undone -= 1;
        let next = self.keys.get_mut(&key).and_then(|queue| {
            queue.events.pop_front();
            queue.events.front().copied()
        });
        let Some(next) = next else {
            self.keys.remove(&key);
            return;
        };
        let (until, tries) = self.turn(next, now);
        if let Some(queue) = self.keys.get_mut(&key) {
            (queue.head, queue.tries) = (Head::Waiting { until }, tries);
        }
        self.heads.insert(next, key);
        self.waiting.insert((until, next));
    }

    /// Notes that a running event failed: it blocks its key, and may begin again at `until`.
    pub(crate) fn fail(&mut self, sequence: u64, tries: Tries, until: Moment) {
        let Some((_, queue)) = self.end_run(sequence) else {
            return;
        };
        (queue.head, queue.tries) = (Head::Waiting { until }, tries);
        self.waiting.insert((until, sequence));
    }

    /// How many events should be read now; 0 while there is enough to do or no room.
    pub(crate) fn room(&self, now: Moment) -> usize {
        let backlog = self
            .window
            .saturating_mul(BACKLOG)
            .saturating_sub(self.undone);
        let due = self.waiting.range(..=(now, u64::MAX)).count();
        if due > self.window / 2 || self.keys.len() >= self.window {
            return 0;
        }
        // Not one by one, even where blocked keys leave little room: a query costs more than an event's memory.
        (self.window - self.keys.len())
            .max(self.window / 8)
            .min(backlog)
    }

    /// Every event up to here is handled or buried.
    pub(crate) fn cursor(&self) -> u64 {
        self.heads
            .first_key_value()
            .map_or(self.read, |(oldest, _)| oldest.saturating_sub(1))
    }

    /// Every event of the log up to here was seen.
    pub(crate) const fn read(&self) -> u64 {
        self.read
    }

    /// When the next event may begin; none while all handlers are busy, since one of them has to end first.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        self.waiting
            .first()
            .map(|(until, _)| *until)
            .filter(|_| self.running < self.concurrency)
    }

    /// How many events were read and are not done.
    #[cfg(test)]
    pub(crate) const fn undone(&self) -> usize {
        self.undone
    }

    /// Whether an event waits for its turn, at the head of its key or behind it.
    pub(crate) fn holds(&self, sequence: u64, key: &str) -> bool {
        self.keys.get(key).is_some_and(|queue| {
            let found = queue.events.binary_search(&sequence);
            found.is_ok_and(|place| place > 0 || queue.head != Head::Running)
        })
    }

    /// The events that wait behind `head`, which is the oldest of its key.
    pub(crate) fn behind(&self, head: u64) -> impl Iterator<Item = u64> {
        let queue = self.heads.get(&head).and_then(|key| self.keys.get(key));
        queue
            .into_iter()
            .flat_map(|queue| queue.events.iter().skip(1).copied())
    }

    /// When an event that becomes its key's head may start, and how often it was tried by earlier processes.
    fn turn(&mut self, sequence: u64, now: Moment) -> (Moment, Tries) {
        self.noted
            .remove(&sequence)
            .map_or((now, Tries::default()), |noted| {
                let tries = Tries {
                    attempts: noted.attempts,
                    row: noted.attempts,
                };
                (noted.retry_at.max(now), tries)
            })
    }

    fn end_run(&mut self, sequence: u64) -> Option<(Arc<str>, &mut Queue)> {
        let key = self.heads.get(&sequence)?;
        let queue = self
            .keys
            .get_mut(key)
            .filter(|queue| queue.head == Head::Running)?;
        self.running -= 1;
        Some((Arc::clone(key), queue))
    }
}
