//! Which calls that take effect once are running: of two sendings at once, one is sent away.
//!
//! It spares the second one a run in vain. What is correct is decided by the commit alone.

use std::collections::HashSet;

use parking_lot::Mutex;
use skald_core::call::CallError;

/// The names by which the running calls are known.
#[derive(Debug, Default)]
pub(super) struct Running(Mutex<HashSet<String>>);

/// One of them, until its call ends or is dropped.
#[derive(Debug)]
pub(super) struct Entered<'a> {
    running: &'a Running,
    name: &'a str,
}

// === impl Running ===

impl Running {
    /// Marks the name as running; fails where it is.
    pub(super) fn enter<'a>(&'a self, name: &'a str) -> Result<Entered<'a>, CallError> {
        if self.0.lock().insert(name.to_owned()) {
            Ok(Entered {
                running: self,
                name,
            })
        } else {
            Err(CallError::KeyRunning)
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.running.0.lock().remove(self.name);
    }
}
