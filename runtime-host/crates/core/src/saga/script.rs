//! Where the code of a saga is in its journal: a replay is answered from what is there, until it is where it was.
//!
//! Nothing here is recorded. A play begins with a new script; what it has passed decides what time it is for the code.

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use super::{Command, Outcome, Parked, State};

/// How far one play of the code has come.
#[derive(Clone, Debug)]
pub struct Script {
    /// The ordinal of the next command.
    next: u32,
    /// The time of the latest record that the code has come past.
    now: u64,
    /// Tickets that `join` has answered.
    joined: HashSet<u32>,
    patches: HashMap<String, bool>,
}

/// What becomes of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Issue {
    /// It is in the journal, under this ordinal.
    Replayed(u32),
    /// It is new, and has to be recorded under this ordinal; then [`Script::pass`] goes past it.
    New(u32),
    /// The journal has another one there.
    Mismatch(Parked),
}

/// A command that makes no sense: a mistake in the saga's code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Misuse {
    /// A scope is used after its end.
    #[error("scope {0} is not open: it was committed or rolled back before")]
    ScopeEnded(u32),
    /// A ticket that was never given.
    #[error("there is no ticket {0}")]
    NoTicket(u32),
    /// A join of nothing.
    #[error("none of the tickets is still out, so that nothing can be joined")]
    NothingToJoin,
}

// === impl Script ===

impl Script {
    /// At the beginning of the code.
    pub fn new(state: &State) -> Self {
        Self {
            next: 0,
            now: state.started_at(),
            joined: HashSet::new(),
            patches: HashMap::new(),
        }
    }

    /// What time it is for the code.
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// Whether all that the journal holds has been passed.
    pub fn is_live(&self, state: &State) -> bool {
        self.next >= state.commands()
    }

    /// The code asks for something.
    pub fn issue(&mut self, state: &State, command: &Command) -> Result<Issue, Misuse> {
        let ordinal = self.next;
        let Some(recorded) = state.command(ordinal) else {
            return match command {
                Command::Register { scope, .. }
                | Command::Commit { scope }
                | Command::Rollback { scope, .. }
                    if !state.is_scope_open(*scope) =>
                {
                    Err(Misuse::ScopeEnded(*scope))
                }
                _ => Ok(Issue::New(ordinal)),
            };
        };
        if !recorded.is_same(command) {
            let (expected, actual) = told_apart(recorded, command);
            return Ok(Issue::Mismatch(Parked::Mismatch {
                ordinal,
                expected,
                actual,
            }));
        }
        self.pass(state);
        Ok(Issue::Replayed(ordinal))
    }

    /// Goes past the command that comes next.
    pub fn pass(&mut self, state: &State) {
        if let Some(at) = state.issued_at(self.next) {
            self.now = self.now.max(at);
            self.next = self.next.saturating_add(1);
        }
    }

    /// How a command has ended, if it has.
    pub fn outcome(&mut self, state: &State, ordinal: u32) -> Result<Option<Outcome>, Misuse> {
        self.expect_ticket(state, ordinal)?;
        let Some((outcome, at)) = state.outcome(ordinal) else {
            return Ok(None);
        };
        self.now = self.now.max(at);
        Ok(Some(outcome.clone()))
    }

    /// Which of these has ended first, of those that were not answered before; none while none has ended.
    ///
    /// What ended first stays so, however many end later: so the answer is the same in every replay.
    pub fn join(&mut self, state: &State, tickets: &[u32]) -> Result<Option<u32>, Misuse> {
        for ticket in tickets {
            self.expect_ticket(state, *ticket)?;
        }
        let mut out = tickets
            .iter()
            .filter(|ticket| !self.joined.contains(ticket))
            .peekable();
        if out.peek().is_none() {
            return Err(Misuse::NothingToJoin);
        }
        let ended = out.filter_map(|ticket| Some((state.place(*ticket)?, *ticket)));
        let Some((_, first)) = ended.min() else {
            return Ok(None);
        };
        self.joined.insert(first);
        if let Some((_, at)) = state.outcome(first) {
            self.now = self.now.max(at);
        }
        Ok(Some(first))
    }

    /// Whether `join` has answered this ticket.
    pub fn has_joined(&self, ticket: u32) -> bool {
        self.joined.contains(&ticket)
    }

    /// Whether the code takes a branch: none where it does for the first time, and the command has to be issued.
    pub fn patched(&mut self, state: &State, id: &str) -> Option<bool> {
        if let Some(taken) = self.patches.get(id) {
            return Some(*taken);
        }
        let taken = match state.command(self.next) {
            None => {
                self.patches.insert(id.to_owned(), true);
                return None;
            }
            Some(Command::Patch { id: recorded }) => recorded == id,
            Some(_) => false,
        };
        if taken {
            self.pass(state);
        }
        self.patches.insert(id.to_owned(), taken);
        Some(taken)
    }

    /// The code has come to its end; a mismatch if the journal goes on.
    pub fn finish(&self, state: &State) -> Option<Parked> {
        let expected = state.command(self.next)?;
        Some(Parked::Mismatch {
            ordinal: self.next,
            expected: expected.to_string(),
            actual: "the end of the code".to_owned(),
        })
    }

    fn expect_ticket(&self, state: &State, ordinal: u32) -> Result<(), Misuse> {
        let takes_time = |command: &Command| !command.is_instant();
        let is_known = ordinal < self.next && state.command(ordinal).is_some_and(takes_time);
        if is_known {
            Ok(())
        } else {
            Err(Misuse::NoTicket(ordinal))
        }
    }
}

/// Two commands in words, so that their difference is seen: where it lies in what is usually cut off, the words are those
/// around it.
fn told_apart(one: &Command, other: &Command) -> (String, String) {
    const BEFORE: usize = 40;
    const LONGEST: usize = 200;
    let (short, other_short) = (one.to_string(), other.to_string());
    if short != other_short {
        return (short, other_short);
    }
    let (one, other) = (format!("{one:#}"), format!("{other:#}"));
    let is_same = |(one, other): &(u8, u8)| one == other;
    let same = one.bytes().zip(other.bytes()).take_while(is_same).count();
    let around = |text: &str| {
        let start = text.floor_char_boundary(same.saturating_sub(BEFORE));
        let end = text.floor_char_boundary(start.saturating_add(LONGEST));
        let (before, after) = (start > 0, end < text.len());
        let cut = |is_cut: bool| if is_cut { "…" } else { "" };
        let shown = text.get(start..end).unwrap_or_default();
        format!("{}{shown}{}", cut(before), cut(after))
    };
    (around(&one), around(&other))
}

#[cfg(test)]
mod tests;
