//! From a manifest on disk to what each room must know of each component.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use skald_core::{
    event::Interest,
    manifest::{
        self, App, Component, ComponentId, DependencyTarget, RedisTrigger,
        variables::{Resolved, resolve},
    },
};
use skald_engine::{Isolation, Service, Spec};

use crate::{lifecycle::Failure, settings::Settings};

/// An application, read and with its variables filled in.
pub(crate) struct Application {
    pub(crate) app: App,
    pub(crate) specs: Vec<Spec>,
    /// Which channels each component listens to.
    pub(crate) subscriptions: BTreeMap<ComponentId, Vec<Arc<str>>>,
    /// The components that this node serves.
    pub(crate) served: BTreeSet<ComponentId>,
}

impl Application {
    pub(crate) fn read(settings: &Settings) -> Result<Self, Failure> {
        let app = parse(&settings.manifest)?;
        let values = resolve(&app.variables, &settings.providers)
            .map_err(|problems| Failure::Manifest(problems.to_string()))?;
        let mut reader = Reader {
            address: app
                .redis_address
                .as_ref()
                .map(|template| values.render(template)),
            values,
            root: &settings.root,
            unsupported: Vec::new(),
        };
        let specs = app
            .components
            .values()
            .map(|component| reader.spec(component))
            .collect();
        let mut subscriptions: BTreeMap<ComponentId, Vec<Arc<str>>> = BTreeMap::new();
        for trigger in &app.redis {
            let channel = reader.channel(trigger);
            subscriptions
                .entry(trigger.component.clone())
                .or_default()
                .push(channel);
        }
        if reader.unsupported.is_empty() {
            return Ok(Self {
                served: served(&app, &settings.only)?,
                app,
                specs,
                subscriptions,
            });
        }
        let file = settings.manifest.display();
        Err(Failure::Manifest(format!(
            "{file}:\n  {}",
            reader.unsupported.join("\n  ")
        )))
    }

    /// What each subscriber wants to hear.
    pub(crate) fn interests(&self) -> Vec<Interest> {
        let interest = |(group, topics): (&ComponentId, &Vec<Arc<str>>)| Interest {
            group: Arc::from(group.as_str()),
            topics: topics.clone(),
        };
        self.subscriptions.iter().map(interest).collect()
    }
}

/// The components that are to be served here: those that are named, or all.
fn served(app: &App, only: &[String]) -> Result<BTreeSet<ComponentId>, Failure> {
    if only.is_empty() {
        return Ok(app.components.keys().cloned().collect());
    }
    let named: BTreeSet<_> = only
        .iter()
        .map(|name| ComponentId::from(name.as_str()))
        .collect();
    let unknown = |id: &&ComponentId| !app.components.contains_key(*id);
    let unknown: Vec<_> = named
        .iter()
        .filter(unknown)
        .map(ToString::to_string)
        .collect();
    if unknown.is_empty() {
        return Ok(named);
    }
    let known: Vec<_> = app.components.keys().map(ToString::to_string).collect();
    Err(Failure::Settings(format!(
        "--only {}: no such component; there are {}",
        unknown.join(","),
        known.join(", ")
    )))
}

/// Fills in variables, and collects what the manifest asks for that is not there yet.
struct Reader<'a> {
    values: Resolved,
    /// The application's event address.
    address: Option<String>,
    root: &'a Path,
    unsupported: Vec<String>,
}

impl Reader<'_> {
    fn channel(&mut self, trigger: &RedisTrigger) -> Arc<str> {
        let own = trigger
            .address
            .as_ref()
            .map(|template| self.values.render(template));
        if own.is_some() && own != self.address {
            self.unsupported.push(format!(
                "[[trigger.redis]] of {:?} has an address of its own, which is not supported yet; use the application's",
                trigger.component.as_str()
            ));
        }
        Arc::from(self.values.render(&trigger.channel))
    }

    fn spec(&mut self, component: &Component) -> Spec {
        if !component.files.is_empty() {
            self.refuse(component, "`files`");
        }
        let values = &self.values;
        let variables = component.variables.iter();
        Spec {
            id: component.id.clone(),
            source: self.root.join(&component.source),
            isolation: match component.settings.isolation {
                manifest::Isolation::Instance => Isolation::Instance,
                manifest::Isolation::Call => Isolation::Call,
            },
            saga: component.settings.saga.is_some(),
            memory: component.settings.memory.as_usize(),
            stores: component
                .key_value_stores
                .iter()
                .map(|label| Arc::from(label.as_str()))
                .collect(),
            outbound: component
                .allowed_outbound_hosts
                .iter()
                .map(|host| values.render(host))
                .collect(),
            variables: variables
                .map(|(name, value)| (name.clone(), values.render(value)))
                .collect(),
            environment: component.environment.clone().into_iter().collect(),
            event_address: self.address.as_deref().map(Arc::from),
            services: self.services(component),
        }
    }

    fn services(&mut self, component: &Component) -> Vec<Service> {
        let mut services = Vec::new();
        for dependency in &component.dependencies {
            match &dependency.target {
                DependencyTarget::Component { id, export: None } => {
                    services.push(Service {
                        import: dependency.name.to_string(),
                        target: id.clone(),
                    });
                }
                DependencyTarget::Component {
                    export: Some(_), ..
                } => {
                    self.refuse(component, "an `export` of another name");
                }
                DependencyTarget::Path { .. } => {
                    self.refuse(component, "a library as a dependency");
                }
            }
        }
        services
    }

    fn refuse(&mut self, component: &Component, what: &str) {
        self.unsupported.push(format!(
            "[component.{}] has {what}, which is not supported yet",
            component.id.as_str()
        ));
    }
}

fn parse(manifest: &Path) -> Result<App, Failure> {
    let file = manifest.display().to_string();
    let text = fs::read_to_string(manifest).map_err(|error| {
        Failure::Manifest(format!(
            "{file} cannot be read: {error}; name the manifest with --from"
        ))
    })?;
    let name = manifest
        .file_name()
        .map_or(file, |name| name.to_string_lossy().into_owned());
    App::parse(&text, &name).map_err(|problems| Failure::Manifest(problems.to_string()))
}
