//! Requests as plain values.

use super::{Problem, Query, Response};

/// Set by the gateway after it has checked the token; it strips copies that come from outside.
const PRINCIPAL: &str = "skald-principal";

/// W3C Trace Context: which trace a request belongs to.
const TRACE_PARENT: &str = "traceparent";

/// A request, read whole.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    segments: Vec<String>,
    query: Query,
    headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request for `target`, a path with or without a query. Refused if it cannot be decoded.
    pub fn new(method: &str, target: &str) -> Result<Self, Problem> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segments = path
            .split('/')
            .skip(1)
            .map(|segment| {
                decode(segment).ok_or_else(|| Problem::bad_request("the path cannot be decoded"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            segments,
            query: Query::parse(query)?,
            headers: Vec::new(),
            body: Vec::new(),
        })
    }

    /// A request as it arrives, but for its body; or the answer that refuses it, which belongs to the same trace.
    pub fn received(
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Response> {
        match Self::new(method, target) {
            Ok(request) => Ok(headers.iter().fold(request, |request, (name, value)| {
                request.with_header(name, value)
            })),
            Err(problem) => {
                let trace = headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(TRACE_PARENT))
                    .and_then(|(_, value)| trace_id(value));
                Err(problem.into_response(trace).with_length())
            }
        }
    }

    /// The same request with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// The same request with a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same request, made by this user.
    #[must_use]
    pub fn by(self, principal: &str) -> Self {
        self.with_header(PRINCIPAL, principal)
    }

    /// The method, in upper case; `GET` for `HEAD`, since [`super::answer`] sees to the difference.
    pub fn method(&self) -> &str {
        if self.is_head() { "GET" } else { &self.method }
    }

    /// The path as it came.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The decoded segments of the path: `/api/v1/users` is `["api", "v1", "users"]`.
    pub fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The query.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Who is asking: the user's id as the gateway vouches for it; else a 401.
    pub fn principal(&self) -> Result<&str, Problem> {
        self.header(PRINCIPAL)
            .filter(|principal| !principal.is_empty())
            .ok_or_else(|| Problem::unauthorized("log in first"))
    }

    /// The trace this request belongs to, by W3C Trace Context.
    pub fn trace_id(&self) -> Option<&str> {
        self.header(TRACE_PARENT).and_then(trace_id)
    }

    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

fn trace_id(parent: &str) -> Option<&str> {
    parent.split('-').nth(1).filter(|id| id.len() == 32)
}

/// Undoes percent-encoding; `None` if it is broken or not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}
