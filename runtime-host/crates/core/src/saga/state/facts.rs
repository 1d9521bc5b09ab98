//! What is known of a run, for those who carry it and those who look at it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Phase, Scope, State, Undo};
use crate::saga::{Command, End, Outcome, Parked, RunId, Started, Step};

impl State {
    /// The run.
    pub const fn run(&self) -> &RunId {
        &self.started.run
    }

    /// How it began.
    pub const fn started(&self) -> &Started {
        &self.started
    }

    /// When it began, in microseconds since 1970.
    pub const fn started_at(&self) -> u64 {
        self.started_at
    }

    /// When the last record was made. No later record has an earlier time.
    pub const fn updated_at(&self) -> u64 {
        self.updated_at
    }

    /// The digest of the code it runs now.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Who carries it.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How many records there are.
    pub const fn records(&self) -> u32 {
        self.records
    }

    /// In which direction it goes.
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Whether its code may go on: it neither rolls back, nor waits for a person, nor has ended.
    pub fn goes_forward(&self) -> bool {
        self.phase == Phase::Forward && self.parked.is_none()
    }

    /// Why it waits for a person, and since when.
    pub fn parked(&self) -> Option<(&Parked, u64)> {
        self.parked.as_ref().map(|(reason, at)| (reason, *at))
    }

    /// What its code says of itself.
    pub fn status(&self) -> &str {
        &self.status
    }

    /// What was asked as number `ordinal`.
    pub fn command(&self, ordinal: u32) -> Option<&Command> {
        self.issued(ordinal).map(|issued| &issued.command)
    }

    /// When it was asked.
    pub fn issued_at(&self, ordinal: u32) -> Option<u64> {
        self.issued(ordinal).map(|issued| issued.at)
    }

    /// How many commands there are.
    pub fn commands(&self) -> u32 {
        u32::try_from(self.commands.len()).unwrap_or(u32::MAX)
    }

    /// How a command has ended, and when.
    pub fn outcome(&self, ordinal: u32) -> Option<(&Outcome, u64)> {
        let ended = self.ended.get(&ordinal)?;
        Some((&ended.outcome, ended.at))
    }

    /// As which one of all a command has ended.
    pub fn place(&self, ordinal: u32) -> Option<usize> {
        self.ended.get(&ordinal).map(|ended| ended.place)
    }

    /// Commands that take time and have not ended.
    pub const fn open(&self) -> &BTreeSet<u32> {
        &self.open
    }

    /// The undo entries, by the ordinals of the commands that registered them.
    pub const fn undos(&self) -> &BTreeMap<u32, Undo> {
        &self.undos
    }

    /// Whether a signal of this sending is there.
    pub fn has_signal(&self, id: &str) -> bool {
        self.signal_ids.contains(id)
    }

    /// The call of a step or of an undo entry.
    pub fn step(&self, ordinal: u32) -> Option<&Step> {
        match self.command(ordinal)? {
            Command::Step(step) | Command::Register { undo: step, .. } => Some(step),
            Command::Sleep { .. }
            | Command::Wait { .. }
            | Command::Open { .. }
            | Command::Commit { .. }
            | Command::Rollback { .. }
            | Command::Status { .. }
            | Command::Patch { .. } => None,
        }
    }

    /// Whether a scope takes entries, and can be committed or rolled back.
    pub fn is_scope_open(&self, scope: u32) -> bool {
        self.scopes.get(&scope) == Some(&Scope::Open)
    }

    /// The end, if the run has come to it.
    pub const fn end(&self) -> Option<&End> {
        match &self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Forward | Phase::RollingBack(_) => None,
        }
    }
}
