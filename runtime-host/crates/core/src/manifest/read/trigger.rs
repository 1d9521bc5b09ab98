//! `[[trigger.http]]`, `[[trigger.redis]]`, and the settings of all triggers of a type.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Draft, component};
use crate::{
    manifest::{
        check::Mention,
        model::{HttpTarget, HttpTrigger, RedisTrigger, Route, StaticResponse},
        name::ComponentId,
        reader::{Reading, Section},
        suggest,
    },
    route::Pattern,
};

/// The trigger types there are.
const TYPES: [&str; 2] = ["http", "redis"];

/// Reads `[[trigger.<type>]]`.
pub(super) fn all(section: &Section<'_>, draft: &mut Draft) {
    for reading in section.entries() {
        match reading.key.as_str() {
            "http" => {
                for (index, trigger) in reading.sections().iter().enumerate() {
                    http(trigger, index + 1, draft);
                }
            }
            "redis" => {
                for (index, trigger) in reading.sections().iter().enumerate() {
                    redis(trigger, index + 1, draft);
                }
            }
            other => reading.problem(unsupported_type(other)),
        }
    }
}

/// Reads `[application.trigger.<type>]`.
pub(super) fn globals(section: &Section<'_>, draft: &mut Draft) {
    for reading in section.entries() {
        match reading.key.as_str() {
            "http" => {
                let Some(http) = reading.section() else {
                    continue;
                };
                let base = http.value("base");
                if let Some(base) = base.filter(|base| base.as_text() != Some("/")) {
                    base.problem("`base` is no longer there; leave it out and write the whole path in each `route`");
                }
            }
            "redis" => {
                let Some(redis) = reading.section() else {
                    continue;
                };
                draft.app.redis_address = redis
                    .value("address")
                    .and_then(|address| draft.template(&address));
            }
            other => reading.problem(unsupported_type(other)),
        }
    }
}

fn unsupported_type(other: &str) -> String {
    let fix = suggest::instead_of(other, TYPES);
    format!("triggers of the type `{other}` are not supported yet{fix}")
}

fn http(section: &Section<'_>, number: usize, draft: &mut Draft) {
    refuse_middleware(section);
    refuse_other_executors(section);
    let route = section
        .required("route", "\"/path\" or { private = true }")
        .and_then(|route| self::route(&route, draft));
    let answer = section.value("static_response");
    let target = match (section.value("component").is_some(), answer) {
        (true, Some(answer)) => {
            answer.problem(
                "a trigger has a `component` or a `static_response`, not both; leave one out",
            );
            read_component(section, "http", number, draft);
            None
        }
        (false, None) => {
            section.missing("component", "nothing answers; write `component = \"…\"` or `static_response = { body = \"…\" }`");
            read_component(section, "http", number, draft)
        }
        (true, None) => read_component(section, "http", number, draft),
        (false, Some(answer)) => {
            read_component(section, "http", number, draft);
            answer
                .section()
                .map(|answer| HttpTarget::Static(static_response(&answer)))
        }
    };
    if let Some(target) = target {
        // A wrong route does not make its component unreachable in the eyes of the later checks.
        draft.app.http.push(HttpTrigger {
            route: route.unwrap_or(Route::Private),
            target,
        });
    }
}

/// Also asks for the keys that only matter with a component, so that they are never unknown.
fn read_component(
    section: &Section<'_>,
    kind: &str,
    number: usize,
    draft: &mut Draft,
) -> Option<HttpTarget> {
    let component = component_of(section, kind, number, draft)?;
    if let Some(reading) = section.value("component") {
        draft.mentions.push(Mention::Answer {
            at: reading.at,
            component: component.clone(),
        });
    }
    Some(HttpTarget::Component(component))
}

fn redis(section: &Section<'_>, number: usize, draft: &mut Draft) {
    refuse_middleware(section);
    let channel = section
        .required("channel", "\"orders\"")
        .and_then(|channel| draft.template(&channel));
    let address = section
        .value("address")
        .and_then(|address| draft.template(&address));
    if section.value("component").is_none() {
        section.missing(
            "component",
            "`component` is missing; write `component = \"…\"`",
        );
    }
    let component = component_of(section, "redis", number, draft);
    let (Some(channel), Some(component)) = (channel, component) else {
        return;
    };
    let trigger = RedisTrigger {
        channel,
        address,
        component,
    };
    if draft.app.redis.contains(&trigger) {
        section.problem(format!(
            "the component gets the channel `{}` twice; leave one out",
            trigger.channel
        ));
    }
    draft.app.redis.push(trigger);
}

