//! `skald events publish`: says something, as a component would.

use http::Method;
use serde_json::{Value, json};
use skald_admin::view::Published;
use skald_telemetry::{clock, ids};

use crate::{
    cli::Publish,
    failure::Failure,
    present,
    remote::{Asked, Remote, content, encoded},
};

/// The type of a message that says of itself that it is an event.
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// Publishes the data as it is, or in a CloudEvent.
pub(super) fn publish(remote: &Remote, asked: &Publish) -> Result<(), Failure> {
    let data = content(&asked.data)?;
    let order = if asked.plain {
        Asked {
            body: data,
            ..Asked::default()
        }
    } else {
        Asked {
            body: event(asked, &data)?.to_string().into_bytes(),
            kind: Some(CLOUD_EVENT),
            ..Asked::default()
        }
    };
    let (topic, who) = (encoded(&asked.topic), encoded(&asked.who.who));
    let path = format!("events?topic={topic}&who={who}");
    let done = remote.done(&Method::POST, &path, &order)?;
    let done: Published = serde_json::from_value(done).map_err(|error| remote.foreign(&error))?;
    let about = match done.key.as_str() {
        "" => String::new(),
        key => format!(" about {key}"),
    };
    let heard = match done.subscribers.as_slice() {
        [] => "nobody listens to it".to_owned(),
        some => format!("{} will hear it", some.join(", ")),
    };
    present::say(&format!(
        "Published on {}{about}, {} bytes; {heard}.",
        done.topic, done.bytes
    ));
    Ok(())
}

/// The data as an event: it may be one already.
fn event(asked: &Publish, data: &[u8]) -> Result<Value, Failure> {
    let data: Value = if data.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(data).map_err(|error| {
            Failure::Input(format!(
                "--data is no JSON: {error}; publish it as it is with --plain"
            ))
        })?
    };
    if data.get("specversion").is_some() {
        return match &asked.subject {
            None => Ok(data),
            Some(_) => Err(Failure::Input(
                "the data is a CloudEvent and has its own subject; leave --subject out".to_owned(),
            )),
        };
    }
    let mut event = json!({
        "specversion": "1.0",
        "id": format!("{:032x}", ids::trace_id()),
        "source": "/skald/cli",
        "type": asked.topic,
        "time": clock::rfc3339(clock::now()),
        "datacontenttype": "application/json",
        "data": data,
    });
    if let (Some(subject), Some(members)) = (&asked.subject, event.as_object_mut()) {
        members.insert("subject".to_owned(), json!(subject));
    }
    Ok(event)
}
