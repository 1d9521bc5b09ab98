//! How an event that somebody else published gets into the log.

use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;
use skald_core::{
    context::TraceContext,
    event::{NewEvent, Published},
};

use super::note;
use crate::redis::{
    Redis,
    keys::{OUTSIDE, shard},
    link::Failure,
    script::{Lazy, Script},
    state::digest,
};

static INGEST: Lazy = Lazy::new(|| Script::writing(include_str!("ingest.lua")));

/// How long a CloudEvent is known by its source and id: a publisher may say it again.
const EVENT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long another message is known by what is in it: as long as nodes may take to hear the same message. The same text
/// said later is another message.
const TEXT: Duration = Duration::from_secs(10);

/// A message that was heard.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) topic: Arc<str>,
    payload: Bytes,
}

/// What of a CloudEvent matters here.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
}

// === impl Message ===

impl Message {
    pub(super) fn new(topic: Arc<str>, payload: &[u8]) -> Self {
        Self {
            topic,
            payload: Bytes::copy_from_slice(payload),
        }
    }

    pub(super) fn digest(&self) -> String {
        digest(&self.payload)
    }

    fn envelope(&self) -> Option<Envelope<'_>> {
        let envelope: Envelope<'_> = serde_json::from_slice(&self.payload).ok()?;
        (!envelope.specversion.is_empty()).then_some(envelope)
    }

    /// What it is known by, and for how long.
    fn identity(&self) -> (String, Duration) {
        match self.envelope() {
            Some(Envelope { source, id, .. }) => {
                let whole = format!("{}\n{source}\n{id}", self.topic);
                (digest(whole.as_bytes()), EVENT)
            }
            None => (
                digest(format!("{}\n{}", self.topic, self.digest()).as_bytes()),
                TEXT,
            ),
        }
    }

    fn trace(&self) -> TraceContext {
        let header = self.envelope().and_then(|envelope| envelope.traceparent);
        let trace = header.and_then(|header| TraceContext::parse(&header));
        trace.unwrap_or(TraceContext {
            trace_id: 0,
            span_id: 0,
            sampled: false,
        })
    }
}

impl Redis {
    /// Takes a message into the log, if no node has. Answers where it is if it was new.
    pub(super) async fn ingest(&self, message: &Message) -> Result<Option<Published>, Failure> {
        let (known_by, for_so_long) = message.identity();
        let topic = Arc::clone(&message.topic);
        let event = NewEvent::new(topic, message.payload.clone(), message.trace());
        let shard = shard(&event.key, self.places().shards);
        let call = INGEST
            .on(&[self.keys().place(OUTSIDE)])
            .arg(known_by)
            .arg(for_so_long.as_millis().to_string())
            .arg(shard)
            .arg(&*event.topic)
            .arg(&event.key)
            .arg(&*event.payload)
            .arg(event.trace.to_string())
            .arg(self.keys().own_channel())
            .arg(note::without_message(OUTSIDE, shard, &event.topic));
        let is_new: bool = self.link().call(call).await?;
        self.topics_known()
            .note(&OUTSIDE.into(), [&event.topic].into_iter());
        let partition = format!("{OUTSIDE}/{shard}").into();
        Ok(is_new.then_some(Published {
            partition,
            topic: event.topic,
        }))
    }
}
