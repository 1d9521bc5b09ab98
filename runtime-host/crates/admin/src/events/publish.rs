//! An event that a person publishes: to try a handler, or to say what no component says.

use std::sync::Arc;

use axum::{body::Body, extract::State};
use http::{HeaderMap, header};
use skald_core::{
    event::NewEvent,
    store::{Change, CommitError},
};
use skald_telemetry::{clock, ids};

use super::Asked;
use crate::{
    ask,
    failure::Failure,
    json::{Answer, Json},
    query::{Given, Words},
    view::Published,
};

/// The longest name of a topic, as components may have it.
const LONGEST_TOPIC: usize = 256;

/// A subject keeps order among events and is kept with each of them: an id, not a text.
const LONGEST_SUBJECT: usize = 1 << 10;

/// The type of a message that says of itself that it is an event.
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// `POST /admin/v1/events?topic=…`: the body is the message, as subscribers get it.
pub(super) async fn publish(
    State(events): Asked,
    query: Given,
    headers: HeaderMap,
    body: Body,
) -> Answer<Published> {
    let words = Words::known(query, &["topic", "who"])?;
    let topic = topic(words.one("topic").unwrap_or_default())?;
    let payload = ask::bytes(body).await?;
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) == Some(CLOUD_EVENT) {
        whole(&payload)?;
    }
    let event = NewEvent::new(topic, payload, ids::new_trace());
    if event.key.len() > LONGEST_SUBJECT {
        let what = format!("a `subject` may have {LONGEST_SUBJECT} bytes");
        return Err(Failure::BadEvent(what));
    }
    let published = Published {
        topic: event.topic.to_string(),
        key: event.key.clone(),
        bytes: event.payload.len(),
        subscribers: events.listeners(&event.topic),
    };
    let change = Change {
        events: vec![event],
        ..Change::default()
    };
    match events.store.commit(change, clock::now()).await {
        Ok(()) => {}
        Err(CommitError::Store(error)) => return Err(error.into()),
        // It has read nothing, and handles nothing.
        Err(error @ (CommitError::Conflict(_) | CommitError::AlreadyHandled(_))) => {
            return Err(Failure::BadEvent(error.to_string()));
        }
    }
    tracing::info!(
        topic = published.topic,
        key = published.key,
        who = words.who(),
        "somebody published an event"
    );
    Ok(Json(published))
}

fn topic(name: &str) -> Result<Arc<str>, Failure> {
    if name.is_empty() || name.len() > LONGEST_TOPIC {
        let what = format!("`topic` has 1 to {LONGEST_TOPIC} bytes");
        return Err(Failure::BadEvent(what));
    }
    // What is for one subscriber alone, or for none but the host, is not said by people.
    if name.starts_with('$') {
        let what = "topics that begin with `$` are the host's own".to_owned();
        return Err(Failure::BadEvent(what));
    }
    Ok(Arc::from(name))
}

/// Whether it has what CloudEvents 1.0 asks of each event.
fn whole(payload: &[u8]) -> Result<(), Failure> {
    let event: serde_json::Value = serde_json::from_slice(payload)
        .map_err(|error| Failure::BadEvent(format!("the event is no JSON: {error}")))?;
    let text = |name: &str| event.get(name).and_then(serde_json::Value::as_str);
    if text("specversion") != Some("1.0") {
        let what = "an event has `\"specversion\": \"1.0\"`".to_owned();
        return Err(Failure::BadEvent(what));
    }
    let lacking = ["id", "source", "type"].into_iter();
    let lacking = lacking.filter(|name| text(name).is_none_or(str::is_empty));
    let lacking: Vec<_> = lacking.map(|name| format!("`{name}`")).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let what = format!("the event lacks {}", lacking.join(", "));
    Err(Failure::BadEvent(what))
}
