//! Sagas in several revisions: a run goes on with the code that it began with.

use std::{path::Path, sync::Arc};

use skald_core::manifest::ComponentId;
use wasmtime::component::Linker;

use super::{Compiled, Engine, failed};
use crate::{
    config::Spec,
    error::EngineError,
    flavour::Flavour,
    link::{self, Linking},
    run::Runner,
    saga,
    state::State,
};

impl Engine {
    /// Makes another revision of a deployed saga ready, against what the other components export today. Blocks for as
    /// long as the compiler needs. Runs that began with that revision can then be played.
    pub fn revive(
        &self,
        component: &ComponentId,
        revision: &str,
        wasm: &Path,
    ) -> Result<(), EngineError> {
        if self.saga(component, revision).is_some() {
            return Ok(());
        }
        let current = self
            .deployed_saga(component)
            .ok_or_else(|| EngineError::NoSaga(component.clone()))?;
        let compiled = self.compile(Spec {
            source: wasm.to_owned(),
            ..current.shared.spec.clone()
        })?;
        if compiled.revision != revision {
            return Err(EngineError::OtherRevision {
                component: component.clone(),
                path: wasm.to_owned(),
                expected: revision.to_owned(),
                actual: compiled.revision,
            });
        }
        let linker = self.linked(&compiled)?;
        let (id, runner) = self.runner(compiled, &linker)?;
        let key = (id, revision.to_owned());
        self.revived.write().insert(key, Arc::new(runner));
        Ok(())
    }

    /// The code that new runs of a saga begin with.
    pub(crate) fn deployed_saga(&self, component: &ComponentId) -> Option<&Arc<Runner>> {
        let runner = self.runners.get()?.get(component)?;
        runner.shared.spec.saga.then_some(runner)
    }

    /// The code of a saga, if it is deployed or revived.
    pub(crate) fn saga(&self, component: &ComponentId, revision: &str) -> Option<Arc<Runner>> {
        let deployed = self.deployed_saga(component)?;
        if deployed.revision == revision {
            return Some(Arc::clone(deployed));
        }
        let key = (component.clone(), revision.to_owned());
        self.revived.read().get(&key).map(Arc::clone)
    }

    /// What a saga imports, as the deployed components provide it.
    fn linked(&self, compiled: &Compiled) -> Result<Linker<State>, EngineError> {
        let runners = self.runners.get().into_iter().flatten();
        let others = runners.map(|(id, runner)| (id.clone(), &runner.exports));
        let mut linker = self
            .linker(compiled.flavour)
            .map_err(|error| failed(&error))?;
        let engine = self.engines.get(compiled.flavour);
        let found =
            Linking::new(compiled, &others.collect(), &self.calls).link(engine, &mut linker);
        if found.problems.is_empty() {
            Ok(linker)
        } else {
            Err(EngineError::Link(found.problems))
        }
    }

    fn linker(&self, flavour: Flavour) -> wasmtime::Result<Linker<State>> {
        let mut linker = link::base(self.engines.get(flavour), flavour)?;
        saga::add_to_linker(&mut linker, flavour)?;
        Ok(linker)
    }
}
