//! What a saga asks of whoever runs it: scopes of undo entries, words for people, signals to wait for.
//!
//! A saga is plain code that calls services. The host writes down every call and its answer, and after a crash runs the
//! code again from the beginning, with the answers it had before; so the code has to do the same each time, and nothing
//! but calls may have effects. Natively the [`rehearsal`] stands in for the host: it replays in the same way, which is how
//! plans are tested.

#[cfg(target_family = "wasm")]
pub mod host;
#[cfg(not(target_family = "wasm"))]
pub mod rehearsal;

#[cfg(target_family = "wasm")]
use host as backend;
#[cfg(not(target_family = "wasm"))]
use rehearsal as backend;

/// Undo entries that stand and fall together. One that is not committed when the run ends, however it ends, is rolled
/// back.
#[derive(Debug)]
#[must_use = "a scope ends with commit or rollback"]
pub struct Scope(backend::Scope);

/// Why no signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// Nobody sent it in time.
    #[error("nobody sent it in time")]
    TimedOut,
    /// Nothing behind this saga can receive signals.
    #[error("signals cannot be received here")]
    Unsupported,
}

impl Scope {
    /// An empty scope. The name is for people.
    pub fn new(name: &str) -> Self {
        Self(backend::Scope::new(name))
    }

    /// The effects stand; nothing registered here is undone any more.
    pub fn commit(self) {
        self.0.commit();
    }

    /// Undoes everything registered here, newest first, and waits for it. What cannot be undone stops the run until a
    /// person has dealt with it; answers how many entries that person skipped.
    pub fn rollback(self, reason: &str) -> u32 {
        self.0.rollback(reason)
    }

    /// The scope as the companions of services take it: `orders_undo::abandon(scope.handle(), …)`. Register the undo
    /// *before* its effect: if the answer is lost, the effect may still have happened.
    #[cfg(target_family = "wasm")]
    pub fn handle(&self) -> &host::undo::Scope {
        self.0.handle()
    }

    /// Notes how the effect that comes next is undone, as the companions of services do.
    #[cfg(not(target_family = "wasm"))]
    pub fn register(&self, name: &str, undo: impl Fn() -> Result<(), String> + 'static) {
        self.0.register(name, undo);
    }
}

/// Tells people where the run is.
pub fn status(text: &str) {
    backend::status(text);
}

/// Waits for a signal, at most so many milliseconds, and answers with its payload. Each signal is received once, in the
/// order sent.
pub fn wait(signal: &str, timeout_millis: Option<u64>) -> Result<Vec<u8>, WaitError> {
    backend::wait(signal, timeout_millis)
}
