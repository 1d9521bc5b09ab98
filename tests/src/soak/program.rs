//! What a run of the soak does, as data: the driver draws it, the guest `saga-soak` carries it out, and the model says
//! what comes of it. This file is compiled into both sides.

use serde::{Deserialize, Serialize};

/// All that one run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// One after the other.
    pub acts: Vec<Act>,
}

/// One thing that a run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Tells people something.
    Say(String),
    /// Adds by a plain call.
    Add(Effect),
    /// Asks for what is refused, and goes on.
    Refused(Effect),
    /// Adds at several counters at once, and takes the answers in the order in which they come; a timer of so many
    /// milliseconds may run beside them.
    Fan(Vec<Effect>, Option<u64>),
    /// Begins to add, and never asks what came of it.
    Stray(Effect),
    /// Sleeps so many milliseconds.
    Sleep(u64),
    /// Waits for a signal, which says how much to add.
    Wait(String, Effect),
    /// Waits so many milliseconds for a signal that nobody sends.
    Miss(String, u64),
    /// Reads a counter, which says how much to add.
    Look(u32, Effect),
    /// Draws how much to add.
    Chance(Effect),
    /// Notes how an addition is undone that is never made.
    Vain(u32),
    /// Does all this in a scope of its own.
    Scope(Vec<Act>, Ending),
    /// Ends the run with an error.
    Fail(String),
}

/// An addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its name in the run.
    pub tag: u32,
    /// Where.
    pub key: u32,
    /// How much.
    pub amount: u32,
    /// How often, of a hundred calls, the counters trap instead.
    pub risk: u32,
}

/// How a scope ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Its effects stand.
    Commit,
    /// They are undone at once.
    Rollback,
    /// It is forgotten, so that they are undone when the run ends.
    Leave,
}

/// What is read from a counter is taken modulo this, and one more is added.
pub const LOOKED: u32 = 3;

/// What is drawn is taken modulo this, and one more is added.
pub const DRAWN: u32 = 6;
