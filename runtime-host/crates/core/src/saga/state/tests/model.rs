//! What a journal means, the slow and obvious way: all records in a list, and every question answered by reading it.

use crate::saga::{
    Action, Cause, Command, End, Outcome, Parked, Phase, Record, Stamped, Started, Undone,
};

/// A journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) records: Vec<Stamped>,
}

/// What has become of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Open,
    RollingBack,
    Committed,
    RolledBack,
}

impl Model {
    /// What `pick` takes from the records, in their order.
    fn all<'a, T>(&'a self, pick: impl Fn(u64, &'a Record) -> Option<T>) -> Vec<T> {
        let records = self.records.iter();
        records
            .filter_map(|one| pick(one.at, &one.record))
            .collect()
    }

    pub(super) fn last_at(&self) -> u64 {
        self.records.last().map_or(0, |stamped| stamped.at)
    }

    /// What was asked, and when; the place in this list is the ordinal.
    pub(super) fn commands(&self) -> Vec<(u64, &Command)> {
        self.all(|at, record| match record {
            Record::Issued { command, .. } => Some((at, command)),
            _ => None,
        })
    }

    pub(super) fn command(&self, ordinal: u32) -> Option<&Command> {
        let commands = self.commands();
        commands.get(ordinal as usize).map(|(_, command)| *command)
    }

    /// The ends of commands, in order.
    pub(super) fn ends(&self) -> Vec<(u32, &Outcome, u64)> {
        self.all(|at, record| match record {
            Record::Completed {
                ordinal, outcome, ..
            } => Some((*ordinal, outcome, at)),
            _ => None,
        })
    }

    fn has_ended(&self, ordinal: u32) -> bool {
        self.ends().iter().any(|(ended, ..)| *ended == ordinal)
    }

    /// Commands of which this is so, that take time and have not ended.
    fn open_ones(&self, is_wanted: impl Fn(&Command) -> bool) -> Vec<u32> {
        let is_open = |(ordinal, (_, command)): &(u32, (u64, &Command))| {
            !command.is_instant() && is_wanted(command) && !self.has_ended(*ordinal)
        };
        let open = (0..).zip(self.commands()).filter(is_open);
        open.map(|(ordinal, _)| ordinal).collect()
    }

    pub(super) fn open(&self) -> Vec<u32> {
        self.open_ones(|_| true)
    }

    fn open_steps(&self) -> Vec<u32> {
        self.open_ones(|command| matches!(command, Command::Step(_)))
    }

    pub(super) fn fate(&self, scope: u32) -> Option<Fate> {
        let Some(Command::Open { .. }) = self.command(scope) else {
            return None;
        };
        let fates =
            (0..)
                .zip(self.commands())
                .filter_map(|(ordinal, (_, command))| match command {
                    Command::Commit { scope: of } if *of == scope => Some(Fate::Committed),
                    Command::Rollback { scope: of, .. } if *of == scope => {
                        Some(if self.has_ended(ordinal) {
                            Fate::RolledBack
                        } else {
                            Fate::RollingBack
                        })
                    }
                    _ => None,
                });
        Some(fates.last().unwrap_or(Fate::Open))
    }

    pub(super) fn phase(&self) -> Phase {
        let turns = self.all(|_, record| match record {
            Record::RollbackStarted { cause } => Some(Phase::RollingBack(cause.clone())),
            Record::Ended { end } => Some(Phase::Ended(end.clone())),
            _ => None,
        });
        turns.last().cloned().unwrap_or(Phase::Forward)
    }

    pub(super) fn parked(&self) -> Option<(&Parked, u64)> {
        let turns = self.all(|at, record| match record {
            Record::Parked { reason } => Some(Some((reason, at))),
            Record::Resumed { .. } | Record::RollbackStarted { .. } | Record::Ended { .. } => {
                Some(None)
            }
            _ => None,
        });
        turns.last().copied().flatten()
    }

    pub(super) fn status(&self) -> &str {
        let texts = self.all(|_, record| match record {
            Record::Issued {
                command: Command::Status { text },
                ..
            } => Some(text.as_str()),
            _ => None,
        });
        texts.last().copied().unwrap_or_default()
    }

    pub(super) fn epoch(&self) -> u64 {
        let epochs = self.all(|_, record| match record {
            Record::OwnerChanged { epoch } => Some(*epoch),
            _ => None,
        });
        epochs.last().copied().unwrap_or_default()
    }

