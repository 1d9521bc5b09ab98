//! Which step of a run a call is, for services that want to know it again.

use skald_core::context::Once;

use crate::{
    bindings::skald::saga::caller::{Call, Host},
    state::State,
};

impl Host for State {
    async fn current(&mut self) -> wasmtime::Result<Option<Call>> {
        Ok(match self.slot().context().once {
            Some(Once::Step(step)) => Some(Call {
                run: step.run.clone(),
                key: step.key.clone(),
                undo: step.undo,
            }),
            Some(Once::Key(_) | Once::Inbox(_)) | None => None,
        })
    }
}
