//! Entries, and how each is chained to the one before it.
//!
//! There are [`CHAINS`] chains and not one, since whoever adds to a chain takes turns with all who add to the same. All
//! events about one subject are in one chain, in their order. The order of a chain is the order of handling. Chains say
//! nothing about each other: all their heads together are what to keep elsewhere.

mod form;

use serde::{Deserialize, Serialize};

pub use form::{Digest, genesis};

/// How many chains there are. Another number would send subjects to other chains; those that were begun stay as they are.
pub const CHAINS: u32 = 32;

/// Longer messages are recorded by their digest only. A hundred of this length fit into one answer, and into the memory of
/// the instance that writes it, also if every character has to be escaped.
pub const LONGEST_PAYLOAD: usize = 32 << 10;

/// Ids, sources and the like are no longer than this: a key or two, not a text.
const LONGEST_ATTRIBUTE: usize = 1 << 10;

/// What an event says about itself, as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Unique within the source.
    pub id: String,
    /// Who says it.
    pub source: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// To what it happened.
    #[serde(default)]
    pub subject: String,
    /// When.
    #[serde(default)]
    pub time: String,
}

/// A message as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it says about itself.
    pub event: Attributes,
    /// Of the message as it came.
    pub digest: Digest,
    /// The message without what is not to be kept.
    pub kept: String,
}

/// An entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Of which chain.
    pub chain: u32,
    /// Which entry of it, from 1.
    pub number: u64,
    /// When it was added: RFC 3339, UTC, milliseconds.
    pub recorded_at: String,
    /// What the event says about itself.
    pub event: Attributes,
    /// SHA-256 of the message as it was published.
    pub digest: Digest,
    /// SHA-256 of the message as it is kept: without the means of payment, and else the same.
    pub payload_digest: Digest,
    /// How many bytes that has.
    pub payload_size: u64,
    /// The message as it is kept, unless it is longer than [`LONGEST_PAYLOAD`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The hash of the entry before, or what the chain begins with.
    pub previous: Digest,
    /// SHA-256 of all this but the payload itself.
    pub hash: Digest,
}

/// Where a chain ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Which chain.
    pub chain: u32,
    /// How many entries it has.
    pub entries: u64,
    /// The hash of the last, or what the chain begins with.
    pub hash: Digest,
}

/// Why a message is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not an event that says what, from whom and which.
    NoEvent(String),
    /// It says one of these at too great a length.
    TooLong(&'static str),
}

// === impl Message ===

impl Message {
    /// Reads a message.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let unreadable = |error: &dyn ToString| Refusal::NoEvent(error.to_string());
        let text = std::str::from_utf8(bytes).map_err(|error| unreadable(&error))?;
        let event: Attributes = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let attributes = [
            ("id", &event.id),
            ("source", &event.source),
            ("type", &event.kind),
            ("subject", &event.subject),
            ("time", &event.time),
        ];
        for (name, value) in attributes {
            if value.len() > LONGEST_ATTRIBUTE {
                return Err(Refusal::TooLong(name));
            }
        }
        Ok(Self {
            digest: Digest::of(bytes),
            kept: without_payment(text).unwrap_or_else(|| text.to_owned()),
            event,
        })
    }

    /// The name under which the message is known to have been recorded. Another message under the same id has another.
    pub fn mark(&self) -> Digest {
        Digest::of_fields(&[&self.event.source, &self.event.id, self.digest.as_str()])
    }
}

// === impl Head ===

impl Head {
    /// Of a chain without entries.
    pub fn new(chain: u32) -> Self {
        Self {
            chain,
            entries: 0,
            hash: genesis(chain),
        }
    }

    /// The next entry, and the head after it.
    pub fn append(&self, message: Message, recorded_at: String) -> (Entry, Self) {
        let size = message.kept.len();
        let mut entry = Entry {
            chain: self.chain,
            number: self.entries + 1,
            recorded_at,
            event: message.event,
            digest: message.digest,
            payload_digest: Digest::of(message.kept.as_bytes()),
            payload_size: size as u64,
            payload: (size <= LONGEST_PAYLOAD).then_some(message.kept),
            previous: self.hash.clone(),
            hash: Digest::default(),
        };
        entry.hash = form::hash(&entry);
        let head = Self {
            chain: self.chain,
            entries: entry.number,
            hash: entry.hash.clone(),
        };
        (entry, head)
    }
}

/// The chain of all events about a subject.
pub fn chain_of(subject: &str) -> u32 {
    Digest::of(subject.as_bytes()).part_of(CHAINS)
}

/// The numbers of at most `size` entries after number `after`, of a chain that has `entries`; and whether there are more.
pub fn page(entries: u64, after: u64, size: u64) -> (Vec<u64>, bool) {
    let last = after.saturating_add(size).min(entries);
    ((after.saturating_add(1)..=last).collect(), last < entries)
}

/// Means of payment are for one checkout and nobody else: `data.payment` is withheld.
fn without_payment(text: &str) -> Option<String> {
    let mut message: serde_json::Value = serde_json::from_str(text).ok()?;
    let payment = message.get_mut("data")?.get_mut("payment")?;
    *payment = "withheld".into();
    Some(message.to_string())
}

#[cfg(test)]
mod tests;
