//! Imports that another component answers: found, compared type by type, and routed.

use std::sync::Arc;

use wasmtime::{
    Engine,
    component::{
        Linker,
        types::{ComponentFunc, ComponentInstance, ComponentItem},
    },
};

use super::{Linking, name::compatible, route::Route};
use crate::{config::Service, exports::Exports, state::State, types};

impl Linking<'_> {
    pub(super) fn service(
        &mut self,
        engine: &Engine,
        linker: &mut Linker<State>,
        (name, ty): (&str, &ComponentInstance),
        service: &Service,
    ) {
        if let Some(interface) = self.exported(name, service)
            && let Err(error) = self.functions(engine, linker, (name, ty), (service, interface))
        {
            self.problem(
                format!("imports {name}: {error:#}"),
                "correct the import".to_owned(),
            );
        }
    }

    /// The interface of the target that stands for the import.
    pub(super) fn exported(&mut self, name: &str, service: &Service) -> Option<Arc<str>> {
        let target = &service.target;
        let Some(exports) = self.others.get(target) else {
            self.problem(
                format!("imports {name} from {target}, which is not deployed"),
                "declare that component".to_owned(),
            );
            return None;
        };
        let interfaces: Vec<&Arc<str>> = exports
            .contracts()
            .map(|(interface, _)| interface)
            .collect();
        let interface = compatible(name, &interfaces);
        if interface.is_none() {
            let offered: Vec<&str> = interfaces.iter().map(AsRef::as_ref).collect();
            let offered = if offered.is_empty() {
                "no contract".to_owned()
            } else {
                offered.join(", ")
            };
            self.problem(
                format!("imports {name}, but {target} exports no compatible version of it"),
                format!("it exports {offered}"),
            );
        }
        interface
    }

    fn functions(
        &mut self,
        engine: &Engine,
        linker: &mut Linker<State>,
        (name, ty): (&str, &ComponentInstance),
        (service, interface): (&Service, Arc<str>),
    ) -> wasmtime::Result<()> {
        let mut provided = linker.instance(name)?;
        let caller: Arc<str> = Arc::from(self.spec().id.as_str());
        for (function, item) in ty.exports(engine) {
            let ComponentItem::ComponentFunc(import) = item.ty else {
                continue;
            };
            let exports = self.others.get(&service.target);
            if let Err(what) = fits(&import, exports.copied(), &interface, function) {
                self.problem(
                    format!("imports {name}#{function}, but {} {what}", service.target),
                    format!(
                        "bring wit/ of {caller} and {} to one version",
                        service.target
                    ),
                );
                continue;
            }
            if self.spec().saga {
                self.step(&mut provided, (name, function), &import, service)?;
                continue;
            }
            let route = Route {
                target: service.target.clone(),
                caller: Arc::clone(&caller),
                interface: Arc::clone(&interface),
                function: Arc::from(function),
                calls: Arc::clone(self.calls),
            };
            route.define(&mut provided, &import)?;
        }
        Ok(())
    }
}

/// Whether the export can stand for the import; if not, why.
fn fits(
    import: &ComponentFunc,
    exports: Option<&Exports>,
    interface: &str,
    function: &str,
) -> Result<(), String> {
    let export = exports.and_then(|exports| exports.function(interface, function));
    let Some(export) = export.map(|export| &export.ty) else {
        return Err("does not export that function".to_owned());
    };
    if !types::same(import, export) {
        return Err(format!(
            "exports another type\n      imported: {}\n      exported: {}",
            types::signature(import),
            types::signature(export)
        ));
    }
    if !types::is_plain_data(import) {
        let signature = types::signature(import);
        return Err(format!(
            "passes a resource or a stream, which cannot leave its instance: {signature}"
        ));
    }
    Ok(())
}
