//! Whether others have changed under a unit what it was about to read.

use std::sync::{Arc, OnceLock};

use crate::store::{StoreError, Subject};

/// Whether, and over what, a unit was outrun by others while it read. Clones look at the same unit.
#[derive(Clone, Debug, Default)]
pub struct Outrun(Arc<OnceLock<Subject>>);

// === impl Outrun ===

impl Outrun {
    /// What has changed under the unit.
    pub fn over(&self) -> Option<&Subject> {
        self.0.get()
    }

    pub(super) fn note<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Changed(subject)) = &read {
            // The first is enough.
            let _ = self.0.set(subject.clone());
        }
        read
    }
}
