//! `[application.tool.skald]` and `[component.<id>.tool.skald]`.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use super::Draft;
use crate::{
    manifest::{
        check::Mention,
        name::ComponentId,
        reader::{Reading, Section},
        settings::{
            AppSettings, AuthSettings, ComponentHttpSettings, ComponentSettings, EventSettings,
            HttpSettings, Isolation, Retry,
        },
        suggest,
        units::{ByteSize, parse_duration},
    },
    route::MethodPattern,
};

/// Less than one page of WebAssembly memory is surely a slip.
const LEAST_MEMORY: ByteSize = ByteSize::kib(64);

/// Reads the settings of the application.
pub(super) fn application(section: &Section<'_>, mentions: &mut Vec<Mention>) -> AppSettings {
    AppSettings {
        atomic: section.flag("atomic").unwrap_or_default(),
        http: section
            .section("http")
            .map(|http| self::http(&http, mentions))
            .unwrap_or_default(),
        events: section
            .section("events")
            .map(|events| self::events(&events))
            .unwrap_or_default(),
    }
}

/// Reads the settings of a component; without any, they are all defaults.
pub(super) fn component(
    id: &ComponentId,
    section: Option<&Section<'_>>,
    draft: &mut Draft,
) -> ComponentSettings {
    let application = &draft.app.settings;
    let mut settings = ComponentSettings {
        atomic: application.atomic,
        ..ComponentSettings::default()
    };
    settings.http.body_limit = application.http.body_limit;
    let Some(section) = section else {
        return settings;
    };
    settings.atomic = section.flag("atomic").unwrap_or(settings.atomic);
    settings.isolation = isolation(section);
    settings.memory = size(section, "memory").unwrap_or(settings.memory);
    if let Some(reading) = section
        .value("memory")
        .filter(|_| settings.memory < LEAST_MEMORY)
    {
        reading.problem(format!(
            "`memory` is less than {LEAST_MEMORY}, one page; the default is {}",
            ComponentSettings::MEMORY
        ));
    }
    settings.deadline = duration(section, "deadline").unwrap_or(settings.deadline);
    settings.concurrency = count(section, "concurrency").map_or(settings.concurrency, as_usize);
    if let Some(retry) = section.section("retry") {
        settings.retry = Retry {
            attempts: count(&retry, "attempts").unwrap_or(Retry::ATTEMPTS),
            backoff: duration(&retry, "backoff").unwrap_or(Retry::BACKOFF),
        };
    }
    if let Some(http) = section.section("http") {
        settings.http = component_http(id, &http, settings.http.body_limit, draft);
    }
    settings
}

fn component_http(
    id: &ComponentId,
    section: &Section<'_>,
    body_limit: ByteSize,
    draft: &mut Draft,
) -> ComponentHttpSettings {
    let listed = section.value("idempotent");
    if let Some(reading) = listed.filter(|list| !list.list().is_empty()) {
        draft.mentions.push(Mention::Idempotent {
            at: reading.at,
            of: id.clone(),
        });
    }
    ComponentHttpSettings {
        idempotent: patterns(section, "idempotent"),
        body_limit: size(section, "body_limit").unwrap_or(body_limit),
    }
}

fn http(section: &Section<'_>, mentions: &mut Vec<Mention>) -> HttpSettings {
    HttpSettings {
        body_limit: size(section, "body_limit").unwrap_or(HttpSettings::BODY_LIMIT),
        auth: section
            .section("auth")
            .map(|auth| self::auth(&auth, mentions)),
    }
}

fn auth(section: &Section<'_>, mentions: &mut Vec<Mention>) -> AuthSettings {
    let text = |key, example| {
        section
            .required(key, example)
            .and_then(|reading| reading.text())
            .unwrap_or_default()
    };
    let settings = AuthSettings {
        issuer: text("issuer", "\"my-app\""),
        audience: text("audience", "\"my-app\""),
        jwks: text(
            "jwks",
            "\"http://identity.spin.internal/.well-known/jwks.json\"",
        ),
        public: patterns(section, "public"),
    };
    if let Some(reading) = section
        .value("jwks")
        .filter(|reading| reading.as_text().is_some())
    {
        if !settings.jwks.starts_with("http://") && !settings.jwks.starts_with("https://") {
            reading.problem(format!(
                "`jwks` must be a URL that starts with `http://` or `https://`, not `{}`",
                settings.jwks
            ));
        }
        mentions.extend(Mention::service(&reading.at, &settings.jwks));
    }
    settings
}

fn events(section: &Section<'_>) -> EventSettings {
    let settings = EventSettings {
        concurrency: count(section, "concurrency").map_or(EventSettings::CONCURRENCY, as_usize),
        attempts: count(section, "attempts").unwrap_or(EventSettings::ATTEMPTS),
        backoff: duration(section, "backoff").unwrap_or(EventSettings::BACKOFF),
        max_backoff: duration(section, "max_backoff").unwrap_or(EventSettings::MAX_BACKOFF),
        retention: duration(section, "retention"),
        retention_size: size(section, "retention_size"),
    };
    check_pauses(section, settings.backoff, settings.max_backoff);
    settings
}

pub(super) fn check_pauses(section: &Section<'_>, first: Duration, most: Duration) {
    if most < first {
        section.problem(format!(
            "`max_backoff` ({most:?}) is shorter than `backoff` ({first:?}); make it longer"
        ));
    }
}

fn isolation(section: &Section<'_>) -> Isolation {
    let Some(reading) = section.value("isolation") else {
        return Isolation::default();
    };
    match reading.as_text() {
        Some("instance") => Isolation::Instance,
        Some("call") => Isolation::Call,
        Some(other) => {
            let fix = suggest::instead_of(other, ["instance", "call"]);
            reading.problem(format!("there is no isolation `{other}`{fix}"));
            Isolation::default()
        }
        None => {
            reading.wrong_type("\"instance\" or \"call\"");
            Isolation::default()
        }
    }
}

fn size(section: &Section<'_>, key: &'static str) -> Option<ByteSize> {
    parsed(
        &section.value(key)?,
        "a size such as \"64MiB\"",
        ByteSize::parse,
    )
}

pub(super) fn duration(section: &Section<'_>, key: &'static str) -> Option<Duration> {
    parsed(
        &section.value(key)?,
        "a duration such as \"10s\"",
        parse_duration,
    )
}

fn patterns(section: &Section<'_>, key: &'static str) -> Vec<MethodPattern> {
    let items = section
        .value(key)
        .map(|list| list.list())
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            parsed(
                item,
                "a list such as [\"POST /path\"]",
                MethodPattern::parse,
            )
        })
        .collect()
}

fn parsed<T>(
    reading: &Reading<'_>,
    wanted: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    let text = reading.text_like(wanted)?;
    parse(&text)
        .map_err(|why| reading.problem(format!("`{}`: {why}", reading.key)))
        .ok()
}

pub(super) fn count(section: &Section<'_>, key: &'static str) -> Option<NonZeroU32> {
    let reading = section.value(key)?;
    let number = reading.number()?;
    let count = u32::try_from(number).ok().and_then(NonZeroU32::new);
    if count.is_none() {
        reading.problem(format!(
            "`{key}` must be at least 1 and at most {}, not {number}",
            u32::MAX
        ));
    }
    count
}

fn as_usize(count: NonZeroU32) -> NonZeroUsize {
    NonZeroUsize::try_from(count).unwrap_or(NonZeroUsize::MAX)
}
