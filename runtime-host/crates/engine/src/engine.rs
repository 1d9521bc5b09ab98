//! The engine: from a wasm file to a component that runs.

mod revive;

use std::{
    collections::HashMap,
    fs,
    sync::{Arc, OnceLock, Weak},
};

use parking_lot::RwLock;
use skald_core::{
    call::{CallError, DynCall, Later, Reply, Request},
    manifest::ComponentId,
    run::Run,
    unit::Unit,
};
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi_http::p3::bindings::ServiceIndices;

use crate::{
    cache::{self, Origin},
    config::{Config, Spec},
    error::{EngineError, LinkProblem},
    exports::Exports,
    flavour::{Engines, Flavour},
    idle::Idle,
    link::{self, Linking},
    outbound,
    run::Runner,
    saga,
    state::{MOST_OUTGOING, Shared, State},
};

/// Runs the components of one application.
pub struct Engine {
    config: Config,
    engines: Engines,
    calls: Arc<Later>,
    client: outbound::Client,
    runners: OnceLock<HashMap<ComponentId, Arc<Runner>>>,
    /// Other revisions of sagas, for runs that began with them.
    revived: RwLock<HashMap<(ComponentId, String), Arc<Runner>>>,
}

/// A component whose code is ready and whose imports are not yet met.
pub struct Compiled {
    pub(crate) spec: Spec,
    pub(crate) component: Component,
    pub(crate) exports: Exports,
    flavour: Flavour,
    revision: String,
    origin: Origin,
}

// === impl Engine ===

impl Engine {
    /// Starts both wasm engines.
    pub fn start(config: Config) -> Result<Self, EngineError> {
        Ok(Self {
            engines: Engines::start(config.instances)?,
            calls: Arc::default(),
            client: outbound::client(),
            runners: OnceLock::new(),
            revived: RwLock::default(),
            config,
        })
    }

    /// Compiles a component, or takes its code from the cache. Blocks for as long as the compiler needs.
    pub fn compile(&self, spec: Spec) -> Result<Compiled, EngineError> {
        let wasm = fs::read(&spec.source).map_err(|error| EngineError::Unreadable {
            component: spec.id.clone(),
            path: spec.source.clone(),
            reason: error.to_string(),
        })?;
        let loaded =
            cache::load(&self.engines, self.config.cache.as_deref(), &wasm).map_err(|error| {
                EngineError::NotAComponent {
                    component: spec.id.clone(),
                    path: spec.source.clone(),
                    reason: reason(&error),
                }
            })?;
        let exports = Exports::of(self.engines.get(loaded.flavour), &loaded.component);
        Ok(Compiled {
            spec,
            exports,
            component: loaded.component,
            flavour: loaded.flavour,
            revision: loaded.revision,
            origin: loaded.origin,
        })
    }

    /// Meets all imports of all components; answers with the grants that nothing uses.
    ///
    /// Only the first deployment of an engine runs.
    pub fn deploy(&self, compiled: Vec<Compiled>) -> Result<Vec<LinkProblem>, EngineError> {
        let mut linkers = HashMap::new();
        let (mut problems, mut unused) = (Vec::new(), Vec::new());
        let others: HashMap<ComponentId, &Exports> = compiled
            .iter()
            .map(|one| (one.spec.id.clone(), &one.exports))
            .collect();
        let base = |flavour| link::base(self.engines.get(flavour), flavour);
        let plain = base(Flavour::Plain).map_err(|error| failed(&error))?;
        let concurrent = base(Flavour::Concurrent).map_err(|error| failed(&error))?;
        for one in &compiled {
            let engine = self.engines.get(one.flavour);
            let mut linker = match one.flavour {
                Flavour::Plain => plain.clone(),
                Flavour::Concurrent => concurrent.clone(),
            };
            if one.spec.saga {
                saga::add_to_linker(&mut linker, one.flavour).map_err(|error| failed(&error))?;
            }
            let mut found = Linking::new(one, &others, &self.calls).link(engine, &mut linker);
            problems.append(&mut found.problems);
            unused.append(&mut found.unused);
            linkers.insert(one.spec.id.clone(), linker);
        }
        if !problems.is_empty() {
            return Err(EngineError::Link(problems));
        }
        let runners = compiled.into_iter().filter_map(|one| {
            let linker = linkers.remove(&one.spec.id)?;
            Some(
                self.runner(one, &linker)
                    .map(|(id, runner)| (id, Arc::new(runner))),
            )
        });
        let runners = runners.collect::<Result<_, _>>()?;
        // A second deployment would leave the first one's calls without a target.
        let _ = self.runners.set(runners);
        Ok(unused)
    }

