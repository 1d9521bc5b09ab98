//! Events: CloudEvents 1.0 as JSON, out and in.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;
use time::OffsetDateTime;

use crate::{clock, ids};

/// The only version of CloudEvents there is.
const SPEC_VERSION: &str = "1.0";

/// A CloudEvent whose data is a `T`. Attributes we do not know are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudEvent<T> {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique within the source; whoever hears an id twice has heard one event.
    pub id: String,
    /// Who says it: `/shop/orders`.
    pub source: String,
    /// What happened, with the version of its data: `shop.order.placed.v1`. It is also the topic.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    #[serde(with = "clock::rfc3339")]
    pub time: OffsetDateTime,
    /// The id of what it happened to. Events of one subject are delivered in order.
    pub subject: String,
    /// The media type of `data`.
    #[serde(default = "json_media_type")]
    pub datacontenttype: String,
    /// What there is to know about it.
    pub data: T,
    /// W3C Trace Context of the call that published it; the host fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The business transaction it belongs to: the order's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    /// The id of the event that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<String>,
}

/// A message that cannot be read as the event it should be.
#[derive(Debug, Error)]
pub enum EventError {
    /// It is not a CloudEvent with such data.
    #[error("the message is not the event it should be")]
    Malformed(#[source] serde_json::Error),
    /// It is one of another specification.
    #[error("CloudEvents {0:?} is not supported")]
    Version(String),
}

/// Why a handler did not take an event; the host delivers it again and sets it aside in the end.
#[derive(Debug, Error)]
pub enum HandlerError {
    /// The message cannot be read.
    #[error("{0}: {source}", source = reason(.0))]
    Event(#[from] EventError),
    /// The handler does not know events of this type.
    #[error("no handler for events of type {0:?}")]
    UnknownType(String),
    /// The rules refused it; why.
    #[error("refused: {0}")]
    Refused(String),
}

impl<T> CloudEvent<T> {
    /// An event that happens now.
    pub fn new(kind: &str, source: &str, subject: &str, data: T) -> Self {
        Self {
            specversion: SPEC_VERSION.to_owned(),
            id: ids::new("evt"),
            source: source.to_owned(),
            kind: kind.to_owned(),
            time: clock::now(),
            subject: subject.to_owned(),
            datacontenttype: json_media_type(),
            data,
            traceparent: None,
            correlationid: None,
            causationid: None,
        }
    }

    /// The same event as part of a business transaction.
    #[must_use]
    pub fn correlated(mut self, id: &str) -> Self {
        self.correlationid = Some(id.to_owned());
        self
    }

    /// The same event as a consequence of another; it inherits the other's transaction.
    #[must_use]
    pub fn caused_by<C>(mut self, cause: &CloudEvent<C>) -> Self {
        self.causationid = Some(cause.id.clone());
        self.correlationid = self.correlationid.or_else(|| cause.correlationid.clone());
        self
    }
}

/// Publishes the event on the topic of its type, at the address in the variable `events`.
///
/// It does not await, so contract functions may use it. On Skald the event commits with the call's writes.
pub fn publish<T: Serialize>(event: &CloudEvent<T>) {
    let payload = serde_json::to_vec(event)
        .unwrap_or_else(|error| crate::unavailable(&format!("event {:?}: {error}", event.kind)));
    send(&event.kind, &payload);
}

/// Reads an event whose data is a `T`.
pub fn parse<T: DeserializeOwned>(message: &[u8]) -> Result<CloudEvent<T>, EventError> {
    let event: CloudEvent<T> = serde_json::from_slice(message).map_err(EventError::Malformed)?;
    if event.specversion == SPEC_VERSION {
        Ok(event)
    } else {
        Err(EventError::Version(event.specversion))
    }
}

/// The type of an event, for handlers of several topics: they are told the message, not the topic.
pub fn kind(message: &[u8]) -> Result<String, EventError> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "type")]
        kind: String,
    }
    serde_json::from_slice(message)
        .map(|envelope: Envelope| envelope.kind)
        .map_err(EventError::Malformed)
}

/// Reads an event of this type whose data is a `T`, for handlers of one topic.
pub fn parse_only<T: DeserializeOwned>(
    only: &str,
    message: &[u8],
) -> Result<CloudEvent<T>, HandlerError> {
    let kind = kind(message)?;
    if kind == only {
        Ok(parse(message)?)
    } else {
        Err(HandlerError::UnknownType(kind))
    }
}

#[cfg(target_family = "wasm")]
fn send(topic: &str, payload: &[u8]) {
    use crate::bindings::fermyon::spin::redis::Connection;

    let address = crate::variables::get("events");
    Connection::open(&address)
        .and_then(|connection| connection.publish(topic, payload))
        .unwrap_or_else(|error| crate::unavailable(&format!("publishing {topic:?}: {error:?}")));
}

#[cfg(not(target_family = "wasm"))]
fn send(topic: &str, payload: &[u8]) {
    crate::memory::publish(topic, payload.to_vec());
}

fn json_media_type() -> String {
    "application/json".to_owned()
}

fn reason(error: &EventError) -> String {
    match error {
        EventError::Malformed(source) => source.to_string(),
        EventError::Version(_) => "expected 1.0".to_owned(),
    }
}

#[cfg(test)]
mod tests;
