//! The keys that tokens are checked with: read from a component, kept, and read again when there is a reason.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse},
};
use parking_lot::RwLock;
use skald_core::{
    call::{self, DynCall, Input, Reply, chain},
    context::{Cause, Context},
    route::{Match, Pattern},
};
use skald_telemetry::ids;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, timeout},
};

use crate::{
    config::Jwks,
    failure::{Failure, TokenError},
    forward::{self, Prepared, Sender},
    trace::Trace,
};

/// A key set is read again after this time at the next token, so that a key that was taken back goes.
pub(super) const FRESH: Duration = Duration::from_mins(5);
/// How often it may be read at most: tokens with invented keys must not become load.
const SELDOM: Duration = Duration::from_secs(5);
/// How long a reading may take; requests wait for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Clocks of one machine and its neighbours differ by less.
const LEEWAY: Duration = Duration::from_secs(5);
/// Ten times the size of a set with several keys.
const LONGEST_SET: usize = 64 * 1024;

/// Whose tokens are good.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) issuer: String,
    pub(super) audience: String,
}

/// The keys, always the newest set that could be read.
pub(super) struct Keys {
    jwks: Jwks,
    rules: Rules,
    calls: Arc<dyn DynCall>,
    current: RwLock<Arc<KeySet>>,
    /// Held while the set is read, so that it is read once for all who wait.
    reading: Mutex<Option<Attempt>>,
}

/// One key and what a token signed with it has to be. The algorithm is the key's, never the token's choice.
pub(super) struct Key {
    id: Option<String>,
    pub(super) key: DecodingKey,
    pub(super) rules: Validation,
}

#[derive(Default)]
struct KeySet {
    /// Which set this is; it changes when the keys do.
    generation: u64,
    read: Option<Instant>,
    text: Bytes,
    keys: Vec<Arc<Key>>,
}

/// The last reading.
#[derive(Clone, Copy)]
struct Attempt {
    at: Instant,
    has_worked: bool,
}

// === impl Keys ===

impl Keys {
    pub(super) fn new(jwks: Jwks, rules: Rules, calls: Arc<dyn DynCall>) -> Self {
        Self {
            jwks,
            rules,
            calls,
            current: RwLock::default(),
            reading: Mutex::default(),
        }
    }

    /// The number of the current set.
    pub(super) fn generation(&self) -> u64 {
        self.current.read().generation
    }

    /// The key of a token and the number of its set. An unknown key may be a new one, so the set is read again.
    pub(super) async fn find(&self, id: Option<&str>) -> Result<(Arc<Key>, u64), Failure> {
        let known = || self.current.read().find(id);
        if let Some(found) = known() {
            return Ok(found);
        }
        let has_worked = self.read_again(self.reading.lock().await).await;
        match known() {
            Some(found) => Ok(found),
            None if has_worked => Err(TokenError::UnknownKey.into()),
            // The token may be good; its owner must not be sent to log in again.
            None => Err(Failure::NoKeys),
        }
    }

    /// Reads the set for the first time; what goes wrong is logged, and tried again with the first token.
    pub(super) async fn prepare(&self) {
        self.read_again(self.reading.lock().await).await;
    }

    /// Reads a set that has become old. One request waits for that; the others go on with what there is.
    pub(super) async fn keep_fresh(&self) {
        let is_old = self
            .current
            .read()
            .read
            .is_some_and(|read| read.elapsed() > FRESH);
        if is_old && let Ok(turn) = self.reading.try_lock() {
            self.read_again(turn).await;
        }
    }

    /// Reads the set unless that was done just now; whether the last reading worked. A failed one changes nothing.
    async fn read_again(&self, mut last: MutexGuard<'_, Option<Attempt>>) -> bool {
        if let Some(attempt) = *last
            && attempt.at.elapsed() < SELDOM
        {
            return attempt.has_worked;
        }
        let read = timeout(PATIENCE, self.fetch())
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let has_worked = match read.and_then(|text| self.replace(text)) {
            Ok(()) => true,
            Err(why) => {
                let component = self.jwks.component.as_str();
                tracing::warn!(component, path = %self.jwks.path, why, "the keys of tokens could not be read");
                false
            }
        };
        // Noted only now: a reader that is dropped half-way leaves the reading to the next.
        *last = Some(Attempt {
            at: Instant::now(),
            has_worked,
        });
        has_worked
    }

