//! What of a contract is for sagas.

use wit_parser::{Function, InterfaceId, PackageId, PackageName, Resolve};

use crate::{
    error::Problem,
    names,
    plain::{self, Reason},
    resolved,
};

/// A contract, as far as it matters here.
pub(crate) struct Service<'a> {
    pub(crate) resolve: &'a Resolve,
    pub(crate) package: &'a PackageName,
    /// Interfaces that have functions, in the order of their names: those of files read one after the other have no other.
    pub(crate) interfaces: Vec<Interface<'a>>,
}

/// One interface of it.
pub(crate) struct Interface<'a> {
    pub(crate) name: &'a str,
    /// What a saga can call, as ordered in the contract.
    pub(crate) functions: Vec<&'a Function>,
    /// What it cannot.
    pub(crate) left_out: Vec<LeftOut<'a>>,
}

/// A function without companions.
pub(crate) struct LeftOut<'a> {
    pub(crate) name: &'a str,
    pub(crate) reason: Reason,
}

// === impl Service ===

impl<'a> Service<'a> {
    pub(crate) fn of(resolve: &'a Resolve, package: PackageId) -> Result<Self, Problem> {
        let package = resolved::package(resolve, package);
        let interfaces = package.interfaces.iter();
        let mut interfaces: Vec<_> = interfaces
            .map(|(name, id)| Interface::of(resolve, name, *id))
            .filter(|interface| !interface.functions.is_empty() || !interface.left_out.is_empty())
            .collect();
        interfaces.sort_by_key(|interface| interface.name);
        let service = Self {
            resolve,
            package: &package.name,
            interfaces,
        };
        service.judge()?;
        Ok(service)
    }

    fn judge(&self) -> Result<(), Problem> {
        let package = self.package.to_string();
        if self.interfaces.is_empty() {
            return Err(Problem::NoFunctions { package });
        }
        let mut interfaces = self.interfaces.iter();
        if interfaces.all(|interface| interface.functions.is_empty()) {
            let left_out = self.interfaces.iter().flat_map(Interface::excuses);
            return Err(Problem::AllLeftOut {
                package,
                left_out: left_out.collect(),
            });
        }
        let collisions: Vec<_> = self.interfaces.iter().flat_map(names::collisions).collect();
        if !collisions.is_empty() {
            return Err(Problem::Collisions(collisions));
        }
        Ok(())
    }
}

// === impl Interface ===

impl<'a> Interface<'a> {
    fn of(resolve: &'a Resolve, name: &'a str, id: InterfaceId) -> Self {
        let mut interface = Self {
            name,
            functions: Vec::new(),
            left_out: Vec::new(),
        };
        for function in resolved::interface(resolve, id).functions.values() {
            match plain::left_out(resolve, function) {
                None => interface.functions.push(function),
                Some(reason) => interface.left_out.push(LeftOut {
                    // A method is called `[method]resource.name` by the parser.
                    name: function.name.rsplit(']').next().unwrap_or_default(),
                    reason,
                }),
            }
        }
        interface
    }

    /// The functions left out, each with the reason.
    pub(crate) fn excuses(&self) -> impl Iterator<Item = String> {
        let excuse = |LeftOut { name, reason }: &LeftOut<'_>| {
            format!("`{}.{name}`, which {reason}", self.name)
        };
        self.left_out.iter().map(excuse)
    }
}
