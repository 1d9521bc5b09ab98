//! Answers as plain values.

use serde::Serialize;

/// An answer: what goes back over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// An answer with a JSON body.
pub fn json<T: Serialize + ?Sized>(status: u16, value: &T) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_else(|error| {
        crate::unavailable(&format!("an answer cannot be written: {error}"))
    });
    Response::new(status, body).with_header("content-type", "application/json")
}

/// 201 with the address of what is new.
pub fn created<T: Serialize + ?Sized>(location: &str, value: &T) -> Response {
    json(201, value).with_header("location", location)
}

/// 202 with the address where the work can be watched.
pub fn accepted<T: Serialize + ?Sized>(location: &str, value: &T) -> Response {
    json(202, value).with_header("location", location)
}

/// 204.
pub fn no_content() -> Response {
    Response::new(204, Vec::new())
}

impl Response {
    /// An answer without headers.
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// The same answer with this header, instead of one it has.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.set_header(name, value);
        self
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none. For tests and callers of other services.
    pub fn body_json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
    }

    /// States the length, without which the body would be sent in chunks; where there cannot be a body, nothing.
    pub(super) fn with_length(mut self) -> Self {
        if !matches!(self.status, 204 | 304) {
            let length = self.body.len().to_string();
            self.set_header("content-length", &length);
        }
        self
    }

    pub(super) fn without_body(mut self) -> Self {
        self.body = Vec::new();
        self
    }
}
