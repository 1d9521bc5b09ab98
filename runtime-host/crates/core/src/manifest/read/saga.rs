//! What makes a component a saga: `saga` and `steps` in `[component.<id>.tool.skald]`, and what it can do without.

use super::skald;
use crate::{
    manifest::{
        model::Dependency,
        name::{self, DependencyName},
        reader::{Reading, Section},
        settings::SagaSettings,
        suggest,
    },
    saga::policy::{Class, Policies, Policy},
};

/// Why a saga has nothing but what it calls.
const REPLAYED: &str =
    "after a crash its code runs again from the beginning and has to see the same as before";

const FORMS: &str = "write `namespace:package`, `namespace:package/interface` or `namespace:package/interface.function`";

const CLASSES: [(&str, Class); 3] = [
    ("read", Class::Read),
    ("write", Class::Write),
    ("write-once", Class::WriteOnce),
];

/// Reads the settings of a saga; none where the component is not one.
pub(super) fn settings(section: &Section<'_>, dependencies: &[Dependency]) -> Option<SagaSettings> {
    let named = section.named("steps").into_iter().filter_map(|reading| {
        let name = step(&reading, dependencies);
        let policy = policy(&reading);
        Some((name?, policy?))
    });
    let policies = Policies::new(named);
    if section.flag("saga").unwrap_or_default() {
        refuse_settings(section);
        return Some(SagaSettings { policies });
    }
    if let Some(steps) = section.value("steps") {
        steps.problem(
            "`steps` is about the steps of a saga; write `saga = true` beside it, or leave it out",
        );
    }
    None
}

/// Refuses what would let a saga see, or do, something that its journal does not know of.
pub(super) fn refuse_grants(component: &Section<'_>) {
    for key in [
        "variables",
        "environment",
        "files",
        "allowed_outbound_hosts",
        "key_value_stores",
    ] {
        if let Some(reading) = component.value(key).filter(|reading| !reading.is_empty()) {
            reading.problem(format!(
                "a saga cannot have `{key}`: {REPLAYED}; leave it to a component that it calls"
            ));
        }
    }
}

fn refuse_settings(section: &Section<'_>) {
    for (key, why) in [
        ("atomic", "it has no data of its own"),
        ("isolation", "each run has an instance of its own"),
    ] {
        if let Some(reading) = section.value(key) {
            reading.problem(format!(
                "`{key}` means nothing for a saga, since {why}; leave it out"
            ));
        }
    }
}

/// The name as policies are looked up by, if it is one.
fn step(reading: &Reading<'_>, dependencies: &[Dependency]) -> Option<String> {
    let written = reading.key.as_str();
    if let Some(bare) = without_version(written) {
        reading.problem(format!(
            "`{written}` has a version, and a policy is for all versions; write `{bare}`"
        ));
        return None;
    }
    let Some(steps) = import(written) else {
        reading.problem(format!("`{written}` is not a name of steps; {FORMS}"));
        return None;
    };
    let mut services = dependencies.iter().map(|dependency| &dependency.name);
    if !services.clone().any(|service| service.overlaps(&steps)) {
        let fix = instead(written, &steps, &mut services);
        reading.problem(format!(
            "`{written}` is no step of this component: it has no such dependency{fix}"
        ));
    }
    Some(written.to_owned())
}

fn policy(reading: &Reading<'_>) -> Option<Policy> {
    let section = reading.section()?;
    let default = Policy::default();
    let policy = Policy {
        attempts: skald::count(&section, "attempts").unwrap_or(default.attempts),
        backoff: skald::duration(&section, "backoff").unwrap_or(default.backoff),
        max_backoff: skald::duration(&section, "max_backoff").unwrap_or(default.max_backoff),
        timeout: skald::duration(&section, "timeout"),
        class: section
            .value("class")
            .and_then(|reading| class(&reading))
            .unwrap_or_default(),
    };
    skald::check_pauses(&section, policy.backoff, policy.max_backoff);
    Some(policy)
}

fn class(reading: &Reading<'_>) -> Option<Class> {
    let written = reading.text_like("\"read\", \"write\" or \"write-once\"")?;
    let class = CLASSES.iter().find(|(name, _)| *name == written);
    if class.is_none() {
        let fix = suggest::instead_of(&written, CLASSES.map(|(name, _)| name));
        reading.problem(format!("there is no class `{written}`{fix}"));
    }
    class.map(|(_, class)| *class)
}

/// The name without its version, if it has one: `a:b@1.0.0`, `a:b@1.0.0/c.d`, `a:b/c@1.0.0` or `a:b/c@1.0.0.d`.
fn without_version(written: &str) -> Option<String> {
    let (path, version) = written.split_once('@')?;
    if let Some((_, rest)) = version.split_once('/') {
        return Some(format!("{path}/{rest}"));
    }
    let function = version
        .rsplit_once('.')
        .map(|(_, last)| last)
        .filter(|last| path.contains('/') && name::is_kebab(last));
    Some(function.map_or_else(|| path.to_owned(), |function| format!("{path}.{function}")))
}

/// The import whose steps the name is about; none where it is not a name of steps.
fn import(written: &str) -> Option<DependencyName> {
    let (import, function) = match written.split_once('.') {
        Some((import, function)) => (import, Some(function)),
        None => (written, None),
    };
    let import = DependencyName::parse(import).ok()?;
    let is_interface = interface(&import).is_some();
    let fits = function.is_none_or(|function| is_interface && name::is_kebab(function));
    (fits && package(&import).is_some()).then_some(import)
}

/// The end of a message: the same steps of the dependency that was probably meant, else the dependencies there are.
fn instead<'a>(
    written: &str,
    steps: &DependencyName,
    services: &mut (impl Iterator<Item = &'a DependencyName> + Clone),
) -> String {
    let meant = services.clone().find_map(|service| {
        let own = match interface(service) {
            Some(_) => bare(steps)?,
            None => package(steps)?,
        };
        let known = bare(service)?;
        suggest::nearest(&own, [known.as_str()])?;
        Some(format!("{known}{}", written.strip_prefix(&own)?))
    });
    if let Some(meant) = meant {
        return format!("; did you mean `{meant}`?");
    }
    let known: Vec<String> = services.filter_map(bare).collect();
    suggest::instead_of(written, known.iter().map(String::as_str))
}

/// `namespace:package`, with the interface where there is one, and without the version.
fn bare(name: &DependencyName) -> Option<String> {
    let package = package(name)?;
    let interface = interface(name).map(|interface| format!("/{interface}"));
    Some(package + &interface.unwrap_or_default())
}

/// `namespace:package`.
fn package(name: &DependencyName) -> Option<String> {
    match name {
        DependencyName::Plain(_) => None,
        DependencyName::Package {
            namespace, package, ..
        } => Some(format!("{namespace}:{package}")),
    }
}

fn interface(name: &DependencyName) -> Option<&str> {
    match name {
        DependencyName::Plain(_) => None,
        DependencyName::Package { interface, .. } => interface.as_deref(),
    }
}
