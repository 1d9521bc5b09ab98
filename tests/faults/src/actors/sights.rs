//! What plays see.

use std::sync::Arc;

use parking_lot::Mutex;
use skald_core::saga::State;

/// What a play has seen, in order, until another play of the run begins.
pub(super) type Seen = Arc<Mutex<Sights>>;

/// The sights of one play.
#[derive(Default)]
pub(super) struct Sights {
    all: Vec<Sight>,
    is_over: bool,
}

/// One thing that a play has seen, and the record that it is known by.
struct Sight {
    by: Sign,
    text: String,
}

/// A record that is in a journal, or not yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// That this was asked.
    Issued(u32),
    /// That this has ended.
    Ended(u32),
}

// === impl Sights ===

impl Sights {
    /// One thing more, and when it is for the code.
    pub(super) fn add(&mut self, by: Sign, texts: [String; 2]) {
        if !self.is_over {
            self.all.extend(texts.map(|text| Sight { by, text }));
        }
    }

    /// In words.
    pub(super) fn texts(&self) -> Vec<String> {
        self.all.iter().map(|sight| sight.text.clone()).collect()
    }

    /// Another play of the run begins. What is in no journal was seen by nobody: it may come otherwise.
    pub(super) fn end(&mut self, journal: Option<&State>) {
        let is_durable = |sight: &&Sight| match (journal, sight.by) {
            (None, _) => false,
            (Some(state), Sign::Issued(ordinal)) => state.command(ordinal).is_some(),
            (Some(state), Sign::Ended(ordinal)) => state.outcome(ordinal).is_some(),
        };
        let durable = self.all.iter().take_while(is_durable).count();
        self.all.truncate(durable);
        self.is_over = true;
    }
}
