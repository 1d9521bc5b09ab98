//! From TOML to the model, table by table, noting every mistake on the way.

mod component;
mod dependency;
mod saga;
mod skald;
mod trigger;

use std::collections::BTreeMap;

use super::{
    check::{self, Mention},
    model::{App, Variable},
    name::{self, ComponentId},
    notes::At,
    reader::{Reading, Section},
    template::Template,
};
use crate::route::Pattern;

/// A manifest half-way: what was read, and what can only be checked when all of it was.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) app: App,
    pub(super) mentions: Vec<Mention>,
    /// Where each component is declared.
    pub(super) declared: BTreeMap<ComponentId, At>,
    /// The routes so far, with their lines.
    routes: Vec<(usize, Pattern)>,
}

/// Reads the whole manifest.
pub(super) fn app(root: &Section<'_>) -> App {
    let mut draft = Draft::default();
    if !is_version_2(root) {
        // An older manifest has another layout: a list of its unknown keys would help nobody.
        root.ignore_rest();
        return draft.app;
    }
    match root.value("application").map(|value| value.section()) {
        Some(Some(section)) => application(&section, &mut draft),
        Some(None) => (),
        None => root.missing(
            "application",
            "`[application]` is missing; write `[application]` and below it `name = \"my-app\"`",
        ),
    }
    for reading in root.named("variables") {
        variable(&reading, &mut draft);
    }
    for reading in root.named("component") {
        component::declared(&reading, &mut draft);
    }
    match root.section("trigger") {
        Some(section) => trigger::all(&section, &mut draft),
        None => root.missing(
            "trigger",
            "there is no trigger; write `[[trigger.http]]` with a `route` and a `component`",
        ),
    }
    check::all(root.notes(), &mut draft);
    draft.app
}

// === impl Draft ===

impl Draft {
    /// Reads a text that may mention variables.
    fn template(&mut self, reading: &Reading<'_>) -> Option<Template> {
        let text = reading.text()?;
        match Template::parse(&text) {
            Ok(template) => {
                self.mentions.push(Mention::Variables {
                    at: reading.at.clone(),
                    template: template.clone(),
                });
                Some(template)
            }
            Err(why) => {
                reading.problem(why);
                None
            }
        }
    }
}

fn is_version_2(root: &Section<'_>) -> bool {
    let Some(version) = root.required("spin_manifest_version", "2") else {
        return true;
    };
    match (version.as_number(), version.as_text()) {
        (Some(2), _) => return true,
        (Some(1), _) | (_, Some("1")) => {
            version.problem("this is a manifest of version 1; write it as version 2, `spin doctor` does most of it");
        }
        (Some(_) | None, _) => version.wrong_type("the number 2"),
    }
    false
}

fn application(section: &Section<'_>, draft: &mut Draft) {
    let app = &mut draft.app;
    if let Some(name) = section.required("name", "\"my-app\"") {
        app.name = name.text().unwrap_or_default();
        if name.as_text() == Some("") {
            name.problem("`name` is empty; write `name = \"my-app\"`");
        }
    }
    app.version = section.text("version").unwrap_or_default();
    app.description = section.text("description").unwrap_or_default();
    app.authors = section.texts("authors");
    targets(section);
    if let Some(tool) = section.section("tool") {
        tool.ignore_rest();
        if let Some(skald) = tool.section("skald") {
            app.settings = skald::application(&skald, &mut draft.mentions);
        }
    }
    if let Some(trigger) = section.section("trigger") {
        trigger::globals(&trigger, draft);
    }
}

/// The environments an application says it fits: for tools that build it, so only looked at.
fn targets(section: &Section<'_>) {
    let Some(list) = section.value("targets") else {
        return;
    };
    for item in list.list() {
        if item.as_text().is_some() {
            continue;
        }
        let target = item.is_table().then(|| item.section()).flatten();
        let file = target.and_then(|target| target.text("path").or_else(|| target.text("url")));
        if file.is_none() {
            item.problem("a target must be a string, `{ path = \"…\" }` or `{ url = \"…\" }`");
        }
    }
}

fn variable(reading: &Reading<'_>, draft: &mut Draft) {
    let name = &reading.key;
    if !name::is_lower_snake(name) {
        reading.problem(format!(
            "`{name}` is not a name of a variable{}",
            spelling(name, '_')
        ));
    }
    let Some(section) = reading.section() else {
        return;
    };
    let variable = Variable {
        description: section.text("description").unwrap_or_default(),
        default: section.text("default"),
        secret: section.flag("secret").unwrap_or_default(),
    };
    let is_required = section.flag("required").unwrap_or_default();
    let has_default = section.value("default").is_some();
    if is_required && has_default {
        section.problem("has both `required = true` and a `default`; leave one out");
    }
    if !is_required && !has_default {
        section.problem("would never have a value; write `required = true` or `default = \"…\"`");
    }
    draft.app.variables.insert(name.clone(), variable);
}

/// How a wrong name should be written.
fn spelling(name: &str, separator: char) -> String {
    let style = if separator == '_' {
        "lower_snake_case"
    } else {
        "kebab-case"
    };
    match name::respelled(name, separator) {
        Some(right) if right != name => format!("; write it in {style}: `{right}`"),
        Some(_) | None => format!("; write it in {style}, each word starting with a letter"),
    }
}