/// The component of a trigger, by its name or written out there.
fn component_of(
    section: &Section<'_>,
    kind: &str,
    number: usize,
    draft: &mut Draft,
) -> Option<ComponentId> {
    let own_id = section.text("id");
    if let Some(components) = section.value("components") {
        components.problem("`components` is not supported yet; write `component = \"…\"`");
    }
    let reading = section.value("component")?;
    if reading.is_table() {
        let name = own_id.unwrap_or_else(|| format!("{kind}-trigger{number}"));
        let id = ComponentId::from(format!("{name}-component").as_str());
        component::inline(id.clone(), &reading, draft);
        draft.mentions.push(Mention::Trigger {
            at: reading.at.clone(),
            component: id.clone(),
        });
        return Some(id);
    }
    let name = reading.text_like("the name of a component or a table")?;
    let component = ComponentId::from(name.as_str());
    draft.mentions.push(Mention::Trigger {
        at: reading.at.clone(),
        component: component.clone(),
    });
    Some(component)
}

fn route(reading: &Reading<'_>, draft: &mut Draft) -> Option<Route> {
    if reading.is_table() {
        let section = reading.section()?;
        if section.flag("private") != Some(true) {
            section
                .problem("must say `private = true`; a public route is a string such as \"/path\"");
        }
        return Some(Route::Private);
    }
    let pattern = match Pattern::parse(&reading.text_like("a string or `{ private = true }`")?) {
        Ok(pattern) => pattern,
        Err(why) => {
            reading.problem(why);
            return None;
        }
    };
    if pattern.is_reserved() {
        reading.problem(format!(
            "the route `{pattern}` belongs to the host; choose another"
        ));
    }
    match draft
        .routes
        .iter()
        .find(|(_, earlier)| earlier.is_same_as(&pattern))
    {
        Some((line, earlier)) if earlier == &pattern => {
            reading.problem(format!(
                "the route `{pattern}` is declared twice; the first is on line {line}"
            ));
        }
        Some((line, earlier)) => {
            reading.problem(format!(
                "the route `{pattern}` means the same paths as `{earlier}` on line {line}"
            ));
        }
        None => draft.routes.push((reading.at.line, pattern.clone())),
    }
    Some(Route::Public(pattern))
}

fn static_response(section: &Section<'_>) -> StaticResponse {
    let mut response = StaticResponse {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: String::new(),
    };
    response.body = section.text("body").unwrap_or_default();
    if let Some(reading) = section.value("status_code")
        && let Some(number) = reading.number()
    {
        let status = u16::try_from(number)
            .ok()
            .and_then(|number| StatusCode::from_u16(number).ok());
        match status.filter(|status| (200..=599).contains(&status.as_u16())) {
            Some(status) => response.status = status,
            None => reading.problem(format!(
                "`status_code` must be between 200 and 599, not {number}"
            )),
        }
    }
    for reading in section.named("headers") {
        let Some(value) = reading.text() else {
            continue;
        };
        match (
            HeaderName::try_from(reading.key.as_str()),
            HeaderValue::try_from(value),
        ) {
            (Ok(name), Ok(value)) => {
                response.headers.insert(name, value);
            }
            (Err(_), _) => {
                reading.problem(format!("`{}` cannot be the name of a header", reading.key));
            }
            (_, Err(_)) => reading.problem(format!(
                "the value of the header `{}` has control characters",
                reading.key
            )),
        }
    }
    response
}

fn refuse_other_executors(section: &Section<'_>) {
    let Some(executor) = section.section("executor") else {
        return;
    };
    let kind = executor.required("type", "\"http\"");
    match kind.as_ref().and_then(Reading::as_text) {
        Some("http" | "spin") => (),
        Some("wagi") => {
            executor.ignore_rest();
            executor.problem("the executor `wagi` is not supported yet; build the component for `wasi:http` instead");
        }
        Some(other) => executor.problem(format!(
            "there is no executor `{other}`; write `type = \"http\"`"
        )),
        None => {
            if let Some(kind) = kind {
                kind.wrong_type("\"http\"");
            }
        }
    }
}

fn refuse_middleware(section: &Section<'_>) {
    let Some(dependencies) = section.section("dependencies") else {
        return;
    };
    let middleware = dependencies.value("middleware");
    if let Some(middleware) = middleware.filter(|list| !list.list().is_empty()) {
        middleware.problem("middleware is not supported yet; leave it out");
    }
}
