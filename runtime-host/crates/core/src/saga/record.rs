//! What a journal holds: records of what was asked, what came of it, and what people did.

mod words;

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub(crate) use self::words::times;
use super::{Command, Outcome, RunId};
use crate::{
    call::{self, Function},
    manifest::ComponentId,
    value::Value,
};

/// A time as records have it: microseconds since 1970.
pub fn micros(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// A record and when it was made, in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// When.
    pub at: u64,
    /// What.
    pub record: Record,
}

/// One thing that happened to a run. The order of the cases is part of the format: new ones come last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// The run began; always the first.
    Started(Started),
    /// The saga's code asked for something.
    Issued {
        /// Which command of the run this is, counted from 0.
        ordinal: u32,
        /// What it asked for.
        command: Command,
    },
    /// Something that was asked for has ended.
    Completed {
        /// Which command.
        ordinal: u32,
        /// How.
        outcome: Outcome,
        /// Who said so, if it was a person.
        by: Option<By>,
    },
    /// Somebody sent a signal.
    Signalled {
        /// The sender's name for this sending: the same one twice is one signal.
        id: String,
        /// The signal's name.
        name: String,
        /// What came with it.
        payload: Vec<u8>,
    },
    /// From here on the run only undoes.
    RollbackStarted {
        /// Why.
        cause: Cause,
    },
    /// An undo entry is done with.
    Undone {
        /// The ordinal of the command that registered it.
        ordinal: u32,
        /// How.
        how: Undone,
    },
    /// The run stops until a person has looked at it.
    Parked {
        /// Why.
        reason: Parked,
    },
    /// The run goes on.
    Resumed {
        /// Who said so.
        by: By,
    },
    /// Another coordinator, or the same one after a restart, has taken the run over.
    OwnerChanged {
        /// Its epoch.
        epoch: u64,
    },
    /// The run goes on with other code.
    RevisionChanged {
        /// The digest of that code.
        revision: String,
        /// Who said so.
        by: By,
    },
    /// The run has ended; always the last.
    Ended {
        /// How.
        end: End,
    },
}

/// How a run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Whose code it runs.
    pub component: String,
    /// The digest of that code.
    pub revision: String,
    /// What began it.
    pub key: String,
    /// What it is about, for people who look for it: the subject of the event.
    pub subject: String,
    /// What it was asked.
    pub input: Input,
    /// The W3C `traceparent` it began under.
    pub trace: String,
    /// On whose behalf.
    pub principal: Option<String>,
}

/// What a saga can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// A message of a topic.
    Message(Vec<u8>),
    /// A call of an exported function.
    Function {
        /// The interface.
        interface: String,
        /// The function's name in it.
        name: String,
        /// One value for each parameter.
        arguments: Vec<Value>,
    },
}

/// Who did something to a run by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Who.
    pub who: String,
    /// With which verb: `skip`, `rollback`.
    pub verb: String,
    /// Why, in words.
    pub why: String,
}

/// Why a run undoes what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Cause {
    /// The saga's code answered with an error.
    Refused {
        /// The error in words.
        error: String,
        /// The typed answer, where it is a function's.
        answer: Option<Value>,
    },
    /// The saga's code ended well, but had not committed everything.
    Uncommitted,
    /// Somebody asked for it.
    Asked(By),
}

/// How an undo entry was done with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Undone {
    /// It was called, and answered well.
    Done,
    /// A person has dealt with it.
    Skipped(By),
}

/// Why a run waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parked {
    /// A step could not be done.
    StepFailed {
        /// Which command.
        ordinal: u32,
        /// How often it was tried.
        attempts: u32,
        /// What went wrong last.
        error: String,
    },
    /// Nobody knows whether a step that must not be sent twice took effect.
    StepUnknown {
        /// Which command.
        ordinal: u32,
        /// What went wrong.
        error: String,
    },
    /// An undo entry could not be done.
    UndoFailed {
        /// The ordinal of the command that registered it.
        ordinal: u32,
        /// How often it was tried.
        attempts: u32,
        /// What went wrong last.
        error: String,
    },
    /// The code asks for something else than the journal says it did.
    Mismatch {
        /// At which command.
        ordinal: u32,
        /// What the journal says.
        expected: String,
        /// What the code asks.
        actual: String,
    },
    /// The code trapped, or went over a limit, again and again.
    Crashed {
        /// How often.
        attempts: u32,
        /// What went wrong last.
        error: String,
    },
    /// Something is too large for the journal.
    TooLarge {
        /// Which command.
        ordinal: u32,
        /// Its size in bytes.
        size: u64,
        /// The most.
        limit: u64,
    },
    /// The journal has as many records as a journal may have.
    HistoryFull {
        /// The most.
        limit: u32,
    },
    /// The code the run began with is not there, or does not fit the other components any more.
    NoRevision {
        /// Its digest.
        revision: String,
        /// Why it cannot run.
        error: String,
    },
    /// The store has lost what it had said was durable. What the run has done since is not known.
    Regressed {
        /// How many entries the journal had.
        had: u64,
        /// How many there are.
        has: u64,
    },
    /// Other servers keep the store than when another owner wrote last, and that one can say no more whether they have all
    /// of it.
    Doubtful {
        /// How many entries there are.
        has: u64,
    },
}

/// How a run has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    /// The code got through; a function's answer, if it is one.
    Completed {
        /// The answer.
        answer: Option<Value>,
    },
    /// Everything is undone.
    RolledBack {
        /// Why.
        cause: Cause,
        /// So many entries a person has dealt with.
        skipped: u32,
    },
    /// A person ended it as it was.
    Failed {
        /// Who.
        by: By,
        /// So many entries were not undone.
        left: u32,
    },
}

// === impl Input ===

impl Input {
    /// As a call; none where a saga cannot be asked this.
    pub fn of(input: &call::Input) -> Option<Self> {
        match input {
            call::Input::Message(payload) => Some(Self::Message(payload.to_vec())),
            call::Input::Function(function) => Some(Self::Function {
                interface: function.interface.to_string(),
                name: function.name.to_string(),
                arguments: function.arguments.clone(),
            }),
            call::Input::Http(_) => None,
        }
    }

    /// As the engine takes it.
    pub fn to_call(&self) -> call::Input {
        match self {
            Self::Message(payload) => call::Input::Message(payload.clone().into()),
            Self::Function {
                interface,
                name,
                arguments,
            } => call::Input::Function(Function {
                interface: interface.as_str().into(),
                name: name.as_str().into(),
                arguments: arguments.clone(),
            }),
        }
    }
}

impl Started {
    /// Whose code it runs.
    pub fn component(&self) -> ComponentId {
        ComponentId::from(self.component.as_str())
    }
}
