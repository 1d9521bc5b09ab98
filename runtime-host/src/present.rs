//! What people see: progress, tables, and complaints. Standard output carries results, standard error everything else.

pub(crate) mod findings;
pub(crate) mod ink;
pub(crate) mod log;
pub(crate) mod nodes;
pub(crate) mod runs;
pub(crate) mod span;

use std::{collections::BTreeSet, fmt::Display, io::IsTerminal, net::SocketAddr};

use comfy_table::{Table, presets};
use http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use skald_core::{
    manifest::{App, AuthSettings, ComponentId, HttpTarget, Route},
    route::Pattern,
};
use skald_engine::Compiled;

use crate::application::Application;

/// How much of a revision is shown: enough to tell two apart.
const REVISION_DIGITS: usize = 12;

/// Says why the program ends.
#[expect(clippy::print_stderr, reason = "the last words of the program")]
pub(crate) fn complain(failure: &dyn Display) {
    eprintln!("error: {failure}");
}

/// A line for people, in passing.
#[expect(clippy::print_stderr, reason = "progress is for people")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// A result, for people and programs.
#[expect(clippy::print_stdout, reason = "the results of commands")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// A bar for the compiler; invisible where nobody looks.
pub(crate) fn compiling(components: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(components as u64);
    if let Ok(style) = ProgressStyle::with_template("Compiling [{bar:24}] {pos}/{len} {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// The one line that programs wait for, then what people want to know.
pub(crate) fn serving(address: SocketAddr, tables: Option<(&Application, Table)>) {
    say(&format!("Serving http://{address}"));
    if let Some((application, components)) = tables {
        say(&format!("\n{}\n\n{components}\n", route_table(application)));
        note("Ctrl-C stops it; running requests end first.");
    }
}

/// What `check` proved.
pub(crate) fn checked(application: &Application, components: &Table) {
    say(&format!(
        "{} fits together: every import is met by an export of the same type, and every grant is used.\n\n{components}",
        application.app.name
    ));
}

/// The table of routes.
pub(crate) fn routes(application: &Application) {
    say(&route_table(application).to_string());
}

/// The components with an HTTP trigger, private ones too.
pub(crate) fn routed(app: &App) -> BTreeSet<&ComponentId> {
    let mut routed = BTreeSet::new();
    for trigger in &app.http {
        match &trigger.target {
            HttpTarget::Component(id) => {
                routed.insert(id);
            }
            HttpTarget::Static(_) => {}
        }
    }
    routed
}

/// What each component is, and what it may do.
pub(crate) fn components(application: &Application, compiled: &[Compiled]) -> Table {
    let mut table = table(&[
        "component",
        "revision",
        "atomic",
        "contracts",
        "listens to",
        "calls",
    ]);
    for one in compiled {
        let Some(component) = application.app.components.get(one.id()) else {
            continue;
        };
        let topics = application.subscriptions.get(one.id());
        let calls: Vec<&str> = application
            .specs
            .iter()
            .filter(|spec| spec.id == *one.id())
            .flat_map(|spec| spec.services.iter().map(|service| service.target.as_str()))
            .collect();
        table.add_row([
            one.id().to_string(),
            one.revision().chars().take(REVISION_DIGITS).collect(),
            (if component.settings.atomic {
                "yes"
            } else {
                "no"
            })
            .to_owned(),
            one.contracts().join("\n"),
            topics.map(|topics| topics.join("\n")).unwrap_or_default(),
            calls.join("\n"),
        ]);
    }
    table
}

fn route_table(application: &Application) -> Table {
    let mut table = table(&["route", "component", "access"]);
    let auth = application.app.settings.http.auth.as_ref();
    for trigger in &application.app.http {
        let target = match &trigger.target {
            HttpTarget::Component(id) => id.to_string(),
            HttpTarget::Static(_) => "(static response)".to_owned(),
        };
        let (route, access) = match &trigger.route {
            Route::Private => (
                format!("http://{target}.spin.internal"),
                "other components".to_owned(),
            ),
            Route::Public(pattern) => (pattern.as_str().to_owned(), access(auth, pattern)),
        };
        table.add_row([route, target, access]);
    }
    table
}

/// The methods that a route may be asked with, in the order people expect them.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Who may use a route: the methods that need no token, else holders of one.
fn access(auth: Option<&AuthSettings>, route: &Pattern) -> String {
    let Some(auth) = auth else {
        return "anyone".to_owned();
    };
    // A path that the route takes and no more exact pattern was written for.
    let path = route.as_str().replace("/...", "/-").replace(':', "-");
    let is_open = |method: &&Method| {
        auth.public
            .iter()
            .any(|public| public.matches(method, &path))
    };
    let open: Vec<&str> = METHODS.iter().filter(is_open).map(Method::as_str).collect();
    match open.len() {
        0 => "token".to_owned(),
        all if all == METHODS.len() => "anyone".to_owned(),
        _ => format!("{} for anyone, else token", open.join(", ")),
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_header(header.to_vec());
    table
}
