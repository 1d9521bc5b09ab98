//! What goes wrong with callees.

use std::collections::{HashMap, HashSet};

/// What goes wrong with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It fails before it takes effect.
    Before,
    /// What it asks of others outside is done, and then it fails.
    Halfway,
    /// It takes effect, and its answer is lost.
    After,
    /// It takes effect, and answers when nobody listens any more.
    Hang,
    /// The callee traps.
    Trap,
    /// It is delivered twice at once.
    Double,
    /// It takes so many milliseconds.
    Slow(u64),
    /// The callee has no room.
    Busy,
    /// The callee answers with an error it means.
    Refuse,
    /// The callee answers with so many bytes.
    Large(usize),
    /// What carries the attempt breaks.
    Panic,
}

/// What goes wrong with which step: attempt by attempt, the last one for ever if it is said so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    faults: HashMap<(u32, bool), (Vec<Fault>, bool)>,
    refused: HashSet<u32>,
    /// Steps whose callee does not know keys.
    pub forgetful: HashSet<u32>,
}

// === impl Plan ===

impl Plan {
    /// The callee refuses this step.
    pub fn refuse(&mut self, step: u32) {
        self.refused.insert(step);
    }

    /// Faults of a step, then none.
    pub fn forward(&mut self, step: u32, faults: impl IntoIterator<Item = Fault>) {
        self.set((step, false), faults, false);
    }

    /// Faults of a step's undo, then none.
    pub fn undo(&mut self, step: u32, faults: impl IntoIterator<Item = Fault>) {
        self.set((step, true), faults, false);
    }

    /// This fault once, where nothing goes wrong yet.
    pub fn add(&mut self, step: u32, is_undo: bool, fault: Fault) {
        let of = (step, is_undo);
        self.faults.entry(of).or_insert((vec![fault], false));
    }

    /// The same fault each time.
    pub fn always(&mut self, step: u32, is_undo: bool, fault: Fault) {
        self.set((step, is_undo), [fault], true);
    }

    fn set(&mut self, of: (u32, bool), faults: impl IntoIterator<Item = Fault>, is_endless: bool) {
        self.faults
            .insert(of, (faults.into_iter().collect(), is_endless));
    }

    /// The plans that are smaller than this one by one fault.
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for of in self.faults.keys() {
            let mut plan = self.clone();
            plan.faults.remove(of);
            all.push(plan);
        }
        for step in &self.refused {
            let mut plan = self.clone();
            plan.refused.remove(step);
            all.push(plan);
        }
        all
    }

    /// What goes wrong with this attempt, counted from 0.
    pub(super) fn fault(&self, of: (u32, bool), attempt: usize) -> Fault {
        if !of.1 && self.refused.contains(&of.0) {
            return Fault::Refuse;
        }
        let Some((faults, is_endless)) = self.faults.get(&of) else {
            return Fault::None;
        };
        let last = if *is_endless { faults.last() } else { None };
        faults.get(attempt).or(last).copied().unwrap_or(Fault::None)
    }
}
