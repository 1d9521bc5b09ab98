//! Meets a component's imports: WASI and the host's interfaces as far as the manifest grants them, and other components.
//!
//! Nothing is linked that is not granted, and every problem is found before the first one is told.

mod companion;
pub(crate) mod name;
mod route;
mod saga;
mod service;
mod step;

use std::{collections::HashMap, sync::Arc};

use skald_core::{call::Later, manifest::ComponentId};
use wasmtime::{
    Engine,
    component::{
        HasSelf, Linker,
        types::{ComponentInstance, ComponentItem},
    },
};

use crate::{
    bindings, config::Spec, engine::Compiled, error::LinkProblem, exports::Exports,
    flavour::Flavour, state::State,
};

/// Packages that are harmless without a grant: Rust's standard library imports most of them whether it uses them or
/// not, and a variable that is not granted is not there.
const ALWAYS: [&str; 10] = [
    "wasi:cli/",
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:filesystem/",
    "wasi:http/types@",
    "wasi:config/",
    "fermyon:spin/variables@",
    "spin:variables/",
    "skald:saga/caller@",
];

/// What the linkers of an engine have in common.
pub(crate) fn base(engine: &Engine, flavour: Flavour) -> wasmtime::Result<Linker<State>> {
    type Own = HasSelf<State>;
    fn view(state: &mut State) -> &mut State {
        state
    }
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    match flavour {
        Flavour::Concurrent => {
            wasmtime_wasi::p3::add_to_linker(&mut linker)?;
            wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
            bindings::Imports::add_to_linker::<State, Own>(&mut linker, view)?;
        }
        Flavour::Plain => {
            use bindings::{
                fermyon::spin,
                skald,
                wasi::{config, keyvalue},
            };
            keyvalue::store::add_to_linker::<State, Own>(&mut linker, view)?;
            keyvalue::atomics::add_to_linker::<State, Own>(&mut linker, view)?;
            keyvalue::batch::add_to_linker::<State, Own>(&mut linker, view)?;
            config::store::add_to_linker::<State, Own>(&mut linker, view)?;
            spin::redis::add_to_linker::<State, Own>(&mut linker, view)?;
            spin::variables::add_to_linker::<State, Own>(&mut linker, view)?;
            skald::saga::caller::add_to_linker::<State, Own>(&mut linker, view)?;
        }
    }
    Ok(linker)
}

/// The imports of one component, as they are met one by one.
pub(crate) struct Linking<'a> {
    compiled: &'a Compiled,
    others: &'a HashMap<ComponentId, &'a Exports>,
    calls: &'a Arc<Later>,
    found: Findings,
    used: Used,
}

/// What was found wrong with a component's imports and grants.
#[derive(Default)]
pub(crate) struct Findings {
    /// Imports that are not met.
    pub(crate) problems: Vec<LinkProblem>,
    /// Grants that no import needs.
    pub(crate) unused: Vec<LinkProblem>,
}

/// Which grants some import needs.
#[derive(Default)]
struct Used {
    stores: bool,
    outbound: bool,
    services: Vec<String>,
}

/// What an import of the host's own needs to be granted.
enum Need {
    Nothing,
    Store,
    Outbound,
    /// The host has no such interface.
    Unknown,
}

impl<'a> Linking<'a> {
    pub(crate) fn new(
        compiled: &'a Compiled,
        others: &'a HashMap<ComponentId, &'a Exports>,
        calls: &'a Arc<Later>,
    ) -> Self {
        Self {
            compiled,
            others,
            calls,
            found: Findings::default(),
            used: Used::default(),
        }
    }

    /// Adds to `linker` what the component imports from other components, and checks the rest.
    pub(crate) fn link(mut self, engine: &Engine, linker: &mut Linker<State>) -> Findings {
        for (name, item) in self.compiled.component.component_type().imports(engine) {
            match item.ty {
                ComponentItem::ComponentInstance(instance) => {
                    self.instance(engine, linker, name, &instance);
                }
                _ => self.problem(
                    format!("imports {name:?}, which is no interface"),
                    "import an interface".to_owned(),
                ),
            }
        }
        self.find_unused();
        self.found
    }

