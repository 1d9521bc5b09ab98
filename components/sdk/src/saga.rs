//! The scope of a saga: what has to be undone if a later step fails. Undo is data, registered before its effect.
//!
//! The scope decides nothing: it keeps the entries and hands them back newest first. It lives in memory.

/// What is to be undone if the saga does not get through. `U` is the saga's own enum of undo steps.
#[derive(Debug)]
#[must_use = "a scope ends with commit or rollback"]
pub struct Scope<U> {
    name: &'static str,
    entries: Vec<U>,
}

/// An undo that did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed<U, E> {
    /// What was to be undone.
    pub undo: U,
    /// Why it was not.
    pub error: E,
}

/// How a rollback went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an undo that failed must not be forgotten"]
pub struct Rollback<U, E> {
    /// The scope's name.
    pub scope: &'static str,
    /// How many entries were undone.
    pub undone: usize,
    /// Those that were not, in the order tried.
    pub failed: Vec<Failed<U, E>>,
}

impl<U> Scope<U> {
    /// An empty scope.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            entries: Vec::new(),
        }
    }

    /// What reports call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Notes how the effect that comes next is undone. Call it *before* the effect: if its reply is lost, the effect
    /// may still have happened. So an undo must do no harm where there is nothing to undo.
    pub fn register(&mut self, undo: U) {
        self.entries.push(undo);
    }

    /// Forgets what was registered last: its effect was refused, so nothing happened that could be undone.
    pub fn withdraw(&mut self) {
        self.entries.pop();
    }

    /// What is registered, oldest first.
    pub fn entries(&self) -> &[U] {
        &self.entries
    }

    /// The effects stand; nothing is undone any more.
    pub fn commit(self) {}

    /// Undoes everything, newest first. An entry that fails does not keep the others from being tried.
    pub fn rollback<E>(self, mut undo: impl FnMut(&U) -> Result<(), E>) -> Rollback<U, E> {
        let mut report = Rollback {
            scope: self.name,
            undone: 0,
            failed: Vec::new(),
        };
        for entry in self.entries.into_iter().rev() {
            match undo(&entry) {
                Ok(()) => report.undone += 1,
                Err(error) => report.failed.push(Failed { undo: entry, error }),
            }
        }
        report
    }
}

impl<U, E> Rollback<U, E> {
    /// Whether everything was undone.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_withdrawn_is_not_undone() {
        let mut scope = Scope::new("order");
        for step in 0..3 {
            scope.register(step);
        }
        scope.withdraw();
        assert_eq!(scope.entries(), [0, 1]);
        let report = scope.rollback(|_| Ok::<(), ()>(()));
        assert_eq!(report.undone, 2);
    }

    proptest! {
        #[test]
        fn every_entry_is_tried_once_newest_first_whatever_fails(fails in prop::collection::vec(any::<bool>(), 0..20)) {
            let mut scope = Scope::new("order");
            for step in 0..fails.len() {
                scope.register(step);
            }
            let mut tried = Vec::new();
            let report = scope.rollback(|step| {
                tried.push(*step);
                if fails[*step] { Err("no") } else { Ok(()) }
            });
            prop_assert_eq!(tried, (0..fails.len()).rev().collect::<Vec<_>>());
            prop_assert_eq!(report.undone, fails.iter().filter(|fail| !**fail).count());
            prop_assert_eq!(report.is_complete(), !fails.contains(&true));
            for failed in &report.failed {
                prop_assert!(fails[failed.undo]);
            }
        }
    }
}
