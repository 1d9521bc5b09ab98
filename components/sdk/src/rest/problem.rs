//! Problems: RFC 9457, with a type that programs can rely on and a detail that people can read.

use serde::Serialize;

use super::Response;

/// What every problem type begins with; the rest is the slug of its page.
const TYPE_BASE: &str = "https://skald.dev/problems/";

/// Why a request got no answer it hoped for. One pointer wide, so that results stay small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Document>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip)]
    headers: Vec<(String, String)>,
}

/// What is wrong with one place in the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A JSON Pointer (RFC 6901); empty for the whole body.
    pub pointer: String,
    /// In words.
    pub detail: String,
}

impl Problem {
    /// A problem of one's own: `new(409, "cart-empty", "Cart is empty", "there is nothing to order")`.
    pub fn new(status: u16, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Document {
            kind: format!("{TYPE_BASE}{slug}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            trace_id: None,
            headers: Vec::new(),
        }))
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", "Bad request", detail)
    }

    /// 401: nobody has proved who is asking.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(401, "unauthorized", "Unauthorized", detail)
            .with_header("www-authenticate", "Bearer")
    }

    /// 403: the caller may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "Forbidden", detail)
    }

    /// 404: there is no such thing, or the caller may not know of it.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "Not found", detail)
    }

    /// 405, with the methods that would do; `HEAD` goes with `GET` and need not be said.
    pub fn method_not_allowed(allow: &[&str]) -> Self {
        let allow = allow.join(", ").replace("GET", "GET, HEAD");
        Self::new(
            405,
            "method-not-allowed",
            "Method not allowed",
            format!("this resource has {allow}"),
        )
        .with_header("allow", &allow)
    }

    /// 409: it does not fit the state things are in.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "Conflict", detail)
    }

    /// 422: understood, but it breaks a rule; add the places with [`Self::with_error`].
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(422, "invalid-content", "Invalid content", detail)
    }

    /// 422 about one place of the body.
    pub fn invalid_field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::unprocessable("the body breaks a rule").with_error(pointer, detail)
    }

    /// The same problem with one more place where something is wrong.
    #[must_use]
    pub fn with_error(mut self, pointer: &str, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldError {
            pointer: pointer.to_owned(),
            detail: detail.into(),
        });
        self
    }

    /// The same problem with one more header in its answer.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// What it is about, in words.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The places where something is wrong.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The answer that says so.
    #[must_use]
    pub fn into_response(mut self, trace_id: Option<&str>) -> Response {
        self.0.trace_id = trace_id.map(str::to_owned);
        let headers = std::mem::take(&mut self.0.headers);
        let mut response = super::json(self.0.status, &self);
        response.set_header("content-type", "application/problem+json");
        for (name, value) in headers {
            response.set_header(&name, &value);
        }
        response
    }
}
