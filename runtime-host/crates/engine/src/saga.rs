//! Sagas: what an instance has in reach while it plays a run, and how a play begins and ends.
//!
//! Everything that could differ between a play and its replay comes from the stage: answers, time, chance.

mod host;
mod play;
mod playing;
mod world;

use skald_core::{
    call::{CallError, Request},
    manifest::ComponentId,
};
use wasmtime::component::{HasSelf, Linker};

pub(crate) use self::{
    playing::{Halt, Playing, trap, unfit},
    world::furnish,
};
use crate::{bindings, flavour::Flavour, state::State};

/// A scope of undo entries. Its handle is the ordinal of the command that opened it; dropping the handle does nothing.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "generated code names it")]
pub struct Scope;

/// Adds what only sagas have, and puts virtual clocks in the place of the real ones.
pub(crate) fn add_to_linker(linker: &mut Linker<State>, flavour: Flavour) -> wasmtime::Result<()> {
    world::replace_clocks(linker, flavour)?;
    bindings::Saga::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// A saga's code is no target of calls: a run begins by its coordinator, which journals it.
pub(crate) fn not_a_call(request: &Request) -> CallError {
    CallError::Engine(format!(
        "{} is a saga: its coordinator runs it, and no call does",
        request.target
    ))
}

/// The first digits of a revision, enough to tell it from others.
fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}

fn no_revision(component: &ComponentId, revision: &str, current: Option<&str>) -> String {
    match current {
        Some(current) => format!(
            "no code of {component} at revision {} is here, only {}; bring back the wasm file that the run began with, or \
             let the run go on with another revision",
            short(revision),
            short(current)
        ),
        None => format!(
            "no saga is named \"{component}\"; deploy it with saga = true under [component.{component}.tool.skald]"
        ),
    }
}
