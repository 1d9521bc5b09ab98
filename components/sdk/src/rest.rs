//! REST by our conventions, on plain values: a [`Request`] in, a [`Response`] or a [`Problem`] out.
//!
//! A component's routes are one function `fn(&Request) -> Result<Response, Problem>`, tested natively through [`answer`];
//! `serve` (wasm only) connects it to spin-sdk's handler. Routing is a `match` over method and segments:
//!
//! ```text
//! match (request.method(), request.segments().as_slice()) {
//!     ("GET", ["api", "v1", "products", sku]) => …,
//!     (_, ["api", "v1", "products", _]) => Err(Problem::method_not_allowed(&["GET"])),
//!     _ => Err(Problem::not_found("there is nothing here")),
//! }
//! ```

mod body;
mod etag;
mod page;
mod problem;
mod request;
mod response;
#[cfg(target_family = "wasm")]
mod serve;

pub use body::parse_body;
pub use etag::{etag, json_or_not_modified};
pub use page::{Page, Query, token};
pub use problem::{FieldError, Problem};
pub use request::Request;
pub use response::{Response, accepted, created, json, no_content};
#[cfg(target_family = "wasm")]
pub use serve::{Outgoing, serve};

/// Runs `routes` and turns whatever comes out into an answer: a problem becomes `application/problem+json` with the
/// request's trace id, the length is stated where there is a body, and `HEAD` is `GET` without the body.
pub fn answer(
    request: &Request,
    routes: impl FnOnce(&Request) -> Result<Response, Problem>,
) -> Response {
    let response = match routes(request) {
        Ok(response) => response,
        Err(problem) => problem.into_response(request.trace_id()),
    };
    if request.is_head() {
        response.without_body()
    } else {
        response.with_length()
    }
}

#[cfg(test)]
mod tests;
