//! Counts the plays that there are at once.

use std::sync::Arc;

use parking_lot::Mutex;

/// One of them, while it is there; beside the count is the most there ever were.
pub(super) struct Place(Arc<Mutex<(usize, usize)>>);

// === impl Place ===

impl Place {
    /// One more.
    pub(super) fn take(playing: &Arc<Mutex<(usize, usize)>>) -> Self {
        let mut count = playing.lock();
        count.0 += 1;
        count.1 = count.1.max(count.0);
        Self(Arc::clone(playing))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().0 -= 1;
    }
}
