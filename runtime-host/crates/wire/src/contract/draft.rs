//! The methods of all components together: which of them agree, and which have to be left out.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, btree_map::Entry},
    sync::Arc,
};

use semver::Version;
use sha2::{Digest, Sha256};
use skald_core::{hex, manifest::ComponentId};
use wit_parser::{
    Function as WitFunction, InterfaceId, PackageName, Resolve, WorldId, WorldItem, WorldKey,
};

use super::{
    Function, LeftOut, Method, names,
    read::{Reader, Reason, Signature},
    shape::{Item, Message, Names, short},
};

/// Interfaces of these are between a component and its host, and no contract.
const HOSTS: [&str; 4] = ["fermyon", "skald", "spin", "wasi"];

/// What was read so far.
#[derive(Default)]
pub(super) struct Draft {
    /// By path.
    pub(super) methods: BTreeMap<String, Method>,
    /// By name.
    pub(super) packages: BTreeMap<String, Package>,
    pub(super) left_out: Vec<LeftOut>,
    /// What each name stands for, spelled out.
    symbols: HashMap<String, String>,
}

/// What is in a package of the protocol.
#[derive(Default)]
pub(super) struct Package {
    pub(super) messages: BTreeMap<String, Arc<Message>>,
    pub(super) enums: BTreeMap<String, Arc<Names>>,
    /// The methods of each service, in the order they were read in.
    pub(super) services: BTreeMap<String, Vec<Declared>>,
}

/// A method as its service declares it.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) request: String,
    pub(super) response: String,
}

/// An interface that a component exports.
struct Export<'a> {
    component: &'a ComponentId,
    reader: &'a Reader<'a>,
    id: InterfaceId,
    package: &'a PackageName,
    name: &'a str,
    functions: Vec<&'a WitFunction>,
}

/// All that is reachable from a method.
#[derive(Default)]
struct Parts {
    messages: BTreeMap<String, Arc<Message>>,
    enums: BTreeMap<String, Arc<Names>>,
}

// === impl Draft ===

impl Draft {
    pub(super) fn of(components: &[(ComponentId, Resolve, WorldId)]) -> Self {
        let mut draft = Self::default();
        let readers: Vec<_> = components
            .iter()
            .map(|(_, resolve, _)| Reader::new(resolve))
            .collect();
        let mut exports = Vec::new();
        for ((component, resolve, world), reader) in components.iter().zip(&readers) {
            draft.exports(component, reader, (resolve, *world), &mut exports);
        }
        // The newest version of an interface says what its messages are; older ones have to agree with it.
        exports.sort_by_key(|export| {
            let version = Reverse(export.package.version.clone());
            (
                export.package.namespace.clone(),
                export.package.name.clone(),
                version,
                export.name,
                export.component,
            )
        });
        let functions = exports.iter().flat_map(|export| {
            export
                .functions
                .iter()
                .map(move |function| (export, function))
        });
        for (export, function) in functions {
            if let Err(reason) = draft.add(export, function) {
                draft.leave_out(export.component, &export.path(), &function.name, &reason);
            }
        }
        draft
    }

    fn exports<'a>(
        &mut self,
        component: &'a ComponentId,
        reader: &'a Reader<'a>,
        (resolve, world): (&'a Resolve, WorldId),
        exports: &mut Vec<Export<'a>>,
    ) {
        let Some(world) = resolve.worlds.get(world) else {
            return;
        };
        for (key, item) in &world.exports {
            let id = match item {
                WorldItem::Interface { id, .. } => *id,
                WorldItem::Function(function) => {
                    self.leave_out(component, "", &function.name, &Reason::NoInterface);
                    continue;
                }
                WorldItem::Type { .. } => continue,
            };
            let Some(interface) = resolve.interfaces.get(id) else {
                continue;
            };
            let functions: Vec<_> = interface.functions.values().collect();
            let package = interface.package.and_then(|id| resolve.packages.get(id));
            let (Some(package), Some(name), WorldKey::Interface(_)) =
                (package, &interface.name, key)
            else {
                self.leave_out_all(component, key, &functions);
                continue;
            };
            if !HOSTS.contains(&package.name.namespace.as_str()) {
                exports.push(Export {
                    component,
                    reader,
                    id,
                    package: &package.name,
                    name,
                    functions,
                });
            }
        }
    }

