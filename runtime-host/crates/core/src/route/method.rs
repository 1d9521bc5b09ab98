//! Routes that may also name a method, as settings use them: `POST /orders`, or `/orders/...` for every method.

use std::fmt;

use http::Method;

use super::Pattern;

/// A route with the method it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodPattern {
    /// The method; every method when absent.
    pub method: Option<Method>,
    /// The paths.
    pub pattern: Pattern,
}

const METHODS: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];

// === impl MethodPattern ===

impl MethodPattern {
    /// Reads `POST /orders` or `/orders`; the error says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (method, route) = match text.trim().split_once(' ') {
            Some((method, route)) => (Some(known(method)?), route.trim()),
            None => (None, text.trim()),
        };
        if !route.starts_with('/') {
            return Err(format!(
                "`{text}` does not name a path; write `POST /path` or `/path`"
            ));
        }
        Ok(Self {
            method,
            pattern: Pattern::parse(route)?,
        })
    }

    /// Whether a request is meant. `GET` means `HEAD` too, which is the same request without the body.
    pub fn matches(&self, method: &Method, path: &str) -> bool {
        let fits = match &self.method {
            None => true,
            Some(own) => own == method || (own == Method::GET && method == Method::HEAD),
        };
        fits && self.pattern.matches(path)
    }
}

impl fmt::Display for MethodPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(f, "{method} ")?;
        }
        write!(f, "{}", self.pattern)
    }
}

fn known(written: &str) -> Result<Method, String> {
    if let Some(method) = METHODS.iter().find(|method| method.as_str() == written) {
        return Ok(method.clone());
    }
    let meant = METHODS
        .iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(written));
    let known: Vec<&str> = METHODS.iter().map(Method::as_str).collect();
    match meant {
        Some(meant) => Err(format!(
            "`{written}` is not a method; did you mean `{meant}`?"
        )),
        None => Err(format!(
            "`{written}` is not a method; known are {}",
            known.join(", ")
        )),
    }
}
