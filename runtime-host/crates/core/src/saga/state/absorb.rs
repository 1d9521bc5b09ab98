//! How each record moves a state on, and which records can be where.

use super::{Ended, Invalid, Issued, Phase, Scope, State, Undo};
use crate::saga::{Cause, Command, End, Outcome, Record, Stamped};

impl State {
    /// Moves on by one record. A record that cannot follow changes nothing.
    pub fn absorb(&mut self, stamped: Stamped) -> Result<(), Invalid> {
        let Stamped { at, record } = stamped;
        let record_number = self.records;
        let invalid = |why: String| Invalid {
            record: record_number,
            why,
        };
        if let Phase::Ended(_) = self.phase {
            return Err(invalid("the run has ended before".to_owned()));
        }
        if at < self.updated_at {
            return Err(invalid("it is older than the one before".to_owned()));
        }
        self.step_to(at, record).map_err(invalid)?;
        self.records = self.records.saturating_add(1);
        self.updated_at = at;
        Ok(())
    }

    fn step_to(&mut self, at: u64, record: Record) -> Result<(), String> {
        match record {
            Record::Started(_) => Err("the run has started before".to_owned()),
            Record::Issued { ordinal, command } => self.issue(at, ordinal, command),
            Record::Completed {
                ordinal, outcome, ..
            } => self.complete(at, ordinal, outcome),
            Record::Signalled { id, name, payload } => {
                if !self.signal_ids.insert(id) {
                    return Err("the signal was sent before".to_owned());
                }
                self.signals.push_back((name, payload));
                Ok(())
            }
            Record::RollbackStarted { cause } => self.roll_back(cause),
            Record::Undone { ordinal, how } => self.undone(ordinal, how),
            Record::Parked { reason } => match &self.parked {
                Some(_) => Err("the run is parked".to_owned()),
                None => {
                    self.parked = Some((reason, at));
                    Ok(())
                }
            },
            Record::Resumed { .. } => match self.parked.take() {
                Some(_) => Ok(()),
                None => Err("the run is not parked".to_owned()),
            },
            Record::OwnerChanged { epoch } if epoch > self.epoch => {
                self.epoch = epoch;
                Ok(())
            }
            Record::OwnerChanged { epoch } => {
                Err(format!("epoch {epoch} is not after {}", self.epoch))
            }
            Record::RevisionChanged { revision, .. } => {
                self.revision = revision;
                Ok(())
            }
            Record::Ended { end } => self.end_with(end),
        }
    }

    fn issue(&mut self, at: u64, ordinal: u32, command: Command) -> Result<(), String> {
        if !self.goes_forward() {
            return Err("the run's code does not run".to_owned());
        }
        if ordinal != self.commands() {
            return Err(format!(
                "it is number {ordinal} where {} comes next",
                self.commands()
            ));
        }
        match &command {
            Command::Open { .. } => {
                self.scopes.insert(ordinal, Scope::Open);
            }
            Command::Register { scope, .. } => {
                self.expect_open(*scope)?;
                let entry = Undo {
                    scope: *scope,
                    how: None,
                };
                self.undos.insert(ordinal, entry);
            }
            Command::Commit { scope } => {
                self.expect_open(*scope)?;
                self.scopes.insert(*scope, Scope::Committed);
            }
            Command::Rollback { scope, .. } => {
                self.expect_open(*scope)?;
                self.scopes.insert(*scope, Scope::RollingBack);
            }
            Command::Status { text } => self.status.clone_from(text),
            Command::Step(_)
            | Command::Sleep { .. }
            | Command::Wait { .. }
            | Command::Patch { .. } => {}
        }
        if !command.is_instant() {
            self.open.insert(ordinal);
        }
        self.commands.push(Issued { at, command });
        Ok(())
    }

    fn expect_open(&self, scope: u32) -> Result<(), String> {
        if self.is_scope_open(scope) {
            Ok(())
        } else {
            Err(format!("no scope {scope} is open"))
        }
    }

