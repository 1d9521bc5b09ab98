//! What the plans of the shop find as `sdk::saga`: scopes, statuses and signals that are asked of the coordinator.
//!
//! A plan waits for its answers, and a thread that waits would keep the time of a world from going on. So a plan is
//! [`read`] with the answers that there are; where there is none yet it stops, and is read again once there is one.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
};

use skald_core::saga::{Command, Outcome};

/// What a plan wants to know.
#[derive(Debug)]
pub(crate) enum Question {
    /// The ordinal of this command, which is asked for.
    Begin(Command),
    /// How the command with this ordinal ends.
    End(u32),
    /// The time.
    Now,
}

/// What it is told.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// The command was asked for, with this ordinal.
    Begun(u32),
    /// It has ended.
    Ended(Outcome),
    /// Microseconds since 1970.
    Now(u64),
}

/// How far a plan came.
#[derive(Debug)]
pub(crate) enum Read<T> {
    /// To its end.
    Ended(T),
    /// To a question without an answer.
    Asks(Question),
    /// To an answer that it cannot read.
    Trapped(String),
}

/// Why a plan stops; it travels as the payload of an unwinding.
enum Stop {
    Asks(Question),
    Trapped(String),
}

thread_local! {
    /// What the plan that is read on this thread is still told; the next thing is the last here.
    static TOLD: RefCell<Vec<Told>> = RefCell::default();
}

/// Reads a plan up to where it asks what it is not told.
pub(crate) fn read<T>(told: &[Told], plan: impl FnOnce() -> T) -> Read<T> {
    TOLD.set(told.iter().rev().cloned().collect());
    match panic::catch_unwind(AssertUnwindSafe(plan)) {
        Ok(ended) => Read::Ended(ended),
        Err(payload) => match payload.downcast::<Stop>().map(|stop| *stop) {
            Ok(Stop::Asks(question)) => Read::Asks(question),
            Ok(Stop::Trapped(why)) => Read::Trapped(why),
            Err(other) => panic::resume_unwind(other),
        },
    }
}

/// Stops the plan for good.
pub(crate) fn trap(why: String) -> ! {
    panic::resume_unwind(Box::new(Stop::Trapped(why)))
}

/// Asks for something, and answers with its ordinal.
pub(crate) fn begin(command: impl FnOnce() -> Command) -> u32 {
    match ask(|| Question::Begin(command())) {
        Told::Begun(ordinal) => ordinal,
        other => trap(format!("{other:?} is no ordinal")),
    }
}

/// Waits for the end of what was asked for.
pub(crate) fn end(ordinal: u32) -> Outcome {
    match ask(|| Question::End(ordinal)) {
        Told::Ended(outcome) => outcome,
        other => trap(format!("{other:?} is no end")),
    }
}

/// The time, in milliseconds since 1970.
pub(crate) fn now() -> u64 {
    match ask(|| Question::Now) {
        Told::Now(microseconds) => microseconds / 1_000,
        other => trap(format!("{other:?} is no time")),
    }
}

/// Most questions were asked before, when the plan was read the last time; only a new one is put into words.
fn ask(question: impl FnOnce() -> Question) -> Told {
    let told = TOLD.with_borrow_mut(Vec::pop);
    told.unwrap_or_else(|| panic::resume_unwind(Box::new(Stop::Asks(question()))))
}

/// Undo entries that stand and fall together.
#[derive(Debug)]
#[must_use = "a scope ends with commit or rollback"]
pub(crate) struct Scope(u32);

/// Why no signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitError {
    /// Nobody sent it in time.
    TimedOut,
    /// Nothing behind the plan can receive signals; here something can.
    #[expect(dead_code, reason = "plans have a word for it")]
    Unsupported,
}

// === impl Scope ===

impl Scope {
    /// An empty scope.
    pub(crate) fn new(name: &str) -> Self {
        Self(begin(|| Command::Open {
            name: name.to_owned(),
        }))
    }

    /// The effects stand.
    pub(crate) fn commit(self) {
        begin(|| Command::Commit { scope: self.0 });
    }

    /// Undoes everything, and answers how many entries a person skipped.
    pub(crate) fn rollback(self, reason: &str) -> u32 {
        let command = || Command::Rollback {
            scope: self.0,
            reason: reason.to_owned(),
        };
        match end(begin(command)) {
            Outcome::RolledBack { skipped } => skipped,
            other => trap(format!("a rollback ended with {other:?}")),
        }
    }

    /// The ordinal that opened it.
    pub(crate) const fn ordinal(&self) -> u32 {
        self.0
    }
}

/// Tells people where the run is.
pub(crate) fn status(text: &str) {
    begin(|| Command::Status {
        text: text.to_owned(),
    });
}

/// Waits for a signal.
pub(crate) fn wait(signal: &str, timeout_ms: Option<u64>) -> Result<Vec<u8>, WaitError> {
    let command = || Command::Wait {
        signal: signal.to_owned(),
        timeout_ms,
    };
    match end(begin(command)) {
        Outcome::Signal(payload) => Ok(payload),
        Outcome::TimedOut => Err(WaitError::TimedOut),
        other => trap(format!("a wait ended with {other:?}")),
    }
}
