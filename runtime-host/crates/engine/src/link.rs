//! Meets a component's imports: WASI and the host's interfaces as far as the manifest grants them, and other components.
//!
//! Nothing is linked that is not granted, and every problem is found before the first one is told.

use std::{collections::HashMap, sync::Arc};

use semver::Version;
use skald_core::{
    call::{CallError, Function, Input, Reply, Request},
    context::{Cause, Context},
    manifest::ComponentId,
};
use wasmtime::{
    Engine,
    component::{
        HasSelf, Linker, LinkerInstance, Val,
        types::{ComponentFunc, ComponentInstance, ComponentItem},
    },
};

use crate::{
    bindings,
    config::{Service, Spec},
    convert,
    engine::Compiled,
    error::{LinkProblem, Stop},
    exports::Exports,
    flavour::Flavour,
    outbound::spawned,
    state::{Calls, State},
    types,
};

/// WASI packages that are harmless without a grant: Rust's standard library imports them whether it uses them or not.
const ALWAYS: [&str; 5] = ["wasi:cli/", "wasi:io/", "wasi:clocks/", "wasi:random/", "wasi:filesystem/"];

/// What the linkers of an engine have in common.
pub(crate) fn base(engine: &Engine, flavour: Flavour) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    fn view(state: &mut State) -> &mut State {
        state
    }
    match flavour {
        Flavour::Concurrent => {
            wasmtime_wasi::p3::add_to_linker(&mut linker)?;
            wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
            bindings::Imports::add_to_linker::<State, HasSelf<State>>(&mut linker, view)?;
        }
        Flavour::Plain => {
            bindings::wasi::keyvalue::store::add_to_linker::<State, HasSelf<State>>(&mut linker, view)?;
            bindings::wasi::keyvalue::atomics::add_to_linker::<State, HasSelf<State>>(&mut linker, view)?;
            bindings::wasi::keyvalue::batch::add_to_linker::<State, HasSelf<State>>(&mut linker, view)?;
            bindings::wasi::config::store::add_to_linker::<State, HasSelf<State>>(&mut linker, view)?;
            bindings::fermyon::spin::redis::add_to_linker::<State, HasSelf<State>>(&mut linker, view)?;
            bindings::fermyon::spin::variables::add_to_linker::<State, HasSelf<State>>(&mut linker, view)?;
        }
    }
    Ok(linker)
}

/// The imports of one component, as they are met one by one.
pub(crate) struct Linking<'a> {
    pub(crate) compiled: &'a Compiled,
    pub(crate) others: &'a HashMap<ComponentId, &'a Exports>,
    pub(crate) calls: &'a Arc<Calls>,
    pub(crate) problems: Vec<LinkProblem>,
    /// Grants that no import needs.
    pub(crate) unused: Vec<LinkProblem>,
    pub(crate) used: Used,
}

/// Which grants some import needs.
#[derive(Default)]
pub(crate) struct Used {
    stores: bool,
    outbound: bool,
    services: Vec<String>,
}

