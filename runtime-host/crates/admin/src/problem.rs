//! The one place where a failure becomes what a client sees (RFC 9457) and what the log keeps.

use axum::{
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, Uri, header, uri::PathAndQuery};
use serde::Serialize;
use skald_core::{
    call::{Blame, chain},
    saga::{desk::DeskError, owners::Other},
};
use skald_telemetry::ids;

use crate::failure::Failure;

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
    trace_id: String,
}

/// Handlers fail with what went wrong; [`tell`] knows the rest of what a problem says.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// Makes problems of failures, and says of every answer that it is not to be kept.
pub(crate) async fn tell(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        write(&mut response, &failure, &method, uri.path());
        redirect(&mut response, &failure, &uri);
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Headers that say more, like the methods that are allowed, stay.
fn write(response: &mut Response, failure: &Failure, method: &Method, path: &str) {
    let trace = format!("{:032x}", ids::trace_id());
    log(failure, method, path, &trace);
    let problem = Problem {
        r#type: format!("{PAGES}{}", failure.code()),
        title: failure.title(),
        status: failure.status().as_u16(),
        detail: failure.to_string(),
        instance: path,
        code: failure.code(),
        trace_id: trace,
    };
    // Strings and numbers always have a JSON form.
    *response.body_mut() = serde_json::to_vec(&problem).unwrap_or_default().into();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if matches!(failure, Failure::NoToken | Failure::BadToken) {
        let challenge = HeaderValue::from_static("Bearer realm=\"skald admin\"");
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
}

/// Says where the node is that can answer.
fn redirect(response: &mut Response, failure: &Failure, uri: &Uri) {
    let Failure::Desk(DeskError::Elsewhere(Other {
        admin: Some(admin), ..
    })) = failure
    else {
        return;
    };
    let place = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    // An address that cannot be written in a header is still in the problem's words.
    if let Ok(location) = HeaderValue::from_str(&format!("http://{admin}{place}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
}

fn log(failure: &Failure, method: &Method, path: &str, trace: &str) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                code = failure.code(),
                blame = ?failure.blame(),
                status = failure.status().as_u16(),
                %method,
                path,
                trace_id = trace,
                error = chain(failure),
                "admin request failed"
            )
        };
    }
    match (failure.blame(), failure) {
        // Somebody tries tokens, or a page tries what it can reach.
        (_, Failure::BadToken | Failure::Foreign(_)) => line!(warn),
        (Blame::Caller, _) => line!(debug),
        (Blame::Component | Blame::Host, _) => line!(error),
    }
}
