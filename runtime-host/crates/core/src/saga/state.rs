//! What a journal says: a fold over its records, and what has to happen next.
//!
//! ```text
//!            Issued, Completed, Signalled
//!                 ┌──────┐                         Ended{completed}
//!  Started ──► Forward ──┴───────────────────────────────────────────► Ended
//!                 │  ▲                                                   ▲
//!   RollbackStarted  └──── Resumed ◄── parked ──── Ended{failed} ────────┤
//!                 ▼                      ▲                               │
//!            RollingBack ── Undone ──────┴─── Ended{rolled back} ────────┘
//! ```
//!
//! Being parked is no phase of its own: a parked run goes on in the phase it was in.

mod absorb;
mod facts;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use thiserror::Error;

use super::{Cause, Command, End, Outcome, Parked, Record, Stamped, Started, Undone};

/// What a journal says of its run.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub struct State {
    started: Started,
    started_at: u64,
    updated_at: u64,
    revision: String,
    epoch: u64,
    records: u32,
    phase: Phase,
    parked: Option<(Parked, u64)>,
    status: String,
    commands: Vec<Issued>,
    ended: HashMap<u32, Ended>,
    /// Commands that take time and have not ended.
    open: BTreeSet<u32>,
    scopes: BTreeMap<u32, Scope>,
    undos: BTreeMap<u32, Undo>,
    /// Signals that nobody has received.
    signals: VecDeque<(String, Vec<u8>)>,
    signal_ids: HashSet<String>,
}

/// In which direction a run goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Its code runs.
    Forward,
    /// Its code does not run any more; what it did is undone.
    RollingBack(Cause),
    /// Nothing happens any more.
    Ended(End),
}

/// An undo entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The scope it belongs to.
    pub scope: u32,
    /// How it was done with, if it was.
    pub how: Option<Undone>,
}

/// What a state asks of whoever carries the run.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Run the code, as far as it goes.
    Play,
    /// Make the call of this step, unless that is under way.
    Dispatch(u32),
    /// Wait for this step's call if it is under way, and give up on it if not.
    Settle(u32),
    /// Record the end of this command when the time has come, in microseconds since 1970.
    Timer(u32, u64),
    /// Make the call of this undo entry, unless that is under way.
    Undo(u32),
    /// Record this: it follows from what is recorded.
    Record(Box<Record>),
}

/// A record that cannot be where it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("record {record} cannot follow: {why}")]
pub struct Invalid {
    /// Its place in the journal, counted from 0.
    pub record: u32,
    /// Why it cannot be there.
    pub why: String,
}

/// A command and when it was asked.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
struct Issued {
    at: u64,
    command: Command,
}

/// How and when a command has ended, and as which one of all.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
struct Ended {
    at: u64,
    place: usize,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Open,
    RollingBack,
    Committed,
    RolledBack,
}

// === impl State ===

impl State {
    /// The state after a journal's first record.
    pub fn begin(first: Stamped) -> Result<Self, Invalid> {
        let Record::Started(started) = first.record else {
            let why = "a journal begins with how the run was started".to_owned();
            return Err(Invalid { record: 0, why });
        };
        Ok(Self {
            revision: started.revision.clone(),
            started,
            started_at: first.at,
            updated_at: first.at,
            epoch: 0,
            records: 1,
            phase: Phase::Forward,
            parked: None,
            status: String::new(),
            commands: Vec::new(),
            ended: HashMap::new(),
            open: BTreeSet::new(),
            scopes: BTreeMap::new(),
            undos: BTreeMap::new(),
            signals: VecDeque::new(),
            signal_ids: HashSet::new(),
        })
    }

    /// The state after all of a journal's records.
    pub fn fold(records: impl IntoIterator<Item = Stamped>) -> Result<Self, Invalid> {
        let mut records = records.into_iter();
        let first = records.next().ok_or_else(|| Invalid {
            record: 0,
            why: "the journal is empty".to_owned(),
        })?;
        let mut state = Self::begin(first)?;
        for record in records {
            state.absorb(record)?;
        }
        Ok(state)
    }

    /// Moves on by one record, and says what has to happen next. A record that cannot follow changes nothing.
    pub fn apply(&mut self, record: Stamped) -> Result<Vec<Action>, Invalid> {
        self.absorb(record)?;
        Ok(self.actions())
    }

    /// What has to happen next: the same on every start, whatever of it is under way already.
    pub fn actions(&self) -> Vec<Action> {
        if self.parked.is_some() {
            return Vec::new();
        }
        match &self.phase {
            Phase::Ended(_) => Vec::new(),
            Phase::Forward => {
                let mut actions = vec![Action::Play];
                actions.extend(
                    self.open
                        .iter()
                        .filter_map(|ordinal| self.forward(*ordinal)),
                );
                actions
            }
            Phase::RollingBack(cause) => self.backward(cause),
        }
    }

