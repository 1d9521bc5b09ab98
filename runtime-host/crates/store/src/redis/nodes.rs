//! Nodes that know of each other through Redis.
//!
//! A node is alive until its lease ends by the server's clock, and renews it by saying again what it is.

use std::time::Duration;

use skald_core::{
    call::BoxFuture,
    node::{Node, Nodes},
    store::StoreError,
};

use super::{
    Redis,
    script::{Lazy, Script},
};

static ANNOUNCE: Lazy = Lazy::new(|| Script::writing(include_str!("nodes/announce.lua")));
static ALIVE: Lazy = Lazy::new(|| Script::reading(include_str!("nodes/alive.lua")));
static LEAVE: Lazy = Lazy::new(|| Script::writing(include_str!("nodes/leave.lua")));
// A number that nobody heard is passed over: the next one is larger too.
static EPOCH: Lazy = Lazy::new(|| Script::writing(include_str!("nodes/epoch.lua")));

/// The place of what nodes say of themselves.
const PLACE: &str = "$nodes";

impl Nodes for Redis {
    fn announce<'a>(
        &'a self,
        node: &'a Node,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<Node>, StoreError>> {
        Box::pin(async move {
            let text = serde_json::to_string(node)
                .map_err(|error| StoreError::Corrupt(format!("node {}: {error}", node.id)))?;
            let lease = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
            let call = ANNOUNCE
                .on(&[self.keys().place(PLACE)])
                .arg(&node.id)
                .arg(lease)
                .arg(text);
            Ok(read(&self.link().call::<Vec<Vec<u8>>>(call).await?))
        })
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<Node>, StoreError>> {
        Box::pin(async move {
            let call = ALIVE.on(&[self.keys().place(PLACE)]);
            Ok(read(&self.link().call::<Vec<Vec<u8>>>(call).await?))
        })
    }

    fn leave<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let call = LEAVE.on(&[self.keys().place(PLACE)]).arg(node);
            Ok(self.link().call(call).await?)
        })
    }

    fn next_epoch(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let call = EPOCH.on(&[self.keys().place(PLACE)]);
            Ok(self.link().call(call).await?)
        })
    }
}

/// The nodes by their names. What a newer version says in another way is passed over: that node cannot be talked to.
fn read(texts: &[Vec<u8>]) -> Vec<Node> {
    let nodes = texts
        .iter()
        .map(|text| serde_json::from_slice::<Node>(text));
    let mut nodes: Vec<_> = nodes
        .filter_map(|node| {
            node.inspect_err(|error| tracing::warn!(%error, "a node cannot be read"))
                .ok()
        })
        .collect();
    nodes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    nodes
}

#[cfg(test)]
mod tests;
