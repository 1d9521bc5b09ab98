//! The host functions behind a saga's imports: each call is a command to the stage.

use std::sync::Arc;

use skald_core::saga::{Command, Outcome, Step};
use wasmtime::component::{LinkerInstance, Val};

use crate::{
    config::Service,
    convert,
    saga::{Scope, trap, unfit},
    state::State,
};

/// A service's function that steps call.
pub(super) struct Target {
    step: Step,
    /// The interface with the function, for people and to tell tickets apart.
    name: Arc<str>,
}

impl Target {
    /// The interface is the one that the saga was built against: so a run goes on when the service has moved to a
    /// version that can stand for it.
    pub(super) fn new(service: &Service, interface: &str, function: &str) -> Self {
        Self {
            step: Step {
                target: service.target.to_string(),
                interface: interface.to_owned(),
                function: function.to_owned(),
                arguments: Vec::new(),
            },
            name: Arc::from(format!("{interface}#{function}")),
        }
    }

    /// A plain call: a step, and its answer.
    pub(super) fn define_call(
        self,
        provided: &mut LinkerInstance<'_, State>,
    ) -> wasmtime::Result<()> {
        let function = self.step.function.clone();
        let target = Arc::new(self);
        provided.func_new_async(&function, move |caller, _, params, results| {
            let (target, playing) = (Arc::clone(&target), caller.data().playing());
            Box::new(async move {
                let command = Command::Step(target.with(params)?);
                answer(playing?.perform(command).await?, results)
            })
        })
    }

    /// The beginning of a step.
    pub(super) fn define_start(
        self,
        provided: &mut LinkerInstance<'_, State>,
    ) -> wasmtime::Result<()> {
        let function = self.step.function.clone();
        provided.func_new(&function, move |caller, _, params, results| {
            let command = Command::Step(self.with(params)?);
            let playing = caller.data().playing()?;
            let ticket = playing.start(command, Arc::clone(&self.name))?;
            give(Some(Val::U32(ticket)), results)
        })
    }

    /// The answer of a step that was begun.
    pub(super) fn define_result(
        self,
        provided: &mut LinkerInstance<'_, State>,
        function: &str,
    ) -> wasmtime::Result<()> {
        let name = self.name;
        provided.func_new_async(function, move |caller, _, params, results| {
            let (name, playing) = (Arc::clone(&name), caller.data().playing());
            Box::new(async move { answer(playing?.result(ticket(params)?, &name).await?, results) })
        })
    }

    /// An undo entry.
    pub(super) fn define_undo(
        self,
        provided: &mut LinkerInstance<'_, State>,
    ) -> wasmtime::Result<()> {
        let function = self.step.function.clone();
        provided.func_new(&function, move |mut caller, _, params, _| {
            let Some((Val::Resource(scope), params)) = params.split_first() else {
                return Err(trap("a scope is expected".to_owned()));
            };
            let scope = scope.try_into_resource::<Scope>(&mut caller)?.rep();
            let undo = self.with(params)?;
            let playing = caller.data().playing()?;
            playing.issue(Command::Register { scope, undo }).map(drop)
        })
    }

    fn with(&self, params: &[Val]) -> wasmtime::Result<Step> {
        let arguments: Option<Vec<_>> = params.iter().map(convert::from_guest).collect();
        Ok(Step {
            arguments: arguments
                .ok_or_else(|| trap("an argument cannot leave its instance".to_owned()))?,
            ..self.step.clone()
        })
    }
}

fn ticket(params: &[Val]) -> wasmtime::Result<u32> {
    match params {
        [Val::U32(ticket)] => Ok(*ticket),
        _ => Err(trap("a ticket is expected".to_owned())),
    }
}

fn answer(outcome: Outcome, results: &mut [Val]) -> wasmtime::Result<()> {
    match outcome {
        Outcome::Returned(value) => give(value.as_ref().map(convert::to_guest), results),
        other => Err(unfit(&other)),
    }
}

/// Puts the answer where the guest expects it.
fn give(value: Option<Val>, results: &mut [Val]) -> wasmtime::Result<()> {
    match (value, results) {
        (None, []) => Ok(()),
        (Some(value), [result]) => {
            *result = value;
            Ok(())
        }
        _ => Err(trap("the answer is not of the function's type".to_owned())),
    }
}
