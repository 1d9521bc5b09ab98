//! What components offer to others, as the protocol has it: a service for each interface, a method for each function.
//!
//! All of it follows from WIT alone, so that nodes with the same components agree without asking each other, and outside
//! callers can be given the same as `.proto`. Only names and places in WIT decide: what is added behind leaves the rest as
//! it is.

mod descriptor;
mod draft;
pub(crate) mod names;
mod proto;
mod read;
pub(crate) mod shape;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use prost_types::FileDescriptorProto;
use skald_core::manifest::ComponentId;
use thiserror::Error;
use wit_parser::{
    Resolve, WorldId,
    decoding::{DecodedWasm, decode},
};

use self::{draft::Draft, shape::Message};

/// What some components offer.
#[derive(Debug)]
pub struct Contracts {
    components: BTreeSet<ComponentId>,
    /// By path: `/shop.payments.v1.Api/Capture`.
    methods: HashMap<String, Arc<Method>>,
    /// The same by interface and function.
    functions: HashMap<String, HashMap<String, Arc<Method>>>,
    pub(crate) files: Vec<FileDescriptorProto>,
    left_out: Vec<LeftOut>,
}

/// A function that is not offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Whose it is.
    pub component: ComponentId,
    /// The function, with its interface.
    pub function: String,
    /// Why, as a sentence without its end.
    pub reason: String,
}

/// Why the components could not be read.
#[derive(Debug, Error)]
pub enum ContractError {
    /// It cannot be decoded.
    #[error("the contracts of {component} cannot be read from its file: {what}")]
    Undecodable {
        /// The component.
        component: ComponentId,
        /// What is wrong with it.
        what: String,
    },
}

/// A function as the protocol has it.
#[derive(Debug)]
pub(crate) struct Method {
    /// `/shop.payments.v1.Api/Capture`
    pub(crate) path: String,
    pub(crate) request: Arc<Message>,
    pub(crate) response: Arc<Message>,
    /// The same for two nodes where they understand each other.
    pub(crate) digest: String,
    /// The components that have it, each with its own version of the interface.
    pub(crate) providers: BTreeMap<ComponentId, Function>,
}

/// A function as a component exports it.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) interface: Arc<str>,
    pub(crate) name: Arc<str>,
}

// === impl Contracts ===

impl Contracts {
    /// Reads the contracts of components from their wasm.
    ///
    /// Functions that cannot be offered are no error; they are in [`Contracts::left_out`].
    pub fn read<B: AsRef<[u8]>>(components: &[(ComponentId, B)]) -> Result<Self, ContractError> {
        let decode = |(component, wasm): &(ComponentId, B)| {
            let undecodable = |what: String| ContractError::Undecodable {
                component: component.clone(),
                what,
            };
            match decode(wasm.as_ref()).map_err(|error| undecodable(format!("{error:#}")))? {
                DecodedWasm::Component(resolve, world) => Ok((component.clone(), resolve, world)),
                DecodedWasm::WitPackage(..) => Err(undecodable(
                    "it is a WIT package and has no code".to_owned(),
                )),
            }
        };
        let decoded = components.iter().map(decode);
        let decoded: Vec<_> = decoded.collect::<Result<_, _>>()?;
        Ok(Self::of(&decoded))
    }

    pub(crate) fn of(components: &[(ComponentId, Resolve, WorldId)]) -> Self {
        let draft = Draft::of(components);
        let methods: Vec<Arc<Method>> = draft.methods.into_values().map(Arc::new).collect();
        let mut functions: HashMap<String, HashMap<String, Arc<Method>>> = HashMap::new();
        for method in &methods {
            for function in method.providers.values() {
                let known = functions.entry(function.interface.to_string()).or_default();
                known.insert(function.name.to_string(), Arc::clone(method));
            }
        }
        let methods = methods
            .into_iter()
            .map(|method| (method.path.clone(), method));
        Self {
            components: components.iter().map(|(id, ..)| id.clone()).collect(),
            methods: methods.collect(),
            functions,
            files: descriptor::files(draft.packages),
            left_out: draft.left_out,
        }
    }

    /// The functions that are not offered, with the reasons.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The services, by their full names: `shop.payments.v1.Api`.
    pub fn services(&self) -> BTreeSet<String> {
        let services = self.methods.keys().filter_map(|path| service_of(path));
        services.map(str::to_owned).collect()
    }

    /// The contracts as files of the protocol's own language, by their paths: `shop/payments/v1.proto`.
    pub fn protos(&self) -> BTreeMap<String, String> {
        let files = self.files.iter().filter(|file| !is_well_known(file));
        files
            .map(|file| (file.name().to_owned(), proto::text(file)))
            .collect()
    }

    /// The components that were read.
    pub(crate) const fn components(&self) -> &BTreeSet<ComponentId> {
        &self.components
    }

    /// The method at a path.
    pub(crate) fn method(&self, path: &str) -> Option<&Arc<Method>> {
        self.methods.get(path)
    }

    /// The method for a function, of that version of its interface or of one that can stand for it.
    pub(crate) fn function(&self, interface: &str, name: &str) -> Option<&Arc<Method>> {
        if let Some(functions) = self.functions.get(interface) {
            return functions.get(name);
        }
        self.methods.get(&names::path(interface, name)?)
    }
}

/// The service in a path, if the path looks like one.
pub(crate) fn service_of(path: &str) -> Option<&str> {
    Some(path.strip_prefix('/')?.split_once('/')?.0)
}

fn is_well_known(file: &FileDescriptorProto) -> bool {
    file.package().starts_with("google.")
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            component,
            function,
            reason,
        } = self;
        write!(f, "{function} of {component} is left out: {reason}")
    }
}
