//! Companions of a service's contract: the same functions, to begin them as steps or to note them as undo entries.

use wasmtime::{
    Engine,
    component::{
        Linker, LinkerInstance,
        types::{ComponentFunc, ComponentInstance, ComponentItem, Type},
    },
};

use super::{Linking, name::answers, step::Target};
use crate::{config::Service, exports::Exports, state::State, types};

/// A companion interface: `shop:payments-saga/api-undo@1.0.0` belongs to `shop:payments/api@1.0.0`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Companion {
    /// The service's interface.
    contract: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Start,
    Undo,
}

/// What a function of a companion does with the service's function of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role<'a> {
    Start(&'a str),
    Result(&'a str),
    Undo(&'a str),
}

/// The companion of that name, if it is one of a companion.
pub(super) fn of(import: &str) -> Option<Companion> {
    let (name, version) = match import.split_once('@') {
        Some((name, version)) => (name, format!("@{version}")),
        None => (import, String::new()),
    };
    let (package, interface) = name.split_once('/')?;
    let package = package.strip_suffix("-saga")?;
    let (interface, kind) = match interface.strip_suffix("-undo") {
        Some(interface) => (interface, Kind::Undo),
        None => (interface.strip_suffix("-start")?, Kind::Start),
    };
    Some(Companion {
        contract: format!("{package}/{interface}{version}"),
        kind,
    })
}

impl Linking<'_> {
    pub(super) fn companion(
        &mut self,
        engine: &Engine,
        linker: &mut Linker<State>,
        (name, ty): (&str, &ComponentInstance),
        companion: &Companion,
    ) {
        let contract = companion.contract.as_str();
        let mut services = self.spec().services.iter();
        let Some(service) = services.find(|service| answers(&service.import, contract)) else {
            self.unknown(name, contract);
            return;
        };
        self.used.services.push(service.import.clone());
        let Some(interface) = self.exported(contract, service) else {
            return;
        };
        let linked = linker.instance(name).and_then(|mut provided| {
            let of = (companion, service, interface.as_ref());
            ty.exports(engine)
                .try_for_each(|(function, item)| match item.ty {
                    ComponentItem::ComponentFunc(import) => {
                        self.function(&mut provided, (name, function), &import, of)
                    }
                    _ => Ok(()),
                })
        });
        if let Err(error) = linked {
            self.problem(
                format!("imports {name}: {error:#}"),
                "correct the import".to_owned(),
            );
        }
    }

    fn function(
        &mut self,
        provided: &mut LinkerInstance<'_, State>,
        (name, function): (&str, &str),
        import: &ComponentFunc,
        (companion, service, interface): (&Companion, &Service, &str),
    ) -> wasmtime::Result<()> {
        let exports = self.others.get(&service.target).copied();
        match role(companion.kind, import, function, exports, interface) {
            Ok(role) => role.define(provided, service, &companion.contract, function),
            Err(what) => {
                self.unfit(name, function, service, &what);
                Ok(())
            }
        }
    }

    fn unfit(&mut self, name: &str, function: &str, service: &Service, what: &str) {
        self.problem(
            format!("imports {name}#{function}, but {} {what}", service.target),
            format!(
                "make the companions of {} anew: `skald saga companions`",
                service.target
            ),
        );
    }
}

/// What the function of a companion is for; if it does not fit the service's function, why.
fn role<'a>(
    kind: Kind,
    import: &ComponentFunc,
    function: &'a str,
    exports: Option<&Exports>,
    interface: &str,
) -> Result<Role<'a>, String> {
    let export = |name: &str| {
        exports
            .and_then(|exports| exports.function(interface, name))
            .map(|export| &export.ty)
    };
    let (role, export) = match (export(function), kind) {
        (Some(export), Kind::Undo) => (Role::Undo(function), export),
        (Some(export), Kind::Start) => (Role::Start(function), export),
        (None, _) => {
            let started = function
                .strip_suffix("-result")
                .filter(|_| kind == Kind::Start);
            let found = started.and_then(|started| Some((Role::Result(started), export(started)?)));
            found.ok_or("does not export that function")?
        }
    };
    if export.async_() || !types::is_plain_data(export) {
        return Err(format!(
            "exports what no companion can stand for: {}",
            types::signature(export)
        ));
    }
    if role.fits(import, export) {
        Ok(role)
    } else {
        Err(format!(
            "exports another type\n      imported: {}\n      exported: {}",
            types::signature(import),
            types::signature(export)
        ))
    }
}

impl Role<'_> {
    fn fits(self, import: &ComponentFunc, export: &ComponentFunc) -> bool {
        let mut params = import.params();
        !import.async_()
            && match self {
                Self::Undo(_) => {
                    let on = params.next();
                    matches!(on, Some(("on", Type::Borrow(_))))
                        && params.eq(export.params())
                        && import.results().len() == 0
                }
                Self::Start(_) => params.eq(export.params()) && import.results().eq([Type::U32]),
                Self::Result(_) => {
                    params.map(|(_, ty)| ty).eq([Type::U32])
                        && import.results().eq(export.results())
                }
            }
    }

    fn define(
        self,
        provided: &mut LinkerInstance<'_, State>,
        service: &Service,
        contract: &str,
        function: &str,
    ) -> wasmtime::Result<()> {
        match self {
            Self::Start(of) => Target::new(service, contract, of).define_start(provided),
            Self::Result(of) => {
                Target::new(service, contract, of).define_result(provided, function)
            }
            Self::Undo(of) => Target::new(service, contract, of).define_undo(provided),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Companion, Kind, of};

    #[test]
    fn companions_are_known_by_their_names() {
        let companion = |contract: &str, kind| {
            Some(Companion {
                contract: contract.to_owned(),
                kind,
            })
        };
        assert_eq!(
            of("shop:payments-saga/api-undo@1.0.0"),
            companion("shop:payments/api@1.0.0", Kind::Undo)
        );
        assert_eq!(of("a:b-saga/c-start"), companion("a:b/c", Kind::Start));
        for other in [
            "shop:payments/api-undo@1.0.0",
            "a:b-saga/c@1.0.0",
            "skald:saga/undo@0.1.0",
            "a",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
