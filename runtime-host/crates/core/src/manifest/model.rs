//! What a manifest says, with every name resolved.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use http::{HeaderMap, StatusCode};

use super::{
    name::{ComponentId, DependencyName},
    problem::Problem,
    settings::{AppSettings, ComponentSettings},
    template::Template,
};
use crate::route::Pattern;

/// An application.
#[derive(Clone, Debug, Default)]
pub struct App {
    /// Its name.
    pub name: String,
    /// Its version; empty when it has none.
    pub version: String,
    /// What it is, for people; often empty.
    pub description: String,
    /// Who made it.
    pub authors: Vec<String>,
    /// The variables that its operator may or must set.
    pub variables: BTreeMap<String, Variable>,
    /// What answers HTTP requests, in the order of the manifest.
    pub http: Vec<HttpTrigger>,
    /// What handles messages, in the order of the manifest.
    pub redis: Vec<RedisTrigger>,
    /// The address of the triggers that give none.
    pub redis_address: Option<Template>,
    /// The components, inline ones too.
    pub components: BTreeMap<ComponentId, Component>,
    /// Skald's settings of the whole application.
    pub settings: AppSettings,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
}

/// A value that is known only where the application runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// What it is for.
    pub description: String,
    /// Its value when nobody sets one; without it somebody has to.
    pub default: Option<String>,
    /// Whether its value must not be shown.
    pub secret: bool,
}

/// What answers the requests of a route.
#[derive(Clone, Debug)]
pub struct HttpTrigger {
    /// Which requests.
    pub route: Route,
    /// What answers them.
    pub target: HttpTarget,
}

/// Which requests an HTTP trigger takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Those from outside whose path fits, and those of other components.
    Public(Pattern),
    /// Only those of other components, to `http://<component>.spin.internal`.
    Private,
}

/// What answers an HTTP request.
#[derive(Clone, Debug)]
pub enum HttpTarget {
    /// A component.
    Component(ComponentId),
    /// Always the same answer.
    Static(StaticResponse),
}

/// An answer that needs no component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; often empty.
    pub body: String,
}

/// What handles the messages of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisTrigger {
    /// The channel.
    pub channel: Template,
    /// The server; that of the application when absent.
    pub address: Option<Template>,
    /// The component that handles them.
    pub component: ComponentId,
}

/// A component: a program and what it may use.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its name.
    pub id: ComponentId,
    /// Where the program is, relative to the manifest.
    pub source: PathBuf,
    /// What it is, for people; often empty.
    pub description: String,
    /// The variables it may read.
    pub variables: BTreeMap<String, Template>,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// The files it may read.
    pub files: Vec<FileMount>,
    /// Patterns of files it may not read although `files` has them.
    pub exclude_files: Vec<String>,
    /// Where it may connect to, as `scheme://host:port`.
    pub allowed_outbound_hosts: Vec<Template>,
    /// The key-value stores it may open.
    pub key_value_stores: BTreeSet<String>,
    /// How it is built; absent when it is built by other means.
    pub build: Option<Build>,
    /// What provides its imports.
    pub dependencies: Vec<Dependency>,
    /// Skald's settings of this component, defaults filled in.
    pub settings: ComponentSettings,
}

/// Files of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileMount {
    /// Those whose path fits a glob pattern, at the same path.
    Glob(String),
    /// A file or folder, at another path.
    Placed {
        /// Where it is, relative to the manifest.
        source: PathBuf,
        /// Where the component sees it.
        destination: String,
    },
}

/// How a component is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// Shell commands, run one after the other.
    pub commands: Vec<String>,
    /// Where to run them, relative to the manifest.
    pub workdir: Option<PathBuf>,
    /// Patterns of the files whose change asks for a new build.
    pub watch: Vec<String>,
}

/// What provides some imports of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The imports.
    pub name: DependencyName,
    /// The provider.
    pub target: DependencyTarget,
    /// What the provider may use of the component's own.
    pub inherit: Inherit,
}

/// What provides an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DependencyTarget {
    /// A component of this application: every call is a call to a service.
    Component {
        /// Its name.
        id: ComponentId,
        /// The export to use where it is not named like the import.
        export: Option<String>,
    },
    /// A library, composed into the component.
    Path {
        /// Where it is, relative to the manifest.
        path: PathBuf,
        /// The export to use where it is not named like the import.
        export: Option<String>,
    },
}

/// What a dependency may use of the component it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inherit {
    /// Nothing.
    #[default]
    Nothing,
    /// These.
    Some(BTreeSet<Capability>),
    /// Everything.
    All,
}

/// Something that a manifest allows a component to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Language models.
    AiModels,
    /// Connections to other hosts.
    AllowedOutboundHosts,
    /// Environment variables.
    Environment,
    /// Files.
    Files,
    /// Key-value stores.
    KeyValueStores,
    /// SQLite databases.
    SqliteDatabases,
    /// Variables.
    Variables,
}

// === impl Capability ===

impl Capability {
    /// Every capability with its name in a manifest.
    pub(super) const NAMES: [(&'static str, Self); 7] = [
        ("ai_models", Self::AiModels),
        ("allowed_outbound_hosts", Self::AllowedOutboundHosts),
        ("environment", Self::Environment),
        ("files", Self::Files),
        ("key_value_stores", Self::KeyValueStores),
        ("sqlite_databases", Self::SqliteDatabases),
        ("variables", Self::Variables),
    ];
}

// === impl Inherit ===

impl Inherit {
    /// Whether this capability is passed on.
    pub fn allows(&self, capability: Capability) -> bool {
        match self {
            Self::Nothing => false,
            Self::Some(capabilities) => capabilities.contains(&capability),
            Self::All => true,
        }
    }
}