impl Linking<'_> {
    /// Adds to `linker` what `compiled` imports from other components, and checks the rest.
    pub(crate) fn link(&mut self, engine: &Engine, linker: &mut Linker<State>) {
        for (name, item) in self.compiled.component.component_type().imports(engine) {
            match item.ty {
                ComponentItem::ComponentInstance(instance) => self.instance(engine, linker, name, &instance),
                _ => self.problem(format!("imports {name:?}, which is no interface"), "import an interface".to_owned()),
            }
        }
        self.find_unused();
    }

    fn spec(&self) -> &Spec {
        &self.compiled.spec
    }

    fn problem(&mut self, what: String, fix: String) {
        self.problems.push(LinkProblem { component: self.spec().id.clone(), what, fix });
    }

    fn instance(&mut self, engine: &Engine, linker: &mut Linker<State>, name: &str, ty: &ComponentInstance) {
        let has_functions = ty.exports(engine).any(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
        if let Some(service) = self.spec().services.iter().find(|service| answers(&service.import, name)).cloned() {
            self.used.services.push(service.import.clone());
            self.service(engine, linker, name, ty, &service);
        } else if ALWAYS.iter().any(|prefix| name.starts_with(prefix)) || name.starts_with("wasi:http/types@") {
            // Harmless.
        } else if name.starts_with("wasi:keyvalue/") {
            self.used.stores |= has_functions;
            if self.spec().stores.is_empty() && has_functions {
                self.problem(format!("imports {name} but is granted no store"), add("key_value_stores = [\"…\"]"));
            }
        } else if name.starts_with("wasi:http/") || name.contains(":redis/redis@") || name == "fermyon:spin/redis@2.0.0" {
            self.used.outbound |= has_functions;
            if self.spec().outbound.is_empty() && has_functions {
                self.problem(
                    format!("imports {name} but may reach no host"),
                    add("allowed_outbound_hosts = [\"scheme://host:port\"]"),
                );
            }
        } else if name.contains("/variables@") || name.starts_with("wasi:config/") {
            // What is not granted is not there.
        } else {
            self.unknown(name);
        }
    }

    fn unknown(&mut self, name: &str) {
        let package = name.split_once('/').map_or(name, |(package, _)| package);
        let offers = |exports: &&Exports| exports.contracts().any(|(interface, _)| interface.starts_with(package));
        let fix = match self.others.iter().find(|(_, exports)| offers(exports)) {
            Some((id, _)) => format!("write \"{package}\" = {{ component = \"{id}\" }} under [component.{}.dependencies]", self.spec().id),
            None if name.starts_with("wasi:sockets/") => "sockets are not offered; use wasi:http".to_owned(),
            None => format!("name who provides it under [component.{}.dependencies]", self.spec().id),
        };
        self.problem(format!("imports {name}, which nothing provides"), fix);
    }

    fn service(&mut self, engine: &Engine, linker: &mut Linker<State>, name: &str, ty: &ComponentInstance, service: &Service) {
        let Some(exports) = self.others.get(&service.target) else {
            return self.problem(
                format!("imports {name} from {:?}, which is not deployed", service.target.to_string()),
                "declare that component".to_owned(),
            );
        };
        let interfaces: Vec<&Arc<str>> = exports.contracts().map(|(interface, _)| interface).collect();
        let Some(interface) = compatible(name, &interfaces) else {
            let offered = interfaces.iter().map(|interface| interface.as_ref()).collect::<Vec<_>>().join(", ");
            return self.problem(
                format!("imports {name}, but {} exports no compatible version of it", service.target),
                format!("it exports: {}", if offered.is_empty() { "no contract" } else { &offered }),
            );
        };
        let mut provided = match linker.instance(name) {
            Ok(provided) => provided,
            Err(error) => return self.problem(format!("imports {name}: {error:#}"), "correct the import".to_owned()),
        };
        for (function, item) in ty.exports(engine) {
            let ComponentItem::ComponentFunc(import) = item.ty else { continue };
            let exported = exports.function(&interface, function).map(|export| &export.ty);
            if let Err(what) = fits(&import, exported) {
                self.problem(
                    format!("imports {name}#{function}; {} {what}", service.target),
                    format!("bring wit/ of {} and {} to one version", self.spec().id, service.target),
                );
                continue;
            }
            let route = Route {
                target: service.target.clone(),
                caller: Arc::from(self.spec().id.as_str()),
                interface: Arc::clone(&interface),
                function: Arc::from(function),
                calls: Arc::clone(self.calls),
            };
            if let Err(error) = define(&mut provided, function, &import, route) {
                self.problem(format!("imports {name}#{function}: {error:#}"), "correct the import".to_owned());
            }
        }
    }

    fn find_unused(&mut self) {
        let spec = self.compiled.spec.clone();
        let mut unused = |what: String| {
            let fix = "remove it, so that the component can do no more than it must".to_owned();
            self.unused.push(LinkProblem { component: spec.id.clone(), what, fix });
        };
        if !spec.stores.is_empty() && !self.used.stores {
            unused(format!("key_value_stores grants {:?}, which it never opens", spec.stores));
        }
        if !spec.outbound.is_empty() && !self.used.outbound {
            unused(format!("allowed_outbound_hosts grants {:?}, which it never reaches", spec.outbound));
        }
        for service in spec.services.iter().filter(|service| !self.used.services.contains(&service.import)) {
            unused(format!("depends on {:?}, which it does not import", service.import));
        }
    }
}

fn add(line: &str) -> String {
    format!("add {line} to the component, or build it without that import")
}

/// Whether the export can stand for the import; if not, why.
fn fits(import: &ComponentFunc, export: Option<&ComponentFunc>) -> Result<(), String> {
    let Some(export) = export else { return Err("does not export that function".to_owned()) };
    if !types::same(import, export) {
        return Err(format!(
            "exports another type\n      imported: {}\n      exported: {}",
            types::signature(import),
            types::signature(export)
        ));
    }
    if !types::is_plain_data(import) {
        return Err(format!("passes a resource or a stream, which cannot leave its instance: {}", types::signature(import)));
    }
    Ok(())
}

/// Whether a dependency's name covers an import: a package covers all its interfaces.
pub(crate) fn answers(dependency: &str, import: &str) -> bool {
    let (name, version) = split(dependency);
    let (imported, imported_version) = split(import);
    let covers = name == imported || imported.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    covers && version.is_none_or(|version| Some(version) == imported_version)
}

fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)))
}

/// The exported interface of the same name whose version can stand for the imported one, by the rules of semver.
fn compatible(import: &str, exported: &[&Arc<str>]) -> Option<Arc<str>> {
    if let Some(exact) = exported.iter().find(|interface| interface.as_ref() == import) {
        return Some(Arc::clone(exact));
    }
    let (name, version) = split(import);
    let wanted = semver::VersionReq::parse(&format!("^{}", version?)).ok()?;
    let newest = exported.iter().filter_map(|interface| {
        let (exported, version) = split(interface);
        let version = Version::parse(version?).ok()?;
        (exported == name && wanted.matches(&version)).then_some((version, interface))
    });
    newest.max_by(|a, b| a.0.cmp(&b.0)).map(|(_, interface)| Arc::clone(interface))
}

/// Where a call of an imported function goes.
#[derive(Clone)]
struct Route {
    target: ComponentId,
    caller: Arc<str>,
    interface: Arc<str>,
    function: Arc<str>,
    calls: Arc<Calls>,
}

impl Route {
    fn request(&self, context: Context, params: &[Val]) -> wasmtime::Result<Request> {
        let arguments: Option<Vec<_>> = params.iter().map(convert::from_guest).collect();
        let arguments = arguments.ok_or_else(|| wasmtime::format_err!("an argument cannot leave its instance"))?;
        Ok(Request {
            target: self.target.clone(),
            input: Input::Function(Function {
                interface: Arc::clone(&self.interface),
                name: Arc::clone(&self.function),
                arguments,
            }),
            context: Context { once: None, cause: Cause::Component(Arc::clone(&self.caller)), ..context },
        })
    }

    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        match self.calls.get() {
            Some(calls) => calls.call_boxed(request).await,
            None => Err(CallError::ShuttingDown),
        }
    }
}

/// Puts the answer where the guest expects it. A failed call ends the caller too, with the callee's error.
fn answer(reply: Result<Reply, CallError>, results: &mut [Val]) -> wasmtime::Result<()> {
    match (reply, results) {
        (Ok(Reply::Value(None)), []) => Ok(()),
        (Ok(Reply::Value(Some(value))), [result]) => {
            *result = convert::to_guest(&value);
            Ok(())
        }
        (Ok(_), _) => Err(wasmtime::format_err!("the answer is not of the function's type")),
        (Err(error), _) => Err(wasmtime::Error::new(Stop(error))),
    }
}

fn define(
    provided: &mut LinkerInstance<'_, State>,
    name: &str,
    import: &ComponentFunc,
    route: Route,
) -> wasmtime::Result<()> {
    if import.async_() {
        return provided.func_new_concurrent(name, move |accessor, _, params, results| {
            let route = route.clone();
            Box::pin(async move {
                let context = accessor.with(|mut access| access.get().slot().context());
                let request = route.request(context, params)?;
                answer(spawned(async move { route.call(&request).await }).await, results)
            })
        });
    }
    provided.func_new_async(name, move |caller, _, params, results| {
        let route = route.clone();
        Box::new(async move {
            let request = route.request(caller.data().slot().context(), params)?;
            answer(route.call(&request).await, results)
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{answers, compatible};

    #[test]
    fn a_package_answers_all_its_interfaces() {
        assert!(answers("shop:cart", "shop:cart/api@1.0.0"));
        assert!(answers("shop:cart@1.0.0", "shop:cart/api@1.0.0"));
        assert!(answers("shop:cart/api", "shop:cart/api@1.0.0"));
        assert!(!answers("shop:cart@1.0.1", "shop:cart/api@1.0.0"));
        assert!(!answers("shop:cart", "shop:carts/api@1.0.0"));
    }

    #[test]
    fn versions_match_by_semver_and_the_newest_wins() {
        let exported: Vec<Arc<str>> =
            ["a:b/c@1.0.0", "a:b/c@1.2.0", "a:b/c@2.0.0", "a:b/d@1.3.0"].into_iter().map(Arc::from).collect();
        let exported: Vec<&Arc<str>> = exported.iter().collect();
        let found = |import| compatible(import, &exported).map(|found| found.to_string());
        assert_eq!(found("a:b/c@1.0.0").as_deref(), Some("a:b/c@1.0.0"));
        assert_eq!(found("a:b/c@1.1.0").as_deref(), Some("a:b/c@1.2.0"));
        assert_eq!(found("a:b/c@1.3.0"), None);
        assert_eq!(found("a:b/e@1.0.0"), None);
    }
}
