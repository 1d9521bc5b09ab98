//! The context of a call as metadata, which is what gRPC calls headers.
//!
//! What a node says of a call is believed. Of anybody else only the trace, the deadline and a key for idempotency are
//! taken: nobody from outside can say who they are, or that a saga or an event has sent them.

#[cfg(test)]
mod tests;

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use skald_core::{
    context::{Cause, Context, IdempotencyKey, InboxMark, Once, Principal, StepKey, TraceContext},
    event::Book,
};

use crate::text::{escape_word, unescape};

const TRACE: HeaderName = HeaderName::from_static("traceparent");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const PRINCIPAL: HeaderName = HeaderName::from_static("skald-principal");
const CAUSE: HeaderName = HeaderName::from_static("skald-cause");
const ONCE: HeaderName = HeaderName::from_static("skald-once");
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// As many digits as gRPC lets a timeout have.
const MOST_TIMEOUT: u128 = 99_999_999;

/// The longest key for idempotency; a UUID has 36 characters.
const LONGEST_KEY: usize = 255;

/// Who has sent a call from outside, and what: so that keys of different callers are different keys.
pub(crate) struct Sent<'a> {
    pub(crate) caller: &'a str,
    pub(crate) path: &'a str,
    pub(crate) digest: &'a dyn Fn() -> String,
}

/// The context as headers. `now` is what the deadline is counted from.
pub(crate) fn write(context: &Context, now: Instant, headers: &mut HeaderMap) {
    let mut put = |name: HeaderName, value: String| {
        // All of it is escaped to visible ASCII.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    put(TRACE, context.trace.to_string());
    if let Some(deadline) = context.deadline {
        put(TIMEOUT, timeout(deadline.saturating_duration_since(now)));
    }
    if let Some(Principal(subject)) = &context.principal {
        put(PRINCIPAL, escape_word(subject));
    }
    put(CAUSE, cause(&context.cause));
    if let Some(once) = &context.once {
        put(ONCE, self::once(once));
    }
}

/// The context that a node has sent, or what is not understood of it.
pub(crate) fn read(
    headers: &HeaderMap,
    now: Instant,
    trace: impl FnOnce() -> TraceContext,
) -> Result<Context, String> {
    let word = |name: &HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let principal = word(&PRINCIPAL).map(|subject| Principal(unescape(subject).into()));
    Ok(Context {
        principal,
        trace: trace_of(headers).unwrap_or_else(trace),
        deadline: deadline(headers, now)?,
        once: word(&ONCE)
            .map(|text| read_once(&words(text)).ok_or_else(|| bad(&ONCE)))
            .transpose()?,
        cause: match word(&CAUSE) {
            Some(text) => read_cause(&words(text)).ok_or_else(|| bad(&CAUSE))?,
            None => Cause::Request,
        },
    })
}

/// The context of a call from outside, or what is wrong with it.
pub(crate) fn read_outside(
    headers: &HeaderMap,
    now: Instant,
    trace: impl FnOnce() -> TraceContext,
    sent: &Sent<'_>,
) -> Result<Context, String> {
    Ok(Context {
        deadline: deadline(headers, now)?,
        once: key(headers, sent)?,
        ..Context::root(trace_of(headers).unwrap_or_else(trace), Cause::Request)
    })
}

fn bad(name: &HeaderName) -> String {
    format!("`{name}` is not understood")
}

fn trace_of(headers: &HeaderMap) -> Option<TraceContext> {
    TraceContext::parse(headers.get(TRACE)?.to_str().ok()?)
}

fn deadline(headers: &HeaderMap, now: Instant) -> Result<Option<Instant>, String> {
    let Some(value) = headers.get(TIMEOUT) else {
        return Ok(None);
    };
    let timeout = value.to_str().ok().and_then(read_timeout);
    let timeout = timeout.ok_or_else(|| bad(&TIMEOUT))?;
    // A time so far off that no clock reaches it is as good as none.
    Ok(now.checked_add(timeout))
}

/// The smallest unit in which it has few enough digits, and rather a little less than too much.
fn timeout(left: Duration) -> String {
    let units = [
        ('n', left.as_nanos()),
        ('u', left.as_micros()),
        ('m', left.as_millis()),
        ('S', u128::from(left.as_secs())),
    ];
    let fits = units.into_iter().find(|(_, count)| *count <= MOST_TIMEOUT);
    let (unit, count) = fits.unwrap_or(('S', MOST_TIMEOUT));
    format!("{count}{unit}")
}

fn read_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_digit());
    if !are_digits || digits.len() > 8 {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

fn key(headers: &HeaderMap, sent: &Sent<'_>) -> Result<Option<Once>, String> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    let is_key = values.next().is_none()
        && (1..=LONGEST_KEY).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_key {
        return Err(format!(
            "`{KEY}` must be one value of 1 to {LONGEST_KEY} visible ASCII characters"
        ));
    }
    Ok(Some(Once::Key(IdempotencyKey {
        // The caller comes last and none of the others has spaces.
        scope: format!("gRPC {} {key} {}", sent.path, sent.caller),
        fingerprint: (sent.digest)(),
    })))
}

/// Words that were escaped, and the spaces between them.
fn line(words: &[&str]) -> String {
    let words = words.iter().map(|word| escape_word(word));
    words.collect::<Vec<_>>().join(" ")
}

fn words(line: &[u8]) -> Vec<String> {
    line.split(|byte| *byte == b' ').map(unescape).collect()
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Request => line(&["request"]),
        Cause::Event(sequence) => line(&["event", &sequence.to_string()]),
        Cause::Component(name) => line(&["component", name]),
        Cause::Saga(run) => line(&["saga", run]),
        Cause::Host => line(&["host"]),
    }
}

fn read_cause(words: &[String]) -> Option<Cause> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match *words.as_slice() {
        ["request"] => Cause::Request,
        ["event", sequence] => Cause::Event(sequence.parse().ok()?),
        ["component", name] => Cause::Component(name.into()),
        ["saga", run] => Cause::Saga(run.into()),
        ["host"] => Cause::Host,
        _ => return None,
    })
}

fn once(once: &Once) -> String {
    match once {
        Once::Key(IdempotencyKey { scope, fingerprint }) => line(&["key", scope, fingerprint]),
        Once::Inbox(InboxMark {
            book: Book { group, partition },
            generation,
            sequence,
        }) => {
            let mut text = line(&["inbox", group, partition]);
            // Writing to a string does not fail.
            let _ = write!(text, " {generation} {sequence}");
            text
        }
        Once::Step(step) => {
            let way = if step.undo { "undo" } else { "do" };
            line(&["step", &step.run, &step.key, way])
        }
    }
}

fn read_once(words: &[String]) -> Option<Once> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match *words.as_slice() {
        ["key", scope, fingerprint] => Once::Key(IdempotencyKey {
            scope: scope.to_owned(),
            fingerprint: fingerprint.to_owned(),
        }),
        ["inbox", group, partition, generation, sequence] => Once::Inbox(InboxMark {
            book: Book {
                group: group.into(),
                partition: partition.into(),
            },
            generation: generation.parse().ok()?,
            sequence: sequence.parse().ok()?,
        }),
        ["step", run, key, way @ ("do" | "undo")] => Once::Step(Arc::new(StepKey {
            run: run.to_owned(),
            key: key.to_owned(),
            undo: way == "undo",
            // The other node's store lives its own lives.
            life: None,
        })),
        _ => return None,
    })
}
