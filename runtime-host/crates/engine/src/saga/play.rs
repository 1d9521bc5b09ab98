//! The engine as a player of runs.

use std::sync::Arc;

use skald_core::{
    call::{BoxFuture, Reply},
    manifest::ComponentId,
    saga::play::{Part, Play, PlayError, Stage},
};

use super::no_revision;
use crate::engine::Engine;

impl Play for Engine {
    fn play<'a>(
        &'a self,
        part: &'a Part,
        stage: Arc<dyn Stage>,
    ) -> BoxFuture<'a, Result<Reply, PlayError>> {
        Box::pin(async move {
            match self.saga(&part.component, &part.revision) {
                Some(runner) => runner.play(&part.input, stage).await,
                None => Err(PlayError::NoRevision(no_revision(
                    &part.component,
                    &part.revision,
                    self.current(&part.component).as_deref(),
                ))),
            }
        })
    }

    fn current(&self, component: &ComponentId) -> Option<String> {
        self.deployed_saga(component)
            .map(|runner| runner.revision.clone())
    }
}