    pub(super) fn revision(&self) -> &str {
        let revisions = self.all(|_, record| match record {
            Record::Started(Started { revision, .. })
            | Record::RevisionChanged { revision, .. } => Some(revision.as_str()),
            _ => None,
        });
        revisions.last().copied().unwrap_or_default()
    }

    pub(super) fn has_signal(&self, wanted: &str) -> bool {
        let is_it = |_, record: &Record| {
            matches!(record, Record::Signalled { id, .. } if id == wanted).then_some(())
        };
        !self.all(is_it).is_empty()
    }

    fn waits_for(&self, ordinal: u32, name: &str) -> bool {
        matches!(self.command(ordinal), Some(Command::Wait { signal, .. }) if signal == name)
    }

    /// Payloads of that name which nobody has received, oldest first.
    fn inbox(&self, wanted: &str) -> Vec<&[u8]> {
        let sent = self.all(|_, record| match record {
            Record::Signalled { name, payload, .. } if name == wanted => Some(payload.as_slice()),
            _ => None,
        });
        let is_received = |(ordinal, outcome, _): &&(u32, &Outcome, u64)| {
            matches!(outcome, Outcome::Signal(_)) && self.waits_for(*ordinal, wanted)
        };
        let received = self.ends().iter().filter(is_received).count();
        sent.into_iter().skip(received).collect()
    }

    /// Each undo entry, its scope, and what became of it.
    pub(super) fn entries(&self) -> Vec<(u32, u32, Option<&Undone>)> {
        let how = |entry: u32| {
            let all = self.all(|_, record| match record {
                Record::Undone { ordinal, how } if *ordinal == entry => Some(how),
                _ => None,
            });
            all.first().copied()
        };
        self.all(|_, record| match record {
            Record::Issued {
                ordinal,
                command: Command::Register { scope, .. },
            } => Some((*ordinal, *scope, how(*ordinal))),
            _ => None,
        })
    }

    fn not_undone(&self, fates: &[Fate]) -> Vec<u32> {
        let is_one = |scope: u32| self.fate(scope).is_some_and(|fate| fates.contains(&fate));
        let newest_first = self.entries().into_iter().rev();
        newest_first
            .filter(|(_, scope, how)| how.is_none() && is_one(*scope))
            .map(|(ordinal, ..)| ordinal)
            .collect()
    }

    pub(super) fn pending(&self) -> Vec<u32> {
        self.not_undone(&[Fate::Open, Fate::RollingBack])
    }

    pub(super) fn next_undo(&self) -> Option<u32> {
        let due = match self.phase() {
            Phase::Forward => self.not_undone(&[Fate::RollingBack]),
            Phase::RollingBack(_) => self.pending(),
            Phase::Ended(_) => Vec::new(),
        };
        due.first().copied()
    }

    fn skipped(&self, of: Option<u32>) -> u32 {
        let is_skipped = |(_, scope, how): &(u32, u32, Option<&Undone>)| {
            of.is_none_or(|of| of == *scope) && matches!(how, Some(Undone::Skipped(_)))
        };
        let skipped = self
            .entries()
            .iter()
            .filter(|entry| is_skipped(entry))
            .count();
        u32::try_from(skipped).unwrap()
    }

    /// Whether this record may be the next one.
    pub(super) fn may_follow(&self, next: &Stamped) -> bool {
        let phase = self.phase();
        let is_forward = phase == Phase::Forward;
        if matches!(phase, Phase::Ended(_)) || next.at < self.last_at() {
            return false;
        }
        match &next.record {
            Record::Started(_) => false,
            Record::Issued { ordinal, command } => {
                is_forward
                    && self.parked().is_none()
                    && *ordinal as usize == self.commands().len()
                    && self.may_be_asked(command)
            }
            Record::Completed {
                ordinal, outcome, ..
            } => self.open().contains(ordinal) && self.may_end(*ordinal, outcome),
            Record::Signalled { id, .. } => !self.has_signal(id),
            Record::RollbackStarted { .. } => is_forward,
            Record::Undone { ordinal, .. } => {
                self.open_steps().is_empty() && self.next_undo() == Some(*ordinal)
            }
            Record::Parked { .. } => self.parked().is_none(),
            Record::Resumed { .. } => self.parked().is_some(),
            Record::OwnerChanged { epoch } => *epoch > self.epoch(),
            Record::RevisionChanged { .. } => true,
            Record::Ended { end } => self.may_end_with(end),
        }
    }

