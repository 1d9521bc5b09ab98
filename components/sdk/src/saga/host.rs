//! The host's `skald:saga`.

use super::WaitError;

#[expect(missing_docs, reason = "the words are in wit/saga")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit/saga", world: "saga" });
}

pub use bindings::skald::saga::{flow, undo};

/// A scope of the host.
#[derive(Debug)]
pub(super) struct Scope(undo::Scope);

impl Scope {
    pub(super) fn new(name: &str) -> Self {
        Self(undo::Scope::new(name))
    }

    pub(super) fn commit(self) {
        self.0.commit();
    }

    pub(super) fn rollback(self, reason: &str) -> u32 {
        self.0.rollback(reason).err().unwrap_or(0)
    }

    pub(super) fn handle(&self) -> &undo::Scope {
        &self.0
    }
}

pub(super) fn status(text: &str) {
    flow::status(text);
}

pub(super) fn wait(signal: &str, timeout_millis: Option<u64>) -> Result<Vec<u8>, WaitError> {
    flow::wait(signal, timeout_millis).map_err(|error| match error {
        flow::WaitError::TimedOut => WaitError::TimedOut,
        flow::WaitError::Unsupported => WaitError::Unsupported,
    })
}
