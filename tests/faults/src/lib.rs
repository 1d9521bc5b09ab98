//! What has to hold for sagas whatever goes wrong, and everything going wrong.
//!
//! The coordinator is the real one. Around it is a world on one thread with a time of its own: journals that fail, in memory, in
//! files or on a real Redis, services
//! that write down what they did, code that is data, and hosts that die at every place where anything can be lost. The sagas
//! of the shop are there, too: their own plans over the own rules of the services they call.

// The domains of the components come with tests of their own, which belong where they are; there are none here.
#![cfg(not(test))]

pub mod actors;
pub mod cases;
pub mod dice;
pub mod files;
pub mod invariants;
pub mod ledger;
pub mod points;
pub mod program;
mod saga;
pub mod servers;
#[path = "../../../components/checkout/tests/services/services.rs"]
mod services;
pub mod shapes;
pub mod shelf;
pub mod shop;
pub mod story;
pub mod world;

use std::fmt;

// The domains of the components take what they need from `sdk`: here that is this crate, so that what their plans ask of
// a saga goes to the coordinator and not to a rehearsal.
extern crate self as sdk;
use guest_sdk::{clock, events, rest, unavailable};

/// Something that must not be.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    what: String,
    notes: Vec<String>,
}

// === impl Failure ===

impl Failure {
    /// What is wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            notes: Vec::new(),
        }
    }

    /// Where, and what leads there.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// What is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for note in &self.notes {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}

/// A test that fails prints its failure like this.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// A failure, unless it holds.
pub fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(what()))
    }
}
