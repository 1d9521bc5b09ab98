//! `[component.<id>]`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{Draft, dependency, saga, skald, spelling, targets};
use crate::manifest::{
    check::Mention,
    model::{Build, Component, Dependency, FileMount},
    name::{self, ComponentId},
    reader::{Reading, Section},
    settings::ComponentSettings,
    template::Template,
};

/// Reads a component with a name.
pub(super) fn declared(reading: &Reading<'_>, draft: &mut Draft) {
    let id = &reading.key;
    if !name::is_kebab(id) {
        reading.problem(format!(
            "`{id}` is not a name of a component{}",
            spelling(id, '-')
        ));
    }
    if let Some(section) = reading.section() {
        insert(ComponentId::from(id.as_str()), &section, draft);
    }
}

/// Reads a component that is written out where it is used.
pub(super) fn inline(id: ComponentId, reading: &Reading<'_>, draft: &mut Draft) {
    let Some(section) = reading.section() else {
        return;
    };
    if draft.app.components.contains_key(&id) {
        section.problem(format!(
            "the name `{id}`, made for this component, is taken; declare it as `[component.<name>]`"
        ));
    }
    insert(id, &section, draft);
}

fn insert(id: ComponentId, section: &Section<'_>, draft: &mut Draft) {
    let component = component(id.clone(), section, draft);
    draft.declared.insert(id.clone(), section.at().clone());
    draft.app.components.insert(id, component);
}

fn component(id: ComponentId, section: &Section<'_>, draft: &mut Draft) -> Component {
    refuse_what_is_not_supported(section);
    targets(section);
    profiles(section);
    let dependencies = dependency::all(&id, section, draft);
    let settings = settings(&id, section, &dependencies, draft);
    Component {
        source: source(section),
        description: section.text("description").unwrap_or_default(),
        variables: variables(section, draft),
        environment: environment(section),
        files: files(section),
        exclude_files: section.texts("exclude_files"),
        allowed_outbound_hosts: hosts(section, draft),
        key_value_stores: stores(section),
        build: section.section("build").map(|build| self::build(&build)),
        dependencies,
        settings,
        id,
    }
}

fn settings(
    id: &ComponentId,
    section: &Section<'_>,
    dependencies: &[Dependency],
    draft: &mut Draft,
) -> ComponentSettings {
    let tool = section.section("tool");
    if let Some(tool) = &tool {
        tool.ignore_rest();
    }
    let skald = tool.and_then(|tool| tool.section("skald"));
    let mut settings = skald::component(id, skald.as_ref(), draft);
    settings.saga = skald.and_then(|skald| saga::settings(&skald, dependencies));
    if settings.saga.is_some() {
        saga::refuse_grants(section);
        // A saga has no data of its own, so that there is no unit of work that could be one.
        settings.atomic = false;
    }
    settings
}

fn source(section: &Section<'_>) -> PathBuf {
    let Some(reading) = section.required("source", "\"path/to/component.wasm\"") else {
        return PathBuf::new();
    };
    if !reading.is_table() {
        let path = reading
            .text_like("a path, such as \"path/to/component.wasm\"")
            .unwrap_or_default();
        if reading.as_text() == Some("") {
            reading.problem("`source` is empty; write `source = \"path/to/component.wasm\"`");
        }
        return path.into();
    }
    let Some(table) = reading.section() else {
        return PathBuf::new();
    };
    let is_url = table.text("url").is_some();
    table.text("digest");
    let is_package = table.text("package").is_some();
    table.text("registry");
    table.text("version");
    let from = match (is_url, is_package) {
        (true, _) => "a URL",
        (false, true) => "a registry",
        (false, false) => "anything but a file",
    };
    reading.problem(format!(
        "a `source` from {from} is not supported yet; write `source = \"path/to/component.wasm\"`"
    ));
    PathBuf::new()
}

fn variables(section: &Section<'_>, draft: &mut Draft) -> BTreeMap<String, Template> {
    let mut variables = BTreeMap::new();
    for reading in section.named("variables") {
        if !name::is_lower_snake(&reading.key) {
            reading.problem(format!(
                "`{}` is not a name of a variable{}",
                reading.key,
                spelling(&reading.key, '_')
            ));
        }
        if let Some(template) = draft.template(&reading) {
            variables.insert(reading.key.clone(), template);
        }
    }
    variables
}

