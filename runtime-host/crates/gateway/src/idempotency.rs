//! `Idempotency-Key`: which requests need one, what it may look like, and what the host makes of it.
//!
//! The gateway only builds the key; whoever commits the effect keeps the answer with it.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, header, request::Parts};
use sha2::{Digest, Sha256};
use skald_core::{
    context::{IdempotencyKey, Once, Principal},
    hex,
};

use crate::{config::ComponentTarget, failure::Failure};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// A UUID is 36; keys are kept, so they have an end.
const LONGEST: usize = 255;

/// What makes the effect of this request happen once; nothing where the route does not ask for it.
pub(crate) fn once(
    target: &ComponentTarget,
    head: &Parts,
    principal: Option<&Principal>,
    body: &Bytes,
) -> Result<Option<Once>, Failure> {
    if !target
        .idempotent
        .iter()
        .any(|pattern| pattern.matches(&head.method, head.uri.path()))
    {
        return Ok(None);
    }
    let key = key(&head.headers)?;
    // The principal comes last and is the only part that may have spaces, so no two requests share a scope by accident.
    let principal = principal.map_or("", |principal| &principal.0);
    let scope = format!("{} {} {key} {principal}", head.method, head.uri.path());
    Ok(Some(Once::Key(IdempotencyKey {
        scope,
        fingerprint: fingerprint(head, body),
    })))
}

/// The key, with or without the quotes that the draft standard asks for.
fn key(headers: &HeaderMap) -> Result<&str, Failure> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let value = values.next().ok_or(Failure::KeyMissing)?;
    if values.next().is_some() {
        return Err(Failure::KeyMalformed);
    }
    let value = value.to_str().map_err(|_| Failure::KeyMalformed)?;
    let bare = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    let is_key = (1..=LONGEST).contains(&bare.len())
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if is_key {
        Ok(bare)
    } else {
        Err(Failure::KeyMalformed)
    }
}

/// A digest of all that the component may base its answer on and that the client chose.
fn fingerprint(head: &Parts, body: &Bytes) -> String {
    let query = head.uri.query().unwrap_or("");
    let content_type = head
        .headers
        .get(header::CONTENT_TYPE)
        .map_or(&[][..], |value| value.as_bytes());
    let mut digest = Sha256::new();
    for part in [
        head.method.as_str().as_bytes(),
        head.uri.path().as_bytes(),
        query.as_bytes(),
        content_type,
    ] {
        digest.update(part);
        // No part can have a line break in it, so none can look like two.
        digest.update(b"\n");
    }
    digest.update(body);
    hex::digits(&digest.finalize())
}

#[cfg(test)]
mod tests;
