//! The one place where a failure becomes what a client sees (RFC 9457) and what the log keeps.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde::Serialize;
use skald_core::call::{Blame, CallError, chain};

use crate::{failure::Failure, gateway::Visit};

/// Where the pages of `docs/errors/` are published.
const PAGES: &str = "https://skald.dev/errors/";

/// The members of a problem, in the order in which people read them.
#[derive(Debug, Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    instance: &'a str,
    code: &'static str,
    trace_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// Logs a failure and makes the answer that says so. `realm` is what tokens are for.
pub(crate) fn respond(failure: &Failure, visit: &Visit<'_>, realm: &str) -> Response<Bytes> {
    log(failure, visit);
    // Rounded up, so that nobody comes back too early.
    let retry_after = failure
        .retry_after()
        .map(|wait| wait.as_millis().div_ceil(1000).max(1));
    let problem = Problem {
        r#type: format!("{PAGES}{}", failure.code()),
        title: failure.title(),
        status: failure.status().as_u16(),
        detail: failure.detail(),
        instance: visit.uri.path(),
        code: failure.code(),
        trace_id: visit.trace.id.to_str().unwrap_or(""),
        retry_after: retry_after.and_then(|seconds| u64::try_from(seconds).ok()),
    };
    let retry_after = problem.retry_after.map(HeaderValue::from);
    // Strings and numbers always have a JSON form.
    let mut response = Response::new(Bytes::from(
        serde_json::to_vec(&problem).unwrap_or_default(),
    ));
    *response.status_mut() = failure.status();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds);
    }
    if let Some(challenge) = challenge(failure, realm) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if matches!(failure, Failure::BodyTooSlow(_) | Failure::BodyBroken) {
        // What comes next on this connection could be the rest of the body.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What a client needs to be let in (RFC 6750): no error where it has not tried yet.
fn challenge(failure: &Failure, realm: &str) -> Option<HeaderValue> {
    let realm = realm.replace(['"', '\\'], "");
    let text = match failure {
        Failure::NoToken => format!("Bearer realm=\"{realm}\""),
        Failure::BadToken(why) => {
            format!(
                "Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{why}\""
            )
        }
        _ => return None,
    };
    Some(HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Bearer")))
}

/// One line for each failure. What a client did wrong is its own business and must not fill the log.
fn log(failure: &Failure, visit: &Visit<'_>) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                code = failure.code(),
                blame = ?failure.blame(),
                status = failure.status().as_u16(),
                method = %visit.method,
                // The query stays out: it may have something secret in it.
                path = visit.uri.path(),
                trace_id = visit.trace.id.to_str().unwrap_or(""),
                error = chain(failure),
                "request failed"
            )
        };
    }
    match (failure.blame(), failure) {
        (Blame::Caller, _) => line!(debug),
        // Pressure and waiting pass by themselves.
        (
            Blame::Component | Blame::Host,
            Failure::NoKeys
            | Failure::Call(
                CallError::Overloaded { .. }
                | CallError::Broken { .. }
                | CallError::TimedOut(_)
                | CallError::Conflict { .. }
                | CallError::ShuttingDown,
            ),
        ) => line!(warn),
        (Blame::Component | Blame::Host, _) => line!(error),
    }
}
