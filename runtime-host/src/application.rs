//! From a manifest on disk to what each room must know of each component.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use skald_core::manifest::{
    App, Component, ComponentId, DependencyTarget,
    variables::{Resolved, resolve},
};
use skald_engine::{Isolation, Service, Spec};

use crate::{lifecycle::Failure, settings::Settings};

/// An application, read and with its variables filled in.
pub(crate) struct Application {
    pub(crate) app: App,
    pub(crate) specs: Vec<Spec>,
    /// Which channels each component listens to.
    pub(crate) subscriptions: BTreeMap<ComponentId, Vec<Arc<str>>>,
}

impl Application {
    pub(crate) fn read(settings: &Settings) -> Result<Self, Failure> {
        let app = parse(&settings.manifest)?;
        let values = resolve(&app.variables, &settings.providers)
            .map_err(|problems| Failure::Manifest(problems.to_string()))?;
        let address = app.redis_address.as_ref().map(|template| values.render(template));
        let mut problems = Vec::new();
        let specs = app
            .components
            .values()
            .map(|component| spec(component, &values, address.as_deref(), &settings.root, &mut problems))
            .collect();
        let mut subscriptions: BTreeMap<ComponentId, Vec<Arc<str>>> = BTreeMap::new();
        for trigger in &app.redis {
            let own = trigger.address.as_ref().map(|template| values.render(template));
            if own.is_some() && own != address {
                problems.push(format!(
                    "[[trigger.redis]] of {:?} has an address of its own, which is not supported yet; use the application's",
                    trigger.component.as_str()
                ));
            }
            let channel = Arc::from(values.render(&trigger.channel));
            subscriptions.entry(trigger.component.clone()).or_default().push(channel);
        }
        if problems.is_empty() {
            Ok(Self { app, specs, subscriptions })
        } else {
            let file = settings.manifest.display();
            Err(Failure::Manifest(format!("{file}:\n  {}", problems.join("\n  "))))
        }
    }
}

fn parse(manifest: &Path) -> Result<App, Failure> {
    let file = manifest.display().to_string();
    let text = fs::read_to_string(manifest).map_err(|error| {
        Failure::Manifest(format!("{file} cannot be read: {error}; name the manifest with --from"))
    })?;
    let name = manifest.file_name().map_or(file.clone(), |name| name.to_string_lossy().into_owned());
    App::parse(&text, &name).map_err(|problems| Failure::Manifest(problems.to_string()))
}

fn spec(
    component: &Component,
    values: &Resolved,
    address: Option<&str>,
    root: &Path,
    problems: &mut Vec<String>,
) -> Spec {
    let mut services = Vec::new();
    for dependency in &component.dependencies {
        match &dependency.target {
            DependencyTarget::Component { id, export: None } => {
                services.push(Service { import: dependency.name.to_string(), target: id.clone() });
            }
            DependencyTarget::Component { export: Some(_), .. } => {
                problems.push(unsupported(component, "an `export` of another name"));
            }
            DependencyTarget::Path { .. } => problems.push(unsupported(component, "a library as a dependency")),
        }
    }
    if !component.files.is_empty() {
        problems.push(unsupported(component, "`files`"));
    }
    Spec {
        id: component.id.clone(),
        source: root.join(&component.source),
        isolation: match component.settings.isolation {
            skald_core::manifest::Isolation::Instance => Isolation::Instance,
            skald_core::manifest::Isolation::Call => Isolation::Call,
        },
        memory: component.settings.memory.as_usize(),
        stores: component.key_value_stores.iter().map(|label| Arc::from(label.as_str())).collect(),
        outbound: component.allowed_outbound_hosts.iter().map(|host| values.render(host)).collect(),
        variables: component.variables.iter().map(|(name, value)| (name.clone(), values.render(value))).collect(),
        environment: component.environment.clone().into_iter().collect(),
        services,
        event_address: address.map(Arc::from),
    }
}

fn unsupported(component: &Component, what: &str) -> String {
    format!("[component.{}] has {what}, which is not supported yet", component.id.as_str())
}