    fn may_be_asked(&self, command: &Command) -> bool {
        match command {
            Command::Register { scope, .. }
            | Command::Commit { scope }
            | Command::Rollback { scope, .. } => self.fate(*scope) == Some(Fate::Open),
            _ => true,
        }
    }

    fn may_end(&self, ordinal: u32, outcome: &Outcome) -> bool {
        let is_forward = self.phase() == Phase::Forward;
        match (self.command(ordinal), outcome) {
            (Some(Command::Step(_)), Outcome::Returned(_)) => true,
            (Some(Command::Step(_)), Outcome::Abandoned { .. }) => !is_forward,
            (Some(Command::Sleep { .. }), Outcome::Fired) => true,
            (Some(Command::Wait { timeout_ms, .. }), Outcome::TimedOut) => timeout_ms.is_some(),
            (Some(Command::Wait { signal, .. }), Outcome::Signal(payload)) => {
                self.inbox(signal).first() == Some(&payload.as_slice())
            }
            (Some(Command::Rollback { scope, .. }), Outcome::RolledBack { skipped }) => {
                is_forward
                    && self.open_steps().is_empty()
                    && self.next_undo().is_none()
                    && *skipped == self.skipped(Some(*scope))
            }
            _ => false,
        }
    }

    fn may_end_with(&self, end: &End) -> bool {
        let is_quiet = self.parked().is_none() && self.open_steps().is_empty();
        match (end, self.phase()) {
            (End::Completed { .. }, Phase::Forward) => is_quiet && self.pending().is_empty(),
            (End::RolledBack { cause, skipped }, Phase::RollingBack(why)) => {
                is_quiet
                    && *cause == why
                    && self.pending().is_empty()
                    && *skipped == self.skipped(None)
            }
            (End::Failed { .. }, _) => true,
            _ => false,
        }
    }

    /// What has to happen next.
    pub(super) fn actions(&self) -> Vec<Action> {
        if self.parked().is_some() {
            return Vec::new();
        }
        match self.phase() {
            Phase::Ended(_) => Vec::new(),
            Phase::RollingBack(cause) => self.backward(cause),
            Phase::Forward => {
                let asked = self.open().into_iter().filter_map(|one| self.asks(one));
                std::iter::once(Action::Play).chain(asked).collect()
            }
        }
    }

    fn backward(&self, cause: Cause) -> Vec<Action> {
        let steps = self.open_steps();
        if !steps.is_empty() {
            return steps.into_iter().map(Action::Settle).collect();
        }
        let skipped = self.skipped(None);
        let end = End::RolledBack { cause, skipped };
        let ended = Action::Record(Box::new(Record::Ended { end }));
        vec![self.next_undo().map_or(ended, Action::Undo)]
    }

    fn asks(&self, ordinal: u32) -> Option<Action> {
        let (asked_at, command) = self.commands()[ordinal as usize];
        let timer = |after: u64| Action::Timer(ordinal, asked_at + after * 1_000);
        match command {
            Command::Step(_) => Some(Action::Dispatch(ordinal)),
            Command::Sleep { milliseconds } => Some(timer(*milliseconds)),
            Command::Wait { signal, timeout_ms } => {
                // Who waited first is served first.
                let is_before = |one: &&u32| **one < ordinal && self.waits_for(**one, signal);
                let before = self.open().iter().filter(is_before).count();
                match self.inbox(signal).get(before) {
                    Some(payload) => Some(completed(ordinal, Outcome::Signal(payload.to_vec()))),
                    None => timeout_ms.map(timer),
                }
            }
            Command::Rollback { .. } if !self.open_steps().is_empty() => None,
            Command::Rollback { scope, .. } => match self.next_undo() {
                Some(entry) => {
                    let is_own = |(one, of, _): &(u32, u32, _)| *one == entry && of == scope;
                    self.entries()
                        .iter()
                        .any(is_own)
                        .then_some(Action::Undo(entry))
                }
                None => {
                    let skipped = self.skipped(Some(*scope));
                    Some(completed(ordinal, Outcome::RolledBack { skipped }))
                }
            },
            _ => None,
        }
    }
}

fn completed(ordinal: u32, outcome: Outcome) -> Action {
    Action::Record(Box::new(Record::Completed {
        ordinal,
        outcome,
        by: None,
    }))
}
