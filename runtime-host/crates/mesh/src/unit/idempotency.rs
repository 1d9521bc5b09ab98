//! A client's idempotency key: the answer is kept with the effects, and the same request is answered with it again.
//!
//! Only answers that keep their effects are kept: after a refusal the client may correct the request.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use skald_core::{
    call::{CallError, Reply},
    context::IdempotencyKey,
    store::{Key, Label, StoreError},
    unit::Unit,
};

use super::{failure, millis};

/// The host's own store for records; no component can be granted it.
pub(super) const LABEL: &str = "$idempotency";

/// Many times what an accepted order or payment answers; it is kept for a day.
const LARGEST_RECORD: usize = 1 << 20;

/// How long an answer is given again; afterwards the key is as good as new.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Tells a client that it reads an answer of before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What belongs to one connection, one sending or one trace, and not to the answer.
const NOT_KEPT: [HeaderName; 10] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::DATE,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("traceparent"),
];

/// The records of answers given.
#[derive(Debug)]
pub(super) struct Book {
    label: Label,
}

/// An answer as it is stored.
#[derive(Debug, Deserialize, Serialize)]
struct Record {
    fingerprint: String,
    /// Milliseconds since 1970.
    recorded_at: u64,
    status: u16,
    /// Each byte of a value as one character, since a value need not be UTF-8.
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Base64(String),
}

// === impl Book ===

impl Book {
    pub(super) fn new() -> Self {
        Self {
            label: LABEL.into(),
        }
    }

    /// The answer that the same request was given before, if any.
    pub(super) async fn find(
        &self,
        unit: &mut Unit,
        key: &IdempotencyKey,
        now: SystemTime,
    ) -> Result<Option<Reply>, CallError> {
        let Some(bytes) = unit.get(&self.place(key)).await.map_err(failure)? else {
            return Ok(None);
        };
        let damaged = || {
            CallError::Store(StoreError::Corrupt(format!(
                "the record of {:?}",
                key.scope
            )))
        };
        let record: Record = serde_json::from_slice(&bytes).map_err(|_error| damaged())?;
        if record.is_expired(now) {
            return Ok(None);
        }
        if record.fingerprint != key.fingerprint {
            return Err(CallError::KeyReused);
        }
        Ok(Some(Reply::Http(
            record.into_response().ok_or_else(damaged)?,
        )))
    }

    /// The write that keeps `reply`. Only HTTP has keys, so that other replies are not kept.
    pub(super) fn record(
        &self,
        key: &IdempotencyKey,
        reply: &Reply,
        now: SystemTime,
    ) -> Result<Option<(Key, Option<Bytes>)>, CallError> {
        let Reply::Http(response) = reply else {
            return Ok(None);
        };
        let record = Record::new(key, response, now);
        let bytes =
            serde_json::to_vec(&record).map_err(|error| CallError::Engine(error.to_string()))?;
        if bytes.len() > LARGEST_RECORD {
            let limit = format!(
                "an answer that is kept for its idempotency key may have {LARGEST_RECORD} bytes"
            );
            return Err(CallError::OverLimit(limit));
        }
        Ok(Some((self.place(key), Some(bytes.into()))))
    }

    fn place(&self, key: &IdempotencyKey) -> Key {
        Key {
            store: Arc::clone(&self.label),
            name: key.scope.as_str().into(),
        }
    }
}

// === impl Record ===

impl Record {
    fn is_expired(&self, now: SystemTime) -> bool {
        millis(now).saturating_sub(self.recorded_at) > millis(UNIX_EPOCH + KEPT)
    }

    fn new(key: &IdempotencyKey, response: &http::Response<Bytes>, now: SystemTime) -> Self {
        let kept = response
            .headers()
            .iter()
            .filter(|(name, _)| !NOT_KEPT.contains(name));
        let body = match std::str::from_utf8(response.body()) {
            Ok(text) => Body::Text(text.to_owned()),
            Err(_) => Body::Base64(BASE64_STANDARD.encode(response.body())),
        };
        Self {
            fingerprint: key.fingerprint.clone(),
            recorded_at: millis(now),
            status: response.status().as_u16(),
            headers: kept
                .map(|(name, value)| (name.as_str().to_owned(), characters(value)))
                .collect(),
            body,
        }
    }

    fn into_response(self) -> Option<http::Response<Bytes>> {
        let body = match self.body {
            Body::Text(text) => text.into(),
            Body::Base64(text) => BASE64_STANDARD.decode(text).ok()?.into(),
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).ok()?;
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            response.headers_mut().append(name, header_value(&value)?);
        }
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
        Some(response)
    }
}

fn characters(value: &HeaderValue) -> String {
    value
        .as_bytes()
        .iter()
        .map(|byte| char::from(*byte))
        .collect()
}

fn header_value(characters: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = characters.chars().map(|c| u8::try_from(c).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

/// Whether a stored record is of no more use. A damaged one is kept: its key must not take effect a second time.
pub(super) fn is_expired(record: &[u8], now: SystemTime) -> bool {
    serde_json::from_slice::<Record>(record).is_ok_and(|record| record.is_expired(now))
}

#[cfg(test)]
mod tests;