    fn add(&mut self, export: &Export<'_>, function: &WitFunction) -> Result<(), Reason> {
        let Signature { request, response } = export.reader.signature(export.id, function)?;
        let package = names::package(export.package);
        let service = names::camel(export.name);
        let name = names::camel(&function.name);
        let path = format!("/{package}.{service}/{name}");
        let mut parts = Parts::default();
        parts.add_message(&request);
        parts.add_message(&response);
        let service_symbol = (format!("{package}.{service}"), "service".to_owned());
        self.agree(parts.symbols().chain([service_symbol]))?;
        let provided = Function {
            interface: export.path().into(),
            name: function.name.as_str().into(),
        };
        let component = export.component.clone();
        if let Some(known) = self.methods.get_mut(&path) {
            if known.request.name != request.name {
                return Err(Reason::Clash(path));
            }
            // Of two versions the newer one was read first.
            known.providers.entry(component).or_insert(provided);
            return Ok(());
        }
        let declared = Declared {
            name,
            request: request.name.clone(),
            response: response.name.clone(),
        };
        let services = &mut self.packages.entry(package).or_default().services;
        services.entry(service).or_default().push(declared);
        let method = Method {
            path: path.clone(),
            digest: parts.digest(),
            request,
            response,
            providers: BTreeMap::from([(component, provided)]),
        };
        self.methods.insert(path, method);
        self.keep(parts);
        Ok(())
    }

    /// Whether no name stands for something else already; if so, they are taken.
    fn agree(&mut self, symbols: impl Iterator<Item = (String, String)>) -> Result<(), Reason> {
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        for (name, meaning) in symbols {
            let before = self.symbols.get(&name).or_else(|| taken.get(&name));
            if before.is_some_and(|before| *before != meaning) {
                return Err(Reason::Clash(name));
            }
            taken.insert(name, meaning);
        }
        self.symbols.extend(taken);
        Ok(())
    }

    fn keep(&mut self, parts: Parts) {
        for (name, message) in parts.messages {
            if let (false, Some((package, _))) = (message.is_nested, name.rsplit_once('.')) {
                let package = self.packages.entry(package.to_owned()).or_default();
                package.messages.insert(name, message);
            }
        }
        for (name, names) in parts.enums {
            if let Some((package, _)) = name.rsplit_once('.') {
                let package = self.packages.entry(package.to_owned()).or_default();
                package.enums.insert(name, names);
            }
        }
    }

    fn leave_out_all(
        &mut self,
        component: &ComponentId,
        interface: &WorldKey,
        functions: &[&WitFunction],
    ) {
        let interface = match interface {
            WorldKey::Name(name) => name,
            WorldKey::Interface(_) => "",
        };
        for function in functions {
            self.leave_out(component, interface, &function.name, &Reason::NoPackage);
        }
    }

    fn leave_out(&mut self, component: &ComponentId, interface: &str, name: &str, why: &Reason) {
        let function = match interface {
            "" => name.to_owned(),
            interface => format!("{interface}#{name}"),
        };
        self.left_out.push(LeftOut {
            component: component.clone(),
            function,
            reason: why.to_string(),
        });
    }
}

// === impl Export ===

impl Export<'_> {
    /// As the component exports it: `shop:payments/api@1.0.0`.
    fn path(&self) -> String {
        let PackageName {
            namespace,
            name,
            version,
        } = self.package;
        let version = version.as_ref();
        let version = version.map(|version: &Version| format!("@{version}"));
        let version = version.unwrap_or_default();
        format!("{namespace}:{name}/{}{version}", self.name)
    }
}

// === impl Parts ===

impl Parts {
    fn add_message(&mut self, message: &Arc<Message>) {
        let Entry::Vacant(free) = self.messages.entry(message.name.clone()) else {
            return;
        };
        free.insert(Arc::clone(message));
        for item in message.items() {
            match item {
                Item::Message(message) => self.add_message(message),
                Item::Enum(names) => {
                    self.enums.insert(names.name.clone(), Arc::clone(names));
                }
                Item::Scalar(_) | Item::Bytes => {}
            }
        }
    }

    /// All names with what they stand for.
    fn symbols(&self) -> impl Iterator<Item = (String, String)> {
        let messages = self.messages.iter();
        let messages = messages.map(|(name, message)| (name.clone(), message.to_string()));
        let enums = self.enums.values();
        let enums = enums.map(|names| {
            (
                names.name.clone(),
                format!("enum {}", names.cases.join(";")),
            )
        });
        let values = self.enums.values().flat_map(|names| {
            let package = names
                .name
                .rsplit_once('.')
                .map_or("", |(package, _)| package);
            let cases = names.cases.iter().map(String::as_str);
            let zero = names::group("unspecified", cases.clone());
            let cases = cases.map(str::to_owned).chain([zero]);
            cases.map(move |case| {
                let value = names::value(short(&names.name), &case);
                (format!("{package}.{value}"), names.name.clone())
            })
        });
        messages.chain(enums).chain(values)
    }

    fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (name, meaning) in self.symbols() {
            digest.update(format!("{name} {meaning}\n"));
        }
        // As many digits as nobody meets twice by accident.
        let mut digits = hex::digits(&digest.finalize());
        digits.truncate(16);
        digits
    }
}
