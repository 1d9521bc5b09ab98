//! What the code of a saga asks for, and what it can be answered.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// A call of another component's function, as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The component that is asked.
    pub target: String,
    /// The interface in the version that the saga was built against: `shop:inventory/api@1.0.0`. What the component exports
    /// later may be a newer one that can stand for it.
    pub interface: String,
    /// The function's name in it.
    pub function: String,
    /// One value for each parameter.
    pub arguments: Vec<Value>,
}

/// What the code of a saga asks for. Each one has the next ordinal, and a replay asks the same in the same order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Call another component.
    Step(Step),
    /// Wait so long.
    Sleep {
        /// How long.
        milliseconds: u64,
    },
    /// Wait for a signal.
    Wait {
        /// Its name.
        signal: String,
        /// For how long at most.
        timeout_ms: Option<u64>,
    },
    /// Open a scope; it is known by the ordinal of this command.
    Open {
        /// For people.
        name: String,
    },
    /// Note how an effect that comes later is undone.
    Register {
        /// The ordinal of the scope's `Open`.
        scope: u32,
        /// The call that undoes it.
        undo: Step,
    },
    /// Keep the effects of a scope.
    Commit {
        /// The ordinal of the scope's `Open`.
        scope: u32,
    },
    /// Undo the effects of a scope.
    Rollback {
        /// The ordinal of the scope's `Open`.
        scope: u32,
        /// Why, for people.
        reason: String,
    },
    /// Tell people where the run is.
    Status {
        /// In words.
        text: String,
    },
    /// Take a branch that older runs of the same code did not have.
    Patch {
        /// The branch's name.
        id: String,
    },
}

/// How a command that takes time has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The call was answered; nothing where the function returns nothing. A typed error is an answer.
    Returned(Option<Value>),
    /// The time is over.
    Fired,
    /// The signal came, with this payload.
    Signal(Vec<u8>),
    /// The signal did not come in time.
    TimedOut,
    /// The scope is rolled back; so many entries were skipped by a person.
    RolledBack {
        /// How many.
        skipped: u32,
    },
    /// Given up on without knowing whether it took effect. The saga's code never sees this: it is rolled back.
    Abandoned {
        /// What went wrong last.
        error: String,
    },
}

// === impl Command ===

impl Command {
    /// Whether the command is done as soon as it is recorded.
    pub const fn is_instant(&self) -> bool {
        match self {
            Self::Open { .. }
            | Self::Register { .. }
            | Self::Commit { .. }
            | Self::Status { .. }
            | Self::Patch { .. } => true,
            Self::Step(_) | Self::Sleep { .. } | Self::Wait { .. } | Self::Rollback { .. } => false,
        }
    }

    /// Whether this is the same command to the bit: not-a-number equals itself here, and 0 is not -0.
    pub fn is_same(&self, other: &Self) -> bool {
        let (one, other) = (postcard::to_stdvec(self), postcard::to_stdvec(other));
        matches!((one, other), (Ok(one), Ok(other)) if one == other)
    }
}

/// A time in the largest unit that says it exactly.
fn span(milliseconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let fits =
        |(size, _): &&(u64, &str)| milliseconds >= *size && milliseconds.is_multiple_of(*size);
    match UNITS.iter().find(fits) {
        Some((size, unit)) => format!("{} {unit}", milliseconds / size),
        None => format!("{milliseconds} ms"),
    }
}

/// As a mismatch and a timeline tell it.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(f),
            Self::Sleep { milliseconds } => write!(f, "sleep {}", span(*milliseconds)),
            Self::Wait {
                signal,
                timeout_ms: None,
            } => write!(f, "wait for signal {signal:?}"),
            Self::Wait {
                signal,
                timeout_ms: Some(timeout),
            } => write!(f, "wait for signal {signal:?}, {} at most", span(*timeout)),
            Self::Open { name } => write!(f, "open scope {name:?}"),
            Self::Register { scope, undo } => {
                write!(f, "undo of scope {scope}: ")?;
                undo.fmt(f)
            }
            Self::Commit { scope } => write!(f, "commit scope {scope}"),
            Self::Rollback { scope, reason } => write!(f, "roll back scope {scope}: {reason}"),
            Self::Status { text } => write!(f, "status {text:?}"),
            Self::Patch { id } => write!(f, "patch {id:?}"),
        }
    }
}

/// The function and its arguments; long ones are cut. The alternate form (`{:#}`) is whole, and tells the target too.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 200;
        let arguments: Vec<String> = self.arguments.iter().map(ToString::to_string).collect();
        let mut text = arguments.join(", ");
        if f.alternate() {
            write!(f, "{}: ", self.target)?;
        } else if text.len() > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST));
            text.push('…');
        }
        write!(f, "{}.{}({text})", self.interface, self.function)
    }
}

#[cfg(test)]
mod tests;