fn environment(section: &Section<'_>) -> BTreeMap<String, String> {
    let readings = section.named("environment");
    readings
        .into_iter()
        .filter_map(|reading| Some((reading.key.clone(), reading.text()?)))
        .collect()
}

fn files(section: &Section<'_>) -> Vec<FileMount> {
    let items = section
        .value("files")
        .map(|list| list.list())
        .unwrap_or_default();
    items.iter().filter_map(file).collect()
}

fn file(item: &Reading<'_>) -> Option<FileMount> {
    if !item.is_table() {
        return item
            .text_like("a list of globs or `{ source = \"…\", destination = \"…\" }`")
            .map(FileMount::Glob);
    }
    let table = item.section()?;
    // Both are asked for before either is missed, so that neither counts as unknown.
    let source = table
        .required("source", "\"assets\"")
        .and_then(|source| source.text());
    let destination = table
        .required("destination", "\"/\"")
        .and_then(|place| place.text());
    Some(FileMount::Placed {
        source: source?.into(),
        destination: destination?,
    })
}

fn hosts(section: &Section<'_>, draft: &mut Draft) -> Vec<Template> {
    if let Some(old) = section
        .value("allowed_http_hosts")
        .filter(|old| !old.list().is_empty())
    {
        old.problem("`allowed_http_hosts` is no longer there; write `allowed_outbound_hosts = [\"https://example.com\"]`");
    }
    let items = section
        .value("allowed_outbound_hosts")
        .map(|list| list.list())
        .unwrap_or_default();
    items.iter().filter_map(|item| host(item, draft)).collect()
}

fn host(item: &Reading<'_>, draft: &mut Draft) -> Option<Template> {
    let template = draft.template(item)?;
    let text = template.as_str();
    // Where a variable is in front, the scheme may be a part of its value.
    if !text.contains("://") && !text.starts_with("{{") {
        item.problem(format!("`{text}` is not a host; write `scheme://host` or `scheme://host:port`: `https://{text}`"));
    }
    draft.mentions.extend(Mention::service(&item.at, text));
    Some(template)
}

fn stores(section: &Section<'_>) -> BTreeSet<String> {
    let items = section
        .value("key_value_stores")
        .map(|list| list.list())
        .unwrap_or_default();
    let label = |item: &Reading<'_>| {
        let label = item.text()?;
        if !name::is_kebab(&label) && !name::is_snake(&label) {
            let fix = name::respelled(&label, '-')
                .map(|right| format!(": `{right}`"))
                .unwrap_or_default();
            item.problem(format!(
                "`{label}` is not a label of a store; write it in kebab-case or snake_case{fix}"
            ));
        }
        Some(label)
    };
    items.iter().filter_map(label).collect()
}

fn build(section: &Section<'_>) -> Build {
    let commands = match section.required(
        "command",
        "\"cargo build --target wasm32-wasip2 --release\"",
    ) {
        Some(reading) if reading.is_list() => reading.texts(),
        Some(reading) => reading
            .text_like("a string or a list of strings")
            .into_iter()
            .collect(),
        None => Vec::new(),
    };
    Build {
        commands,
        workdir: section.text("workdir").map(PathBuf::from),
        watch: section.texts("watch"),
    }
}

/// Variants for debugging and the like: only `spin up --profile` uses them, so they are only looked at.
fn profiles(section: &Section<'_>) {
    for reading in section.named("profile") {
        let Some(profile) = reading.section() else {
            continue;
        };
        profile.value("source");
        profile.named("environment");
        profile.named("dependencies");
        if let Some(build) = profile.section("build") {
            build.value("command");
        }
    }
}

fn refuse_what_is_not_supported(section: &Section<'_>) {
    for (key, what) in [
        ("sqlite_databases", "SQLite databases"),
        ("ai_models", "AI models"),
    ] {
        let list = section.value(key);
        if let Some(list) = list.filter(|list| !list.texts().is_empty()) {
            list.problem(format!("{what} are not supported yet; leave `{key}` out"));
        }
    }
}
