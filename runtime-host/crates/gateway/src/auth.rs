//! Who asks: bearer tokens (RFC 9068, RFC 8725) against the keys that a component of the application publishes.
//!
//! Checking a signature takes 50 to 100 µs, several times the rest of the gateway, and clients send one token with
//! every request. So tokens that were found good are remembered until they expire ([`seen`]). The price: a key that
//! is taken back is noticed when the key set is next read, within [`keys::FRESH`]; nothing is kept past that.

mod keys;
mod seen;

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderMap, HeaderValue, Method, header};
use jsonwebtoken::{Header, decode, decode_header};
use parking_lot::Mutex;
use serde::Deserialize;
use skald_core::{call::DynCall, context::Principal, route::MethodPattern};
use skald_telemetry::clock;

use crate::{
    config,
    failure::{Failure, TokenError},
};
use keys::{Keys, Rules};
use seen::{Digest, Entry, Seen};

/// A subject that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    /// As calls carry it.
    pub(crate) principal: Principal,
    /// As components see it.
    pub(crate) header: HeaderValue,
}

/// Decides who is let in.
pub(crate) struct Authenticator {
    public: Vec<MethodPattern>,
    keys: Keys,
    seen: Mutex<Seen>,
}

/// What is read from a token; the rest is judged by the rules of its key.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
}

/// Longer than any access token; nothing is computed on more.
const LONGEST_TOKEN: usize = 4096;
/// As long as the longest e-mail address.
const LONGEST_SUBJECT: usize = 255;

// === impl Authenticator ===

impl Authenticator {
    pub(crate) fn new(config: config::Auth, calls: Arc<dyn DynCall>) -> Self {
        let rules = Rules {
            issuer: config.issuer,
            audience: config.audience,
        };
        Self {
            public: config.public,
            keys: Keys::new(config.jwks, rules, calls),
            seen: Mutex::default(),
        }
    }

    /// Reads the keys before the first token comes.
    pub(crate) async fn prepare(&self) {
        self.keys.prepare().await;
    }

    /// Whether a request needs no token.
    pub(crate) fn is_public(&self, method: &Method, path: &str) -> bool {
        self.public
            .iter()
            .any(|pattern| pattern.matches(method, path))
    }

    /// Who asks; nobody only where the route is public. A bad token on a public route is as good as none, since a
    /// client whose token has expired must be able to get a new one.
    pub(crate) async fn admit(
        &self,
        method: &Method,
        path: &str,
        headers: &mut HeaderMap,
    ) -> Result<Option<Verified>, Failure> {
        let failure = match self.identify(headers).await {
            Ok(Some(verified)) => {
                // It has done its work; a component that saw it could act in its owner's name.
                headers.remove(header::AUTHORIZATION);
                return Ok(Some(verified));
            }
            Ok(None) => Failure::NoToken,
            Err(failure) => failure,
        };
        if self.is_public(method, path) {
            Ok(None)
        } else {
            Err(failure)
        }
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Option<Verified>, Failure> {
        let Some(token) = bearer(headers)? else {
            return Ok(None);
        };
        self.keys.keep_fresh().await;
        let digest = seen::digest(token);
        if let Some(verified) = self
            .seen
            .lock()
            .find(&digest, self.keys.generation(), clock::now())
        {
            return Ok(Some(verified));
        }
        self.verify(token, digest).await.map(Some)
    }

    async fn verify(&self, token: &str, digest: Digest) -> Result<Verified, Failure> {
        let header = decode_header(token).map_err(TokenError::from)?;
        check_type(&header)?;
        let (key, generation) = self.keys.find(header.kid.as_deref()).await?;
        let claims: Claims = decode(token, &key.key, &key.rules)
            .map_err(TokenError::from)?
            .claims;
        let expires = UNIX_EPOCH
            .checked_add(Duration::from_secs(claims.exp))
            .ok_or(TokenError::Claims)?;
        let verified = Verified::new(&claims.sub)?;
        self.seen.lock().insert(
            digest,
            Entry {
                verified: verified.clone(),
                expires,
                generation,
            },
        );
        Ok(verified)
    }
}

/// The token of the request; other schemes are not ours to judge.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, TokenError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(TokenError::Malformed);
    }
    let text = value.to_str().map_err(|_| TokenError::Malformed)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => match token.trim() {
            token if token.len() <= LONGEST_TOKEN => Ok(Some(token)),
            _ => Err(TokenError::Malformed),
        },
        _ => Ok(None),
    }
}

/// An access token and nothing else that happens to be signed, and no extension that we would have to understand.
fn check_type(header: &Header) -> Result<(), TokenError> {
    let is_access_token = header.typ.as_deref().is_none_or(|typ| {
        ["jwt", "at+jwt", "application/at+jwt"]
            .iter()
            .any(|known| typ.eq_ignore_ascii_case(known))
    });
    if is_access_token && header.crit.is_none() {
        Ok(())
    } else {
        Err(TokenError::Unaccepted)
    }
}

// === impl Verified ===

impl Verified {
    fn new(subject: &str) -> Result<Self, TokenError> {
        // It travels as a header, and two subjects must not look like one there.
        let is_plain =
            subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && subject.trim() == subject;
        if !is_plain || !(1..=LONGEST_SUBJECT).contains(&subject.len()) {
            return Err(TokenError::Claims);
        }
        let header = HeaderValue::from_str(subject).map_err(|_| TokenError::Claims)?;
        Ok(Self {
            principal: Principal(subject.into()),
            header,
        })
    }
}

#[cfg(test)]
mod tests;
