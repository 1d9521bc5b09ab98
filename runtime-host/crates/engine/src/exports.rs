//! What a component offers: an HTTP handler, a message handler, and the functions of its contracts.

use std::{collections::HashMap, sync::Arc};

use wasmtime::{
    Engine,
    component::{
        Component, ComponentExportIndex,
        types::{ComponentFunc, ComponentInstance, ComponentItem},
    },
};

use crate::{bindings::inbound_redis, link::name::compatible};

/// The interface of HTTP handlers that are served.
const HTTP_HANDLER: &str = "wasi:http/handler@0.3.";

/// A component's exports, found once.
pub(crate) struct Exports {
    pub(crate) http: bool,
    pub(crate) message: Option<ComponentExportIndex>,
    /// By interface and function name.
    functions: HashMap<Arc<str>, HashMap<Arc<str>, Export>>,
}

/// A function of a contract.
#[derive(Clone)]
pub(crate) struct Export {
    pub(crate) index: ComponentExportIndex,
    pub(crate) has_result: bool,
    pub(crate) ty: ComponentFunc,
}

impl Exports {
    pub(crate) fn of(engine: &Engine, component: &Component) -> Self {
        let mut exports = Self {
            http: false,
            message: None,
            functions: HashMap::new(),
        };
        for (interface, item) in component.component_type().exports(engine) {
            let ComponentItem::ComponentInstance(instance) = item.ty else {
                continue;
            };
            if interface.starts_with(HTTP_HANDLER) {
                exports.http = true;
                continue;
            }
            let functions = functions(engine, component, interface, &instance);
            if interface == inbound_redis::INTERFACE {
                exports.message = functions
                    .get(inbound_redis::FUNCTION)
                    .map(|export| export.index);
            } else {
                exports.functions.insert(Arc::from(interface), functions);
            }
        }
        exports
    }

    /// The function of that interface, or of a version of it that can stand for it: what a journal has noted is asked of
    /// the component as it is today.
    pub(crate) fn function(&self, interface: &str, name: &str) -> Option<&Export> {
        if let Some(functions) = self.functions.get(interface) {
            return functions.get(name);
        }
        let interfaces: Vec<&Arc<str>> = self.functions.keys().collect();
        let interface = compatible(interface, &interfaces)?;
        self.functions.get(&interface)?.get(name)
    }

    /// The contracts, by interface.
    pub(crate) fn contracts(
        &self,
    ) -> impl Iterator<Item = (&Arc<str>, &HashMap<Arc<str>, Export>)> {
        self.functions.iter()
    }
}

fn functions(
    engine: &Engine,
    component: &Component,
    interface: &str,
    instance: &ComponentInstance,
) -> HashMap<Arc<str>, Export> {
    let parent = component.get_export_index(None, interface);
    let export = |name: &str, ty: ComponentFunc| {
        let index = component.get_export_index(parent.as_ref(), name)?;
        let has_result = ty.results().len() > 0;
        Some((
            Arc::from(name),
            Export {
                index,
                has_result,
                ty,
            },
        ))
    };
    let functions = instance
        .exports(engine)
        .filter_map(|(name, item)| match item.ty {
            ComponentItem::ComponentFunc(ty) => export(name, ty),
            _ => None,
        });
    functions.collect()
}
