//! Entity tags: a caller that has the latest version need not get it again.

use serde::Serialize;

use super::{Request, Response, json};
use crate::ids::fnv1a_128;

/// The strong entity tag of a value: equal JSON, equal tag.
pub fn etag<T: Serialize + ?Sized>(value: &T) -> String {
    tag(&json(200, value).body)
}

/// 200 with the value and its tag, or 304 if `If-None-Match` names the tag.
pub fn json_or_not_modified<T: Serialize + ?Sized>(request: &Request, value: &T) -> Response {
    let full = json(200, value);
    let tag = tag(&full.body);
    let known = request
        .header("if-none-match")
        .is_some_and(|tags| matches(tags, &tag));
    if known {
        Response::new(304, Vec::new()).with_header("etag", &tag)
    } else {
        full.with_header("etag", &tag)
    }
}

fn tag(body: &[u8]) -> String {
    format!("\"{:032x}\"", fnv1a_128(body))
}

/// For this header a weak tag counts as the strong one.
fn matches(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|candidate| {
        candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == tag
    })
}
