//! Why a run is parked, was rolled back or was touched, in words.

use std::fmt;

use super::{By, Cause, Parked};

const LOST: &str = "the store has lost the end of the journal";
const DOUBT: &str = "the store is on other servers, and the node that carried the run is gone: the journal may have had \
                     more entries than";
const LOOK: &str = "look what was done since, then `retry` to go on from there, or `rollback`";

/// What happened, in one line.
impl fmt::Display for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StepFailed {
                ordinal,
                attempts,
                error,
            } => failed(f, ("step", ordinal), attempts, error),
            Self::StepUnknown { ordinal, error } => write!(
                f,
                "step {ordinal} may or may not have taken effect, and must not be sent twice: {error}"
            ),
            Self::UndoFailed {
                ordinal,
                attempts,
                error,
            } => failed(f, ("undo entry", ordinal), attempts, error),
            Self::Mismatch {
                ordinal,
                expected,
                actual,
            } => write!(
                f,
                "the code does not fit the journal at {ordinal}: it was {expected}, and is {actual}"
            ),
            Self::Crashed { attempts, error } => {
                write!(f, "the code crashed {}: {error}", times(*attempts))
            }
            Self::TooLarge {
                ordinal,
                size,
                limit,
            } => write!(f, "number {ordinal} has {size} bytes; {limit} are the most"),
            Self::HistoryFull { limit } => write!(f, "the journal has {limit} records, the most"),
            Self::NoRevision { revision, error } => {
                write!(f, "revision {revision} cannot run: {error}")
            }
            Self::Regressed { had, has } => lost(f, Some(had), has),
            Self::Doubtful { has } => lost(f, None, has),
        }
    }
}

fn lost(f: &mut fmt::Formatter<'_>, had: Option<&u64>, has: &u64) -> fmt::Result {
    match had {
        Some(had) => write!(f, "{LOST}: it had {had} entries and has {has}; {LOOK}"),
        None => write!(f, "{DOUBT} {has}; {LOOK}"),
    }
}

fn failed(
    f: &mut fmt::Formatter<'_>,
    (what, ordinal): (&str, &u32),
    attempts: &u32,
    error: &str,
) -> fmt::Result {
    write!(f, "{what} {ordinal} failed {}: {error}", times(*attempts))
}

/// How often, in words.
pub(crate) fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

/// Why, in one line.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { error, .. } => f.write_str(error),
            Self::Uncommitted => f.write_str("the code ended without committing its scope"),
            Self::Asked(by) => write!(f, "{by}"),
        }
    }
}

/// Who, with which verb, and why.
impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.verb, self.who)?;
        if self.why.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.why)
    }
}
