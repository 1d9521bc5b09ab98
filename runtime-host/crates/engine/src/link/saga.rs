//! What a saga may import: what answers the same in each replay. Everything else is refused, with the reason.

use wasmtime::{
    Engine,
    component::{
        Linker, LinkerInstance,
        types::{ComponentFunc, ComponentInstance, ComponentItem},
    },
};

use super::{Linking, companion, step::Target};
use crate::{config::Service, state::State};

/// What a saga has beside services and their companions. Nothing can be sent with the types of HTTP alone, and the file
/// system is empty; toolchains import them whether the code uses them or not.
const ALLOWED: [&str; 9] = [
    "wasi:cli/",
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:filesystem/",
    "wasi:http/types@",
    "skald:saga/flow@",
    "skald:saga/steps@",
    "skald:saga/undo@",
];

/// What a saga cannot have, and what to do instead.
const REFUSED: [(&str, &str); 9] = [
    ("wasi:http/", SENDS),
    ("wasi:sockets/", SENDS),
    ("spin:redis/", SENDS),
    ("fermyon:spin/redis@", SENDS),
    ("wasi:keyvalue/", KEEPS),
    ("spin:variables/", READS),
    ("fermyon:spin/variables@", READS),
    ("wasi:config/", READS),
    (
        "skald:saga/caller@",
        "it tells a service which step it is called for; a saga knows its run by skald:saga/flow.info",
    ),
];

const SENDS: &str =
    "a replay would send everything once more; let a component that it calls do it, as a step";
const KEEPS: &str = "a replay would find other data; let a component that it calls keep them";
const READS: &str = "a replay could read another value; take it from what begins the run, or from a component that it calls";

impl Linking<'_> {
    /// An import of a saga that no dependency answers directly.
    pub(super) fn for_saga(
        &mut self,
        engine: &Engine,
        linker: &mut Linker<State>,
        name: &str,
        ty: &ComponentInstance,
    ) {
        if let Some(companion) = companion::of(name) {
            self.companion(engine, linker, (name, ty), &companion);
            return;
        }
        let is_called = ty
            .exports(engine)
            .any(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
        // Types alone do nothing.
        if !is_called || ALLOWED.iter().any(|prefix| name.starts_with(prefix)) {
            return;
        }
        match REFUSED.iter().find(|(prefix, _)| name.starts_with(prefix)) {
            Some((_, why)) => self.problem(
                format!("imports {name}, which a saga cannot have"),
                (*why).to_owned(),
            ),
            None => self.unknown(name, name),
        }
    }

    /// A function of a service, whose calls are steps.
    pub(super) fn step(
        &mut self,
        provided: &mut LinkerInstance<'_, State>,
        (interface, function): (&str, &str),
        import: &ComponentFunc,
        service: &Service,
    ) -> wasmtime::Result<()> {
        if !import.async_() {
            return Target::new(service, interface, function).define_call(provided);
        }
        self.problem(
            format!("imports {interface}#{function}, which is an async func"),
            "a saga makes plain calls, one after the other: let the contract have a plain func"
                .to_owned(),
        );
        Ok(())
    }
}