    fn complete(&mut self, at: u64, ordinal: u32, outcome: Outcome) -> Result<(), String> {
        let command = self.command(ordinal);
        let Some(command) = command.filter(|_| self.open.contains(&ordinal)) else {
            return Err(format!("nothing numbered {ordinal} is open"));
        };
        match (command, &outcome) {
            (Command::Wait { signal, .. }, Outcome::Signal(payload)) => {
                let place = self.received(signal, payload)?;
                self.signals.remove(place);
            }
            (Command::Rollback { scope, .. }, Outcome::RolledBack { skipped })
                if self.is_rolled_back(*scope, *skipped) =>
            {
                self.scopes.insert(*scope, Scope::RolledBack);
            }
            (command, outcome) if self.can_end(command, outcome) => {}
            _ => return Err(format!("number {ordinal} cannot end like this")),
        }
        self.open.remove(&ordinal);
        let place = self.ended.len();
        self.ended.insert(ordinal, Ended { at, place, outcome });
        Ok(())
    }

    /// Whether a command that concerns nothing else can end like this.
    const fn can_end(&self, command: &Command, outcome: &Outcome) -> bool {
        match (command, outcome) {
            (Command::Step(_), Outcome::Returned(_)) | (Command::Sleep { .. }, Outcome::Fired) => {
                true
            }
            (Command::Step(_), Outcome::Abandoned { .. }) => {
                matches!(self.phase, Phase::RollingBack(_))
            }
            (Command::Wait { timeout_ms, .. }, Outcome::TimedOut) => timeout_ms.is_some(),
            _ => false,
        }
    }

    /// The place of the signal that is received: the first one of its name.
    fn received(&self, name: &str, payload: &[u8]) -> Result<usize, String> {
        let place = self.signals.iter().position(|(sent, _)| sent == name);
        place
            .filter(|place| {
                let sent = self.signals.get(*place);
                sent.is_some_and(|(_, sent)| sent == payload)
            })
            .ok_or_else(|| format!("no such signal {name:?} was sent"))
    }

    /// Whether everything in a scope that the code rolls back is done with.
    fn is_rolled_back(&self, scope: u32, skipped: u32) -> bool {
        self.phase == Phase::Forward
            && !self.has_open_steps()
            && self.next_undo().is_none()
            && skipped == self.skipped_in(scope)
    }

    fn roll_back(&mut self, cause: Cause) -> Result<(), String> {
        if self.phase != Phase::Forward {
            return Err("the run rolls back".to_owned());
        }
        self.phase = Phase::RollingBack(cause);
        // Whoever rolls a parked run back has looked at it.
        self.parked = None;
        Ok(())
    }

    fn undone(&mut self, ordinal: u32, how: crate::saga::Undone) -> Result<(), String> {
        if self.has_open_steps() {
            return Err("a step has not ended".to_owned());
        }
        if self.next_undo() != Some(ordinal) {
            return Err(format!("entry {ordinal} is not the next one to undo"));
        }
        if let Some(entry) = self.undos.get_mut(&ordinal) {
            entry.how = Some(how);
        }
        Ok(())
    }

    fn end_with(&mut self, end: End) -> Result<(), String> {
        let is_quiet = self.parked.is_none() && !self.has_open_steps();
        let ends = match (&end, &self.phase) {
            (End::Completed { .. }, Phase::Forward) => {
                // A timer or a signal that the code did not wait for any more is of no interest.
                is_quiet && self.pending_undos().next().is_none()
            }
            (End::RolledBack { cause, skipped }, Phase::RollingBack(why)) => {
                is_quiet && cause == why && self.next_undo().is_none() && *skipped == self.skipped()
            }
            (End::Failed { .. }, Phase::Forward | Phase::RollingBack(_)) => true,
            (End::Completed { .. }, Phase::RollingBack(_) | Phase::Ended(_))
            | (End::RolledBack { .. }, Phase::Forward | Phase::Ended(_))
            | (End::Failed { .. }, Phase::Ended(_)) => false,
        };
        if !ends {
            return Err("the run is not where it can end like this".to_owned());
        }
        self.parked = None;
        self.phase = Phase::Ended(end);
        Ok(())
    }
}
