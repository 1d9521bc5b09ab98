//! What the API says of events and nodes, for whoever reads its JSON in Rust. Times are microseconds since 1970.

use serde::{Deserialize, Serialize};
use skald_core::{
    event::{self, DeadLetter, archive::LetterId},
    hex,
    saga::record::micros,
};

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// What to ask for `after` to see more; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The number of an event. As JSON it is text: such numbers go beyond what JavaScript, and tools like it, keep exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Number(pub u64);

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its name.
    pub topic: String,
    /// How many events of it were ever published.
    pub published: u64,
    /// Who listens.
    pub subscribers: Vec<String>,
}

/// A message: as text where it is UTF-8, else in hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// As text.
    #[serde(default, rename = "payload", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// In digits.
    #[serde(
        default,
        rename = "payload_hex",
        skip_serializing_if = "Option::is_none"
    )]
    pub digits: Option<String>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The part of the log that it is in.
    pub partition: String,
    /// Its place there.
    pub sequence: Number,
    /// Its topic.
    pub topic: String,
    /// What keeps order among themselves.
    pub key: String,
    /// When it was committed.
    pub recorded_at: u64,
    /// The trace it was published in, as a `traceparent`.
    pub trace: String,
    /// The message.
    #[serde(flatten)]
    pub payload: Payload,
}

/// Events, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// The events.
    pub items: Vec<Event>,
    /// Where they end: what to ask for `after` to see what comes next.
    pub after: String,
    /// Whether there is more already.
    pub more: bool,
}

/// How far behind a subscriber is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// Who.
    pub subscriber: String,
    /// Events that it has yet to handle.
    pub messages: u64,
    /// How old the oldest of them is.
    pub seconds: u64,
    /// Those of them that failed, and will be tried again.
    pub retrying: u64,
    /// Events that were given up on; 1,000 stands for as many or more.
    pub dead_letters: usize,
    /// The same for each part of the log that it listens to.
    pub partitions: Vec<Share>,
}

/// How far behind a subscriber is on one part of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The part.
    pub partition: String,
    /// Events that it has yet to handle.
    pub messages: u64,
    /// How old the oldest of them is.
    pub seconds: u64,
    /// When that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<u64>,
    /// Those of them that failed, and will be tried again.
    pub retrying: u64,
    /// Everything up to here is handled, or was given up on.
    pub cursor: Number,
}

/// An event that was given up on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// What it is called: subscriber, partition and number.
    pub id: String,
    /// Who could not handle it.
    pub subscriber: String,
    /// The part of the log that it was in.
    pub partition: String,
    /// Its place there.
    pub sequence: Number,
    /// Its topic.
    pub topic: String,
    /// What keeps order among themselves.
    pub key: String,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong last.
    pub error: String,
    /// When it was committed.
    pub recorded_at: u64,
    /// When it was given up.
    pub buried_at: u64,
    /// The trace it was published in, as a `traceparent`.
    pub trace: String,
    /// The length of the message.
    pub bytes: usize,
    /// The message; a list leaves it out.
    #[serde(flatten)]
    pub payload: Payload,
}

/// What became of dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriven {
    /// How many are published again, for their subscriber alone.
    pub redriven: u64,
    /// Whether there are more, which were left as they are.
    pub more: bool,
}

/// What a subscriber hears again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Who.
    pub subscriber: String,
    /// Whether it was only asked what would be.
    pub dry_run: bool,
    /// How many events it has handled and hears again.
    pub again: u64,
    /// Each part of the log that it listens to.
    pub partitions: Vec<Again>,
}

/// What a subscriber hears again of one part of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// The part.
    pub partition: String,
    /// Up to where it had handled everything.
    pub cursor: Number,
    /// After which event it begins; the cursor, where the part is left as it is.
    pub after: Number,
    /// How many events it has handled and hears again.
    pub again: u64,
    /// Whether there are more of them: so many are not counted.
    pub at_least: bool,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// On which topic.
    pub topic: String,
    /// With which key.
    pub key: String,
    /// The length of the message.
    pub bytes: usize,
    /// Who hears it.
    pub subscribers: Vec<String>,
}

/// A node that is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub node: String,
    /// Where other nodes send it calls.
    pub address: Option<String>,
    /// Where people ask it.
    pub admin: Option<String>,
    /// `starting`, `ready` or `draining`.
    pub health: String,
    /// How many calls are at work in it.
    pub load: u32,
    /// What it serves.
    pub components: Vec<Served>,
    /// The epochs in which it writes journals of sagas.
    pub epochs: Vec<u64>,
    /// When it was started.
    pub started_at: u64,
    /// How long that is ago.
    pub up_seconds: u64,
    /// The version of the host.
    pub version: String,
}

/// A component that a node serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Which.
    pub component: String,
    /// The digest of its code.
    pub revision: String,
}

// === impl Number ===

impl From<Number> for String {
    fn from(Number(number): Number) -> Self {
        number.to_string()
    }
}

impl TryFrom<String> for Number {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

// === impl Payload ===

impl Payload {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self {
                text: Some(text.to_owned()),
                digits: None,
            },
            Err(_) => Self {
                text: None,
                digits: Some(hex::digits(bytes)),
            },
        }
    }
}

// === impl Event ===

impl From<&event::Event> for Event {
    fn from(event: &event::Event) -> Self {
        Self {
            partition: event.partition.to_string(),
            sequence: Number(event.sequence),
            topic: event.topic.to_string(),
            key: event.key.clone(),
            recorded_at: micros(event.recorded_at),
            trace: event.trace.to_string(),
            payload: Payload::of(&event.payload),
        }
    }
}

// === impl Letter ===

impl Letter {
    /// A letter without its message.
    pub(crate) fn cover(letter: &DeadLetter) -> Self {
        let event = &letter.event;
        Self {
            id: LetterId::of(letter).to_string(),
            subscriber: letter.group.to_string(),
            partition: event.partition.to_string(),
            sequence: Number(event.sequence),
            topic: event.topic.to_string(),
            key: event.key.clone(),
            attempts: letter.attempts,
            error: letter.error.clone(),
            recorded_at: micros(event.recorded_at),
            buried_at: micros(letter.buried_at),
            trace: event.trace.to_string(),
            bytes: event.payload.len(),
            payload: Payload::default(),
        }
    }

    /// All of it.
    pub(crate) fn whole(letter: &DeadLetter) -> Self {
        Self {
            payload: Payload::of(&letter.event.payload),
            ..Self::cover(letter)
        }
    }
}