    const fn spec(&self) -> &'a Spec {
        &self.compiled.spec
    }

    fn problem(&mut self, what: String, fix: String) {
        self.found.problems.push(LinkProblem {
            component: self.spec().id.clone(),
            what,
            fix,
        });
    }

    fn instance(
        &mut self,
        engine: &Engine,
        linker: &mut Linker<State>,
        name: &str,
        ty: &ComponentInstance,
    ) {
        let mut services = self.spec().services.iter();
        if let Some(service) = services.find(|service| name::answers(&service.import, name)) {
            self.used.services.push(service.import.clone());
            self.service(engine, linker, (name, ty), service);
            return;
        }
        if self.spec().saga {
            self.for_saga(engine, linker, name, ty);
            return;
        }
        // An import of types alone asks for nothing.
        let is_called = ty
            .exports(engine)
            .any(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
        match need(name) {
            Need::Nothing => {}
            Need::Store => self.needs_store(name, is_called),
            Need::Outbound => self.needs_outbound(name, is_called),
            Need::Unknown => self.unknown(name, name),
        }
    }

    fn needs_store(&mut self, name: &str, is_called: bool) {
        self.used.stores |= is_called;
        if is_called && self.spec().stores.is_empty() {
            self.problem(
                format!("imports {name} but is granted no store"),
                add("key_value_stores = [\"…\"]"),
            );
        }
    }

    fn needs_outbound(&mut self, name: &str, is_called: bool) {
        self.used.outbound |= is_called;
        if is_called && self.spec().outbound.is_empty() {
            self.problem(
                format!("imports {name} but may reach no host"),
                add("allowed_outbound_hosts = [\"scheme://host:port\"]"),
            );
        }
    }

    /// Nobody answers the import `name`; for that, somebody would have to export `wanted`.
    fn unknown(&mut self, name: &str, wanted: &str) {
        let package = name::package(wanted);
        let offers = |exports: &Exports| {
            exports
                .contracts()
                .any(|(interface, _)| name::package(interface) == package)
        };
        let table = format!("[component.{}.dependencies]", self.spec().id);
        let fix = match self.others.iter().find(|(_, exports)| offers(exports)) {
            Some((id, _)) => {
                format!("write \"{package}\" = {{ component = \"{id}\" }} under {table}")
            }
            None if name.starts_with("wasi:sockets/") => {
                "sockets are not offered; use wasi:http".to_owned()
            }
            None if package == "skald:saga" || companion::of(name).is_some() => {
                format!(
                    "only sagas have it: write saga = true under [component.{}.tool.skald]",
                    self.spec().id
                )
            }
            None => format!("name who provides it under {table}"),
        };
        self.problem(format!("imports {name}, which nothing provides"), fix);
    }

    fn find_unused(&mut self) {
        let spec = self.spec();
        let mut unused = Vec::new();
        if !spec.stores.is_empty() && !self.used.stores {
            unused.push(format!(
                "key_value_stores grants {:?}, which it never opens",
                spec.stores
            ));
        }
        if !spec.outbound.is_empty() && !self.used.outbound {
            unused.push(format!(
                "allowed_outbound_hosts grants {:?}, which it never reaches",
                spec.outbound
            ));
        }
        let idle = spec
            .services
            .iter()
            .filter(|service| !self.used.services.contains(&service.import));
        unused.extend(
            idle.map(|service| {
                format!("depends on {:?}, which it does not import", service.import)
            }),
        );
        self.found
            .unused
            .extend(unused.into_iter().map(|what| LinkProblem {
                component: spec.id.clone(),
                what,
                fix: "remove it, so that the component can do no more than it must".to_owned(),
            }));
    }
}

fn need(name: &str) -> Need {
    if ALWAYS.iter().any(|prefix| name.starts_with(prefix)) {
        Need::Nothing
    } else if name.starts_with("wasi:keyvalue/") {
        Need::Store
    } else if ["wasi:http/", "spin:redis/", "fermyon:spin/redis@"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    {
        Need::Outbound
    } else {
        Need::Unknown
    }
}

fn add(line: &str) -> String {
    format!("add {line} to the component, or build it without that import")
}
