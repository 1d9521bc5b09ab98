//! The bytes that are hashed. They are part of the contract: `docs/audit.md` describes them, and whoever verifies a chain
//! makes them anew.
//!
//! Fields are texts, each as a netstring: its length in bytes in decimal digits, a colon, the bytes, a comma. So no
//! field can be taken for a part of another.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Entry;

/// The first field of what an entry's hash is of.
const ENTRY: &str = "skald-audit-entry-1";

/// The first field of what a chain begins with.
const CHAIN: &str = "skald-audit-chain-1";

/// SHA-256 in lower-case hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

/// What the first entry of a chain follows.
pub fn genesis(chain: u32) -> Digest {
    Digest::of_fields(&[CHAIN, &chain.to_string()])
}

/// The hash of an entry: over everything in it but the payload, of which it has the digest.
pub(super) fn hash(entry: &Entry) -> Digest {
    Digest::of_fields(&[
        ENTRY,
        &entry.chain.to_string(),
        &entry.number.to_string(),
        &entry.recorded_at,
        &entry.event.id,
        &entry.event.source,
        &entry.event.kind,
        &entry.event.subject,
        &entry.event.time,
        &entry.digest.0,
        &entry.payload_digest.0,
        &entry.payload_size.to_string(),
        &entry.previous.0,
    ])
}

// === impl Digest ===

impl Digest {
    /// Of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(
            Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// Of texts, one after the other.
    pub fn of_fields(fields: &[&str]) -> Self {
        let netstrings: String = fields
            .iter()
            .map(|field| format!("{}:{field},", field.len()))
            .collect();
        Self::of(netstrings.as_bytes())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One of `parts`, by the first eight digits.
    pub(super) fn part_of(&self, parts: u32) -> u32 {
        let first = self
            .0
            .get(..8)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        first.unwrap_or(0) % parts
    }
}
