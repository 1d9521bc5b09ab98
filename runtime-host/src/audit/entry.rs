//! Entries as they are told, and the hash that each should have.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use skald_core::hex;

/// An entry of a chain. Whoever adds a member to one has written something that no hash is of, so unknown ones are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) chain: u32,
    pub(super) number: u64,
    pub(super) recorded_at: String,
    pub(super) event: Attributes,
    /// Of the message as it was published.
    pub(super) digest: String,
    /// Of the message as it is kept.
    pub(super) payload_digest: String,
    pub(super) payload_size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<String>,
    pub(super) previous: String,
    pub(super) hash: String,
}

/// What an event says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attributes {
    pub(super) id: String,
    pub(super) source: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) time: String,
}

/// Where a chain ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) chain: u32,
    pub(super) entries: u64,
    pub(super) hash: String,
}

/// Where all chains end, as the shop tells it and files keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heads {
    pub(super) heads: Vec<Head>,
}

// === impl Entry ===

impl Entry {
    /// The hash that belongs to what is in the entry.
    pub(super) fn proper_hash(&self) -> String {
        digest_of(&[
            "skald-audit-entry-1",
            &self.chain.to_string(),
            &self.number.to_string(),
            &self.recorded_at,
            &self.event.id,
            &self.event.source,
            &self.event.kind,
            &self.event.subject,
            &self.event.time,
            &self.digest,
            &self.payload_digest,
            &self.payload_size.to_string(),
            &self.previous,
        ])
    }
}

/// What a chain begins with.
pub(super) fn genesis(chain: u32) -> String {
    digest_of(&["skald-audit-chain-1", &chain.to_string()])
}

/// SHA-256 in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::digits(&Sha256::digest(bytes))
}

/// Of fields, each as a netstring.
fn digest_of(fields: &[&str]) -> String {
    let netstrings: String = fields
        .iter()
        .map(|field| format!("{}:{field},", field.len()))
        .collect();
    digest(netstrings.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of docs/audit.md, as the component writes it.
    const EXAMPLE: &str = r#"{"chain":7,"number":1,"recorded_at":"2026-08-21T09:30:00.000Z",
        "event":{"id":"evt_1","source":"/shop/orders","type":"shop.order.placed.v1","subject":"ord_1","time":"2026-08-21T09:30:00.000Z"},
        "digest":"b871ef366b98df900aab2ec7373a3d6fbd587a3639368e4098205c6bcbd6121f",
        "payload_digest":"b871ef366b98df900aab2ec7373a3d6fbd587a3639368e4098205c6bcbd6121f","payload_size":150,
        "payload":"{\"specversion\":\"1.0\",\"id\":\"evt_1\",\"source\":\"/shop/orders\",\"type\":\"shop.order.placed.v1\",\"time\":\"2026-08-21T09:30:00.000Z\",\"subject\":\"ord_1\",\"data\":{}}",
        "previous":"94b20ea19d965794b95bf8a160eb9793e3aad9d97021bf76d9312b1be46a1969",
        "hash":"4561cfd996b3258667043e60655696e7ba3a2743d64f93869098b49078d8ae11"}"#;

    #[test]
    fn the_documented_example_has_its_hash() {
        let entry: Entry = serde_json::from_str(EXAMPLE).unwrap();
        assert_eq!(entry.hash, entry.proper_hash());
        assert_eq!(entry.previous, genesis(7));
        assert_eq!(
            digest(entry.payload.unwrap().as_bytes()),
            entry.payload_digest
        );
    }

    #[test]
    fn what_no_hash_is_of_is_no_part_of_an_entry() {
        let more = EXAMPLE.replacen('{', r#"{"note":"all is well","#, 1);
        assert!(serde_json::from_str::<Entry>(&more).is_err());
    }
}
