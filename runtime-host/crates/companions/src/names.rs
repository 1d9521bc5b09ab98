//! The names in a companion: how they are spelled, and which of them are taken.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use wit_parser::PackageName;

use crate::{error::Collision, service::Interface};

/// The type that undo entries are registered on.
pub(crate) const SCOPE: &str = "scope";

/// The type that stands for a step that was begun.
pub(crate) const TICKET: &str = "ticket";

/// The words that WIT has a meaning for.
pub(crate) const KEYWORDS: [&str; 43] = [
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
];

/// What the types of a contract are called in a companion.
#[derive(Debug)]
pub(crate) struct TypeNames<'a> {
    names: BTreeMap<&'a str, String>,
}

// === impl TypeNames ===

impl<'a> TypeNames<'a> {
    /// Types keep their names where no function of the companion and no type of ours has it. A type gives way, for a saga
    /// is free to call it anything, while the name of a function says which one of the contract it belongs to.
    pub(crate) fn new(types: &BTreeSet<&'a str>, taken: &[String]) -> Self {
        let mut names = BTreeMap::new();
        let is_taken = |name: &str| taken.iter().any(|other| same(name, other));
        for &ty in types {
            let mut name = ty.to_owned();
            while is_taken(&name) || types.iter().any(|other| ty != *other && same(&name, other)) {
                name.push_str("-type");
            }
            names.insert(ty, name);
        }
        Self { names }
    }

    /// How a type is spelled where it is mentioned.
    pub(crate) fn spell(&self, ty: &str) -> String {
        escape(self.names.get(ty).map_or(ty, String::as_str))
    }

    /// What stands between the braces of `use`.
    pub(crate) fn imports(&self) -> String {
        let import = |(ty, name): (&&str, &String)| {
            if ty == name {
                escape(ty)
            } else {
                format!("{} as {}", escape(ty), escape(name))
            }
        };
        let imports: Vec<_> = self.names.iter().map(import).collect();
        imports.join(", ")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Names that differ in case only are the same to the component model.
const fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// A name as WIT takes it.
pub(crate) fn escape(name: &str) -> String {
    if KEYWORDS.contains(&name) {
        format!("%{name}")
    } else {
        name.to_owned()
    }
}

/// The package of the companions of `contract`.
pub(crate) fn companion(contract: &PackageName) -> PackageName {
    PackageName {
        name: format!("{}-saga", contract.name),
        ..contract.clone()
    }
}

/// The package of the interfaces that every companion uses.
pub(crate) fn saga() -> PackageName {
    PackageName {
        namespace: "skald".to_owned(),
        name: "saga".to_owned(),
        version: Some(Version::new(0, 1, 0)),
    }
}

/// The name of a package, as `package` takes it, or with an interface, as `use` takes it.
pub(crate) fn spell(package: &PackageName, interface: Option<&str>) -> String {
    let mut spelled = format!("{}:{}", escape(&package.namespace), escape(&package.name));
    if let Some(interface) = interface {
        spelled.push('/');
        spelled.push_str(&escape(interface));
    }
    if let Some(version) = &package.version {
        spelled.push_str(&format!("@{version}"));
    }
    spelled
}

/// The function that takes the result of the step that `function` began.
pub(crate) fn result_of(function: &str) -> String {
    format!("{function}-result")
}

/// Names of functions that cannot be in the companions of their interface.
pub(crate) fn collisions(interface: &Interface<'_>) -> Vec<Collision> {
    let mut collisions = Vec::new();
    for function in &interface.functions {
        let mut collide = |with: String| {
            collisions.push(Collision {
                interface: interface.name.to_owned(),
                function: function.name.clone(),
                with,
            });
        };
        if same(&function.name, SCOPE) {
            collide(format!("a type that `{}-undo` uses", interface.name));
        }
        if same(&function.name, TICKET) {
            collide(format!("a type that `{}-start` uses", interface.name));
        }
        for other in &interface.functions {
            if same(&function.name, &result_of(&other.name)) {
                collide(format!(
                    "what takes the result of `{}` in `{}-start`",
                    other.name, interface.name
                ));
            }
        }
    }
    collisions
}