    /// What an open command asks for while the run goes forward.
    fn forward(&self, ordinal: u32) -> Option<Action> {
        let issued = self.issued(ordinal)?;
        let due = |milliseconds: u64| issued.at.saturating_add(milliseconds.saturating_mul(1_000));
        match &issued.command {
            Command::Step(_) => Some(Action::Dispatch(ordinal)),
            Command::Sleep { milliseconds } => Some(Action::Timer(ordinal, due(*milliseconds))),
            Command::Wait { signal, timeout_ms } => match self.signal_for(ordinal, signal) {
                Some(payload) => Some(completed(ordinal, Outcome::Signal(payload.to_vec()))),
                None => timeout_ms.map(|timeout| Action::Timer(ordinal, due(timeout))),
            },
            // What still runs might take effect after its undo.
            Command::Rollback { .. } if self.has_open_steps() => None,
            Command::Rollback { scope, .. } => match self.next_undo() {
                // An entry of another scope is asked for by the rollback of that one.
                Some(entry) => {
                    (self.undos.get(&entry)?.scope == *scope).then_some(Action::Undo(entry))
                }
                None => {
                    let skipped = self.skipped_in(*scope);
                    Some(completed(ordinal, Outcome::RolledBack { skipped }))
                }
            },
            Command::Open { .. }
            | Command::Register { .. }
            | Command::Commit { .. }
            | Command::Status { .. }
            | Command::Patch { .. } => None,
        }
    }

    /// What is left to undo: nothing is undone while a step may still take effect.
    fn backward(&self, cause: &Cause) -> Vec<Action> {
        let steps: Vec<Action> = self.open_steps().map(Action::Settle).collect();
        if !steps.is_empty() {
            return steps;
        }
        vec![match self.next_undo() {
            Some(ordinal) => Action::Undo(ordinal),
            None => Action::Record(Box::new(Record::Ended {
                end: End::RolledBack {
                    cause: cause.clone(),
                    skipped: self.skipped(),
                },
            })),
        }]
    }

    /// The newest entry that has to be undone now.
    pub fn next_undo(&self) -> Option<u32> {
        let is_due = |undo: &Undo| {
            undo.how.is_none()
                && match (&self.phase, self.scopes.get(&undo.scope)) {
                    (Phase::Forward, Some(Scope::RollingBack))
                    | (Phase::RollingBack(_), Some(Scope::Open | Scope::RollingBack)) => true,
                    (Phase::Ended(_), _)
                    | (_, None | Some(Scope::Committed | Scope::RolledBack | Scope::Open)) => false,
                }
        };
        let mut newest_first = self.undos.iter().rev();
        newest_first
            .find(|(_, undo)| is_due(undo))
            .map(|(ordinal, _)| *ordinal)
    }

    /// Entries that would be undone if the run were rolled back now, newest first.
    pub fn pending_undos(&self) -> impl Iterator<Item = u32> {
        let is_pending = |undo: &Undo| {
            undo.how.is_none()
                && matches!(
                    self.scopes.get(&undo.scope),
                    Some(Scope::Open | Scope::RollingBack)
                )
        };
        let newest_first = self.undos.iter().rev();
        newest_first
            .filter(move |(_, undo)| is_pending(undo))
            .map(|(ordinal, _)| *ordinal)
    }

    /// How many entries people have dealt with.
    fn skipped(&self) -> u32 {
        self.count_skipped(|_| true)
    }

    /// As many as that of one scope.
    fn skipped_in(&self, scope: u32) -> u32 {
        self.count_skipped(|undo| undo.scope == scope)
    }

    fn count_skipped(&self, which: impl Fn(&Undo) -> bool) -> u32 {
        let is_skipped = |undo: &&Undo| which(undo) && matches!(undo.how, Some(Undone::Skipped(_)));
        u32::try_from(self.undos.values().filter(is_skipped).count()).unwrap_or(u32::MAX)
    }

    fn open_steps(&self) -> impl Iterator<Item = u32> {
        let is_step = |ordinal: &u32| matches!(self.command(*ordinal), Some(Command::Step(_)));
        self.open.iter().copied().filter(is_step)
    }

    /// Whether a call has been asked for whose end is not recorded.
    pub fn has_open_steps(&self) -> bool {
        self.open_steps().next().is_some()
    }

    /// What this wait receives: whoever waited first is served first.
    fn signal_for(&self, ordinal: u32, name: &str) -> Option<&[u8]> {
        let is_same = |other: &&u32| matches!(self.command(**other), Some(Command::Wait { signal, .. }) if signal == name);
        let before = self.open.range(..ordinal).filter(is_same).count();
        let mut sent = self.signals.iter().filter(|(sent, _)| sent == name);
        sent.nth(before).map(|(_, payload)| payload.as_slice())
    }

    fn issued(&self, ordinal: u32) -> Option<&Issued> {
        self.commands.get(usize::try_from(ordinal).ok()?)
    }
}

fn completed(ordinal: u32, outcome: Outcome) -> Action {
    Action::Record(Box::new(Record::Completed {
        ordinal,
        outcome,
        by: None,
    }))
}

#[cfg(test)]
mod tests;
