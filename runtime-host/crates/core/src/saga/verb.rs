//! What people do to a run: which records a verb leads to, or why it cannot be done now.

use thiserror::Error;

use super::{By, Cause, Command, End, Outcome, Parked, Phase, Record, State, Undone};
use crate::value::Value;

/// What somebody wants of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Try again what the run is parked on.
    Retry,
    /// Take what the run is parked on as done: an undo entry, or a step with this answer.
    Skip {
        /// The step's answer.
        answer: Option<Value>,
    },
    /// End the run as it is, with nothing more undone.
    Fail,
    /// Stop going forward, and undo what was done.
    Rollback,
    /// The same, of whoever no longer wants what the run is for. Of no effect on a run that rolls back.
    Cancel,
    /// Go on with other code; that it fits the journal was tried before.
    Upgrade {
        /// The digest of that code.
        revision: String,
    },
}

/// Why a verb cannot be done, and what can.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The run has ended.
    #[error("the run has ended; `skald saga rerun` begins a new one from it")]
    HasEnded,
    /// The verb is for parked runs.
    #[error("the run is not parked; `skald saga why` says what it waits for")]
    NotParked,
    /// It undoes already.
    #[error("the run rolls back already; retry or skip the entry it is parked on")]
    RollsBack,
    /// What it is parked on has no answer that could be given.
    #[error("there is nothing to skip: {0}")]
    NothingToSkip(&'static str),
}

// === impl Verb ===

impl Verb {
    /// As people type it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip { .. } => "skip",
            Self::Fail => "fail",
            Self::Rollback => "rollback",
            Self::Cancel => "cancel",
            Self::Upgrade { .. } => "upgrade",
        }
    }
}

impl State {
    /// The records that do what is wanted; none where it is so already.
    pub fn decide(&self, verb: &Verb, by: By) -> Result<Vec<Record>, Refusal> {
        if self.end().is_some() {
            return Err(Refusal::HasEnded);
        }
        let is_back = matches!(self.phase(), Phase::RollingBack(_));
        match verb {
            Verb::Retry => match self.parked() {
                Some(_) => Ok(vec![Record::Resumed { by }]),
                None => Err(Refusal::NotParked),
            },
            Verb::Skip { answer } => self.skip(answer.as_ref(), by),
            Verb::Fail => {
                let left = u32::try_from(self.pending_undos().count()).unwrap_or(u32::MAX);
                let end = End::Failed { by, left };
                Ok(vec![Record::Ended { end }])
            }
            Verb::Cancel if is_back => Ok(Vec::new()),
            Verb::Rollback if is_back => Err(Refusal::RollsBack),
            Verb::Cancel | Verb::Rollback => {
                let cause = Cause::Asked(by);
                Ok(vec![Record::RollbackStarted { cause }])
            }
            Verb::Upgrade { revision } => {
                let mut records = Vec::new();
                if revision != self.revision() {
                    records.push(Record::RevisionChanged {
                        revision: revision.clone(),
                        by: by.clone(),
                    });
                }
                if self.parked().is_some() {
                    records.push(Record::Resumed { by });
                }
                Ok(records)
            }
        }
    }

    fn skip(&self, answer: Option<&Value>, by: By) -> Result<Vec<Record>, Refusal> {
        let Some((reason, _)) = self.parked() else {
            return Err(Refusal::NotParked);
        };
        let done = match reason {
            Parked::UndoFailed { ordinal, .. } => Record::Undone {
                ordinal: *ordinal,
                how: Undone::Skipped(by.clone()),
            },
            Parked::StepFailed { ordinal, .. }
            | Parked::StepUnknown { ordinal, .. }
            | Parked::TooLarge { ordinal, .. }
                if matches!(self.command(*ordinal), Some(Command::Step(_))) =>
            {
                Record::Completed {
                    ordinal: *ordinal,
                    outcome: Outcome::Returned(answer.cloned()),
                    by: Some(by.clone()),
                }
            }
            Parked::StepFailed { .. }
            | Parked::StepUnknown { .. }
            | Parked::TooLarge { .. }
            | Parked::HistoryFull { .. }
            | Parked::Regressed { .. }
            | Parked::Doubtful { .. } => {
                return Err(Refusal::NothingToSkip("it is no step; roll the run back"));
            }
            Parked::Mismatch { .. } => {
                let why = "the code does not fit the journal; upgrade or roll the run back";
                return Err(Refusal::NothingToSkip(why));
            }
            Parked::Crashed { .. } | Parked::NoRevision { .. } => {
                let why = "the code does not run; retry, upgrade or roll the run back";
                return Err(Refusal::NothingToSkip(why));
            }
        };
        Ok(vec![done, Record::Resumed { by }])
    }
}
