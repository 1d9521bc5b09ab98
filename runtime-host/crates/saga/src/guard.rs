//! What this node remembers of journals by itself, so that it notices when the store has lost their ends.

use skald_core::saga::RunId;

/// A memory outside the store. What it forgets does no harm but that a loss goes unnoticed.
pub trait Guard: Send + Sync + 'static {
    /// A journal has so many entries, and the store says that they are durable.
    fn note(&self, run: &RunId, entries: u64);

    /// How many entries a journal had when this node wrote it last, if it remembers.
    fn had(&self, run: &RunId) -> Option<u64>;

    /// The runs that have not ended as far as it knows, and how many entries their journals had.
    fn open(&self) -> Vec<(RunId, u64)>;

    /// A run has ended, and can be forgotten when room is needed.
    fn forget(&self, run: &RunId);
}

/// For a store that loses nothing without saying so.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoGuard;

impl Guard for NoGuard {
    fn note(&self, _run: &RunId, _entries: u64) {}

    fn had(&self, _run: &RunId) -> Option<u64> {
        None
    }

    fn open(&self) -> Vec<(RunId, u64)> {
        Vec::new()
    }

    fn forget(&self, _run: &RunId) {}
}
