//! The port to where nodes know of each other.

use std::{
    future::ready,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{call::BoxFuture, manifest::ComponentId, store::StoreError};

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name: no two that live at one time have the same.
    pub id: String,
    /// Where other nodes send it calls; none where it takes none.
    pub address: Option<String>,
    /// Where people ask it; none where they cannot.
    pub admin: Option<String>,
    /// What it serves.
    pub components: Vec<Served>,
    /// How many calls are at work in it.
    pub load: u32,
    /// Whether it takes new work.
    pub health: Health,
    /// The epochs in which it writes journals of sagas.
    pub epochs: Vec<u64>,
    /// When it was started.
    pub started_at: SystemTime,
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

/// Whether a node takes new work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Not yet.
    Starting,
    /// Yes.
    Ready,
    /// Not any more; what it has begun goes on.
    Draining,
}

/// Where nodes know of each other.
pub trait Nodes: Send + Sync + 'static {
    /// Says that a node is alive, for as long as `lease`, and what it is. Answers with all that are alive, itself included,
    /// by their names.
    fn announce<'a>(
        &'a self,
        node: &'a Node,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<Node>, StoreError>>;

    /// All nodes that are alive, by their names.
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<Node>, StoreError>>;

    /// Says that a node is alive no more.
    fn leave<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

    /// A number larger than any it gave before.
    fn next_epoch(&self) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Says that the owner of these epochs has looked, in this life of the store, whether it has all that was written in them.
    fn vouch<'a>(
        &'a self,
        _life: u32,
        _epochs: &'a [u64],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(ready(Ok(())))
    }

    /// Whether the owner of an epoch has said so on the servers that keep the store now; see
    /// [`Owners::is_vouched`](crate::saga::owners::Owners::is_vouched).
    fn is_vouched(&self, _epoch: u64) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(ready(Ok(true)))
    }
}

// === impl Node ===

impl Node {
    /// Whether it serves a component.
    pub fn serves(&self, component: &ComponentId) -> bool {
        self.components
            .iter()
            .any(|one| one.component == component.as_str())
    }
}

/// The node that a piece of work falls to, the same wherever it is asked: rendezvous hashing (Thaler and Ravishankar,
/// 1996). When a node goes, only its own work falls to others, evenly.
pub fn rendezvous<'a>(key: &str, nodes: impl Iterator<Item = &'a Node>) -> Option<&'a Node> {
    nodes.max_by_key(|node| (weight(&node.id, key), &node.id))
}

/// FNV-1a over both, and the finalizer of MurmurHash3: FNV alone leaves neighbours alike in the high bits.
fn weight(node: &str, key: &str) -> u64 {
    let bytes = node.bytes().chain([0]).chain(key.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, time::SystemTime};

    use super::{Health, Node, rendezvous};

    fn node(id: &str) -> Node {
        Node {
            id: id.to_owned(),
            address: None,
            admin: None,
            components: Vec::new(),
            load: 0,
            health: Health::Ready,
            epochs: Vec::new(),
            started_at: SystemTime::UNIX_EPOCH,
            version: String::new(),
        }
    }

    fn places(nodes: &[Node]) -> Vec<String> {
        let place = |n| rendezvous(&format!("work {n}"), nodes.iter()).map(|node| node.id.clone());
        (0..3_000).filter_map(place).collect()
    }

    #[test]
    fn work_is_spread_evenly() {
        let nodes = ["a", "b", "c"].map(node);
        let mut counts: HashMap<String, u32> = HashMap::new();
        for place in places(&nodes) {
            *counts.entry(place).or_default() += 1;
        }
        assert!(
            counts.values().all(|count| (900..1_100).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn when_a_node_goes_only_its_own_work_moves() {
        let nodes = ["a", "b", "c"].map(node);
        let moved = places(&nodes)
            .into_iter()
            .zip(places(&nodes[..2]))
            .filter(|(before, after)| before != after);
        assert!(moved.into_iter().all(|(before, _)| before == "c"));
    }

    #[test]
    fn nobody_is_nobody() {
        assert!(rendezvous("work", [].iter()).is_none());
    }
}
