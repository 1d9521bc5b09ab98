//! What can only be checked once the whole manifest was read: names that have to exist elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    model::{App, DependencyTarget, HttpTarget},
    name::ComponentId,
    notes::{At, Notes},
    read::Draft,
    suggest,
    template::Template,
};

/// Something in one place of the manifest that is about another place.
#[derive(Debug)]
pub(super) enum Mention {
    /// A trigger leads to a component.
    Trigger { at: At, component: ComponentId },
    /// A component answers HTTP requests.
    Answer { at: At, component: ComponentId },
    /// A component imports from another.
    Dependency {
        at: At,
        of: ComponentId,
        component: ComponentId,
    },
    /// A component imports from a file.
    Library {
        at: At,
        of: ComponentId,
        file: PathBuf,
    },
    /// A URL of a component's HTTP interface.
    Service { at: At, component: String },
    /// A text with variables.
    Variables { at: At, template: Template },
    /// A component says which of its requests are idempotent.
    Idempotent { at: At, of: ComponentId },
}

/// Hosts below this are components of the application.
const SERVICE_SUFFIX: &str = ".spin.internal";

/// Whoever sends a request waits for its answer on a connection that no restart survives.
const NO_ANSWER: &str = "is a saga, which answers no HTTP requests, since it outlives connections; let an event \
    (`[[trigger.redis]]`) or a call of another component begin it";

/// Checks every mention, and makes dependencies on files of components dependencies on those components.
pub(super) fn all(notes: &Notes, draft: &mut Draft) {
    for mention in &draft.mentions {
        one(notes, &draft.app, mention);
    }
    libraries_that_are_components(&mut draft.app);
    unused_components(notes, draft);
}

// === impl Mention ===

impl Mention {
    /// The component that a URL or an outbound host is about, when it names one.
    pub(super) fn service(at: &At, url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let host = rest.split(['/', ':']).next()?;
        let component = host.strip_suffix(SERVICE_SUFFIX)?;
        let is_exact = !component.contains(['*', '{']);
        is_exact.then(|| Self::Service {
            at: at.clone(),
            component: component.to_owned(),
        })
    }
}

fn one(notes: &Notes, app: &App, mention: &Mention) {
    match mention {
        Mention::Trigger { at, component } => exists(notes, app, at, component.as_str()),
        Mention::Answer { at, component } => {
            if is_saga(app, component.as_str()) {
                notes.problem(at, format!("`{component}` {NO_ANSWER}"));
            }
        }
        Mention::Dependency { at, of, component } => {
            exists(notes, app, at, component.as_str());
            if of == component {
                depends_on_itself(notes, at, of);
            }
        }
        Mention::Library { at, of, file } => {
            is_of_one_component(notes, app, at, file);
            if app
                .components
                .get(of)
                .is_some_and(|own| own.source == *file)
            {
                depends_on_itself(notes, at, of);
            }
        }
        Mention::Service { at, component } => is_served(notes, app, at, component),
        Mention::Variables { at, template } => are_declared(notes, app, at, template),
        Mention::Idempotent { at, of } => {
            if !answered(app).any(|id| id == of) {
                notes.warning(
                    at,
                    format!("`idempotent` has no effect: `{of}` answers no HTTP requests"),
                );
            }
        }
    }
}

fn exists(notes: &Notes, app: &App, at: &At, component: &str) {
    if app.components.contains_key(component) {
        return;
    }
    let fix = suggest::similar(component, app.components.keys().map(ComponentId::as_str));
    let fix = fix.unwrap_or_else(|| format!("; write `[component.{component}]`"));
    notes.problem(at, format!("there is no component `{component}`{fix}"));
}

fn depends_on_itself(notes: &Notes, at: &At, of: &ComponentId) {
    notes.problem(
        at,
        format!("`{of}` cannot be its own dependency; leave it out"),
    );
}

/// Requests of other components need a trigger as those of the public do, though a private one will do.
fn is_served(notes: &Notes, app: &App, at: &At, component: &str) {
    exists(notes, app, at, component);
    if is_saga(app, component) {
        notes.problem(at, format!("`{component}` {NO_ANSWER}"));
        return;
    }
    let is_answered = answered(app).any(|id| id.as_str() == component);
    if app.components.contains_key(component) && !is_answered {
        let trigger = format!("`route = {{ private = true }}` and `component = \"{component}\"`");
        let fix = format!("write `[[trigger.http]]` with {trigger}");
        notes.problem(at, format!("`{component}` answers no HTTP requests; {fix}"));
    }
}

fn is_saga(app: &App, component: &str) -> bool {
    let component = app.components.get(component);
    component.is_some_and(|component| component.settings.saga.is_some())
}

fn are_declared(notes: &Notes, app: &App, at: &At, template: &Template) {
    let is_unknown = |name: &&str| !app.variables.contains_key(*name);
    for name in template.variables().filter(is_unknown) {
        let fix = suggest::similar(name, app.variables.keys().map(String::as_str));
        let fix = fix.unwrap_or_else(|| {
            format!("; write `{name} = {{ required = true }}` in `[variables]`")
        });
        notes.problem(at, format!("the variable `{name}` is not declared{fix}"));
    }
}

/// Whose data a call would see has to be clear.
fn is_of_one_component(notes: &Notes, app: &App, at: &At, file: &Path) {
    let owners = app
        .components
        .values()
        .filter(|component| component.source == file);
    let owners: Vec<&str> = owners.map(|component| component.id.as_str()).collect();
    if owners.len() > 1 {
        let (file, owners) = (file.display(), suggest::listed(&owners));
        notes.problem(
            at,
            format!("`{file}` is the file of {owners}; write `component = \"…\"` to choose one"),
        );
    }
}

/// The components that HTTP triggers lead to.
fn answered(app: &App) -> impl Iterator<Item = &ComponentId> {
    app.http.iter().filter_map(|trigger| match &trigger.target {
        HttpTarget::Component(id) => Some(id),
        HttpTarget::Static(_) => None,
    })
}

/// A path to the file of a component means that component, with its own data and instance.
fn libraries_that_are_components(app: &mut App) {
    let owners: BTreeMap<PathBuf, ComponentId> = app
        .components
        .values()
        .map(|component| (component.source.clone(), component.id.clone()))
        .collect();
    for dependency in app
        .components
        .values_mut()
        .flat_map(|component| &mut component.dependencies)
    {
        if let DependencyTarget::Path { path, export } = &dependency.target
            && let Some(id) = owners.get(path)
        {
            dependency.target = DependencyTarget::Component {
                id: id.clone(),
                export: export.clone(),
            };
        }
    }
}

fn unused_components(notes: &Notes, draft: &Draft) {
    let app = &draft.app;
    let depended_on = app
        .components
        .values()
        .flat_map(|component| &component.dependencies);
    let depended_on = depended_on.filter_map(|dependency| match &dependency.target {
        DependencyTarget::Component { id, .. } => Some(id),
        DependencyTarget::Path { .. } => None,
    });
    let handlers = app.redis.iter().map(|trigger| &trigger.component);
    let used: BTreeSet<&ComponentId> = answered(app).chain(handlers).chain(depended_on).collect();
    for (id, at) in draft.declared.iter().filter(|(id, _)| !used.contains(id)) {
        notes.warning(
            at,
            format!("nothing calls `{id}`: no trigger leads to it and no component depends on it"),
        );
    }
}