    /// Tells where calls of guests go. The engine does not keep the other side alive.
    pub fn connect(&self, calls: Weak<dyn DynCall>) {
        self.calls.connect(calls);
    }

    /// Drops instances that have waited too long for a call; to be called every second or so.
    pub fn trim(&self) {
        for runner in self.runners.get().into_iter().flat_map(HashMap::values) {
            runner.trim(self.config.idle);
        }
    }

    /// The digest of a component's wasm.
    pub fn revision(&self, component: &ComponentId) -> Option<&str> {
        Some(self.runners.get()?.get(component)?.revision.as_str())
    }

    fn runner(
        &self,
        compiled: Compiled,
        linker: &Linker<State>,
    ) -> Result<(ComponentId, Runner), EngineError> {
        let Compiled {
            spec,
            component,
            exports,
            revision,
            ..
        } = compiled;
        let unmet = |error: wasmtime::Error| {
            EngineError::Link(vec![LinkProblem {
                component: spec.id.clone(),
                what: format!("{error:#}"),
                fix: "build it against the interfaces that this host offers".to_owned(),
            }])
        };
        let pre = linker.instantiate_pre(&component).map_err(unmet)?;
        let service = if exports.http {
            Some(ServiceIndices::new(&pre).map_err(unmet)?)
        } else {
            None
        };
        let id = spec.id.clone();
        let shared = Shared {
            spec,
            calls: Arc::clone(&self.calls),
            client: self.client.clone(),
            outgoing: Semaphore::new(MOST_OUTGOING),
        };
        let runner = Runner {
            shared: Arc::new(shared),
            pre,
            service,
            exports,
            idle: Idle::default(),
            reuse: self.config.reuse,
            answer_limit: self.config.answer_limit,
            revision,
        };
        Ok((id, runner))
    }
}

impl Run for Engine {
    async fn run(&self, request: &Request, unit: Unit) -> (Unit, Result<Reply, CallError>) {
        match self
            .runners
            .get()
            .and_then(|runners| runners.get(&request.target))
        {
            Some(runner) if runner.shared.spec.saga => (unit, Err(saga::not_a_call(request))),
            Some(runner) => runner.run(request, unit).await,
            None => (
                unit,
                Err(CallError::NoSuchComponent(request.target.clone())),
            ),
        }
    }
}

// === impl Compiled ===

impl Compiled {
    /// The component's name.
    pub const fn id(&self) -> &ComponentId {
        &self.spec.id
    }

    /// Whether the code came from the cache.
    pub fn was_cached(&self) -> bool {
        self.origin == Origin::Cached
    }

    /// The first digits of the digest of its wasm.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Whether it can be the target of an HTTP route.
    pub const fn handles_http(&self) -> bool {
        self.exports.http
    }

    /// Whether it can be the target of a redis trigger.
    pub const fn handles_messages(&self) -> bool {
        self.exports.message.is_some()
    }

    /// The contracts it exports, sorted.
    pub fn contracts(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .exports
            .contracts()
            .map(|(interface, _)| interface.to_string())
            .collect();
        names.sort();
        names
    }
}

fn failed(error: &wasmtime::Error) -> EngineError {
    EngineError::Start(format!("{error:#}"))
}

/// Why a file is no component, on one line: the parser adds the bytes it saw, which say nothing to a person.
fn reason(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    let words = text.split(" - expected=").next().unwrap_or_default();
    words.lines().next().unwrap_or_default().to_owned()
}
