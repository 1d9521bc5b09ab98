//! Plays of a saga: each in an instance of its own, which ends with it.

use std::sync::Arc;

use skald_core::{
    call::{CallError, Reply},
    saga::{
        Input,
        play::{PlayError, Stage},
    },
};

use super::{Found, Runner, call_function, handle_message};
use crate::{
    error::call_error,
    saga::{Halt, Playing},
    state::State,
};

impl Runner {
    pub(crate) async fn play(
        &self,
        input: &Input,
        stage: Arc<dyn Stage>,
    ) -> Result<Reply, PlayError> {
        let input = input.to_call();
        let found = self.find(&input)?;
        let playing = Playing::new(stage);
        let halt: Halt = playing.halt();
        let ended = Box::pin(self.alone(found, playing)).await;
        // An error that the stage made the guest end with is none of the guest's.
        ended.map_err(|error| match halt.is_set() {
            true => PlayError::Stopped,
            false => PlayError::Crashed(error),
        })
    }

    async fn alone(&self, found: Found<'_>, playing: Playing) -> Result<Reply, CallError> {
        let state = State::of_run(Arc::clone(&self.shared), Arc::new(playing));
        let mut live = self.instantiate(state).await?;
        live.store.set_epoch_deadline(1);
        let outcome = match found {
            Found::Function(export, function) => call_function(&mut live, export, function).await,
            Found::Message(index, payload) => handle_message(&mut live, *index, payload).await,
            Found::Http(_) => Ok(Err(CallError::Engine("no run begins by HTTP".to_owned()))),
        };
        match outcome {
            Ok(ended) => ended,
            Err(error) => Err(call_error(&error, live.store.data().limits.refused())),
        }
    }
}
