//! What an orchestrator asks: is the process alive, and should it get requests.
//!
//! These paths come before the routes of the application, so that none can hide them.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};

/// Answers a question about health; nothing for any other request.
pub(crate) fn answer(
    method: &Method,
    path: &str,
    is_ready: impl FnOnce() -> bool,
) -> Option<Response<Bytes>> {
    let (status, text) = match path {
        "/health" | "/.well-known/spin/health" => (StatusCode::OK, "OK"),
        "/ready" if is_ready() => (StatusCode::OK, "ready"),
        "/ready" => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
        _ => return None,
    };
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}