    fn replace(&self, text: Bytes) -> Result<(), String> {
        let (generation, is_same) = {
            let current = self.current.read();
            (
                current.generation,
                current.read.is_some() && current.text == text,
            )
        };
        let keys = parse(&text, &self.rules)?;
        let generation = if is_same { generation } else { generation + 1 };
        *self.current.write() = Arc::new(KeySet {
            generation,
            read: Some(Instant::now()),
            text,
            keys,
        });
        Ok(())
    }

    async fn fetch(&self) -> Result<Bytes, String> {
        let request = self.request().map_err(|failure| chain(&failure))?;
        let reply = self
            .calls
            .call_boxed(request)
            .await
            .map_err(|error| chain(&error))?;
        match reply {
            Reply::Http(response) if response.status() != StatusCode::OK => {
                Err(format!("the component answered {}", response.status()))
            }
            Reply::Http(response) if response.body().len() > LONGEST_SET => {
                Err("the key set is too long".to_owned())
            }
            Reply::Http(response) => Ok(response.into_body()),
            Reply::Handled | Reply::Value(_) => {
                Err("the component did not answer with a response".to_owned())
            }
        }
    }

    /// A request of the host itself, as another component would send it.
    fn request(&self) -> Result<call::Request, Failure> {
        let trace = ids::new_trace();
        let (mut head, ()) = Request::new(()).into_parts();
        head.uri = self.jwks.path.clone().into();
        let host = format!("{}.spin.internal", self.jwks.component);
        let host = HeaderValue::try_from(host).map_err(|_| Failure::BadHost)?;
        head.headers.insert(http::header::HOST, host);
        let pattern = Pattern::everything();
        let prepared = Prepared::new(&pattern, ());
        let path = self.jwks.path.path().to_owned();
        let sender = Sender {
            trace: &Trace::new(trace),
            principal: None,
            client: &HeaderValue::from_static(""),
        };
        forward::dress(&mut head, &Match::new(&pattern, &prepared, &path), &sender)?;
        let input = Input::Http(Request::from_parts(head, Bytes::new()));
        Ok(call::Request {
            target: self.jwks.component.clone(),
            input,
            context: Context::root(trace, Cause::Host),
        })
    }
}

// === impl KeySet ===

impl KeySet {
    /// The key of that name; without a name only where there is no choice.
    fn find(&self, id: Option<&str>) -> Option<(Arc<Key>, u64)> {
        let key = match (id, self.keys.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }?;
        Some((Arc::clone(key), self.generation))
    }
}

/// The keys of a set that we can use; others are left out, as the standard asks (RFC 7517, 5).
fn parse(text: &[u8], rules: &Rules) -> Result<Vec<Arc<Key>>, String> {
    let set: JwkSet = serde_json::from_slice(text)
        .map_err(|error| format!("the key set is malformed: {error}"))?;
    Ok(set
        .keys
        .iter()
        .filter_map(|jwk| usable(jwk, rules))
        .map(Arc::new)
        .collect())
}

fn usable(jwk: &Jwk, rules: &Rules) -> Option<Key> {
    let is_for_signatures = jwk
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|r#use| *r#use == PublicKeyUse::Signature);
    let algorithm = match &jwk.algorithm {
        // 32 bytes in base64. The library takes the length for granted.
        AlgorithmParameters::OctetKeyPair(pair)
            if pair.curve == EllipticCurve::Ed25519 && pair.x.len() == 43 =>
        {
            Algorithm::EdDSA
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk)
        .ok()
        .filter(|_| is_for_signatures)?;
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY.as_secs();
    validation.validate_nbf = true;
    validation.set_issuer(&[&rules.issuer]);
    validation.set_audience(&[&rules.audience]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "nbf", "sub"]);
    Some(Key {
        id: jwk.common.key_id.clone(),
        key,
        rules: validation,
    })
}
