//! `[component.<id>.dependencies]`.

use std::{collections::BTreeSet, path::PathBuf};

use super::Draft;
use crate::manifest::{
    check::Mention,
    model::{Capability, Dependency, DependencyTarget, Inherit},
    name::{ComponentId, DependencyName},
    reader::{Reading, Section},
    suggest,
};

/// Reads what provides the imports of a component.
pub(super) fn all(id: &ComponentId, section: &Section<'_>, draft: &mut Draft) -> Vec<Dependency> {
    let inherit_all = section.flag("dependencies_inherit_configuration");
    let mut dependencies: Vec<Dependency> = Vec::new();
    for reading in section.named("dependencies") {
        let Some(dependency) = dependency(id, &reading, inherit_all, draft) else {
            continue;
        };
        if let Some(other) = dependencies
            .iter()
            .find(|other| other.name.overlaps(&dependency.name))
        {
            reading.problem(format!(
                "`{}` and `{}` are about the same imports; keep one",
                other.name, dependency.name
            ));
        }
        dependencies.push(dependency);
    }
    dependencies
}

fn dependency(
    id: &ComponentId,
    reading: &Reading<'_>,
    inherit_all: Option<bool>,
    draft: &mut Draft,
) -> Option<Dependency> {
    let name = DependencyName::parse(&reading.key)
        .map_err(|why| reading.problem(why))
        .ok();
    if reading.as_text().is_some() {
        reading.problem(from_elsewhere("a registry"));
        return None;
    }
    if !reading.is_table() {
        reading.wrong_type("a table such as `{ component = \"…\" }`");
        return None;
    }
    let section = reading.section()?;
    let inherit = match (section.value("inherit_configuration"), inherit_all) {
        (Some(own), Some(_)) => {
            own.problem("the component has `dependencies_inherit_configuration` already; leave one of them out");
            Inherit::Nothing
        }
        (Some(own), None) => inherit(&own),
        (None, Some(true)) => Inherit::All,
        (None, Some(false) | None) => Inherit::Nothing,
    };
    let target = target(id, name.as_ref(), &section, draft);
    Some(Dependency {
        name: name?,
        target: target?,
        inherit,
    })
}

fn target(
    id: &ComponentId,
    name: Option<&DependencyName>,
    section: &Section<'_>,
    draft: &mut Draft,
) -> Option<DependencyTarget> {
    let export = export(name, section);
    let (component, path) = (section.value("component"), section.value("path"));
    let url = section.value("url").is_some() | section.value("digest").is_some();
    let package = ["version", "registry", "package"]
        .map(|key| section.value(key).is_some())
        .contains(&true);
    match (component, path, url, package) {
        (Some(component), None, false, false) => service(id, name, &component, export, draft),
        (None, Some(path), false, false) => {
            let file = PathBuf::from(path.text()?);
            draft.mentions.push(Mention::Library {
                at: path.at,
                of: id.clone(),
                file: file.clone(),
            });
            Some(DependencyTarget::Path { path: file, export })
        }
        (None, None, true, false) => not_yet(section, "a URL"),
        (None, None, false, true) => not_yet(section, "a registry"),
        _ => {
            section.problem("a dependency has one provider; write `{ component = \"…\" }` or `{ path = \"…\" }`");
            None
        }
    }
}

fn service(
    of: &ComponentId,
    name: Option<&DependencyName>,
    component: &Reading<'_>,
    export: Option<String>,
    draft: &mut Draft,
) -> Option<DependencyTarget> {
    let id = ComponentId::from(component.text()?.as_str());
    if let Some(DependencyName::Plain(plain)) = name {
        let why = "a dependency on a component needs the name of a package";
        component.problem(format!(
            "{why}; write `\"namespace:{plain}\" = {{ component = \"{id}\" }}`"
        ));
    }
    let (at, of) = (component.at.clone(), of.clone());
    draft.mentions.push(Mention::Dependency {
        at,
        of,
        component: id.clone(),
    });
    Some(DependencyTarget::Component { id, export })
}

fn not_yet(section: &Section<'_>, provider: &str) -> Option<DependencyTarget> {
    section.problem(from_elsewhere(provider));
    None
}

fn from_elsewhere(provider: &str) -> String {
    format!(
        "a dependency from {provider} is not supported yet; write `{{ component = \"…\" }}` or `{{ path = \"…\" }}`"
    )
}

fn export(name: Option<&DependencyName>, section: &Section<'_>) -> Option<String> {
    let reading = section.value("export")?;
    if let Some(DependencyName::Package {
        interface: None, ..
    }) = name
    {
        reading.problem("`export` goes with one interface; write the dependency as `\"namespace:package/interface\"`");
    }
    reading.text()
}

fn inherit(reading: &Reading<'_>) -> Inherit {
    if let Some(flag) = reading.as_flag() {
        return if flag { Inherit::All } else { Inherit::Nothing };
    }
    if !reading.is_list() {
        reading.wrong_type("`true`, `false` or a list such as `[\"key_value_stores\"]`");
        return Inherit::Nothing;
    }
    let mut capabilities = BTreeSet::new();
    for name in reading.texts() {
        match Capability::NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, capability)) => {
                capabilities.insert(*capability);
            }
            None => {
                let fix = suggest::instead_of(&name, Capability::NAMES.map(|(known, _)| known));
                reading.problem(format!("`{name}` is nothing a dependency can inherit{fix}"));
            }
        }
    }
    Inherit::Some(capabilities)
}
