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
    link::Class,
    script::{Lazy, Script},
};

static ANNOUNCE: Lazy = Lazy::new(|| Script::writing(include_str!("nodes/announce.lua")));
static ALIVE: Lazy = Lazy::new(|| Script::reading(include_str!("nodes/alive.lua")));
static LEAVE: Lazy = Lazy::new(|| Script::writing(include_str!("nodes/leave.lua")));
// A number that nobody heard is passed over: the next one is larger too.
static EPOCH: Lazy = Lazy::new(|| Script::writing(include_str!("nodes/epoch.lua")));

/// Which owners have looked, on which servers, whether all that they wrote is there.
static VOUCH: Lazy = Lazy::new(|| Script::writing(include_str!("nodes/vouch.lua")));

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

    fn vouch<'a>(&'a self, life: u32, epochs: &'a [u64]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let (Some(servers), false) = (self.servers_in(life), epochs.is_empty()) else {
                return Ok(());
            };
            let mut call = VOUCH.on(&[self.keys().place(PLACE)]).arg(servers);
            epochs.iter().for_each(|epoch| call.push(epoch));
            call.in_life(life);
            match self.link().call(call).await {
                // Who is there now has to be looked at first.
                Err(failure) if failure.class == Class::Past => Ok(()),
                vouched => Ok(vouched?),
            }
        })
    }

    fn is_vouched(&self, epoch: u64) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            if self.keeps_all() {
                return Ok(true);
            }
            let mut command = redis::cmd("HGET");
            let key = format!("{}:vouched", self.keys().place(PLACE));
            command.arg(key).arg(epoch);
            let vouched: Option<String> = self.link().ask(&command).await?;
            // Servers that do not say who they are cannot be told from others.
            let (_, servers) = self.link().servers();
            Ok(servers.is_none() || vouched == servers)
        })
    }
}

impl Redis {
    /// Who the servers are, if it is this life still, and they say so.
    fn servers_in(&self, life: u32) -> Option<String> {
        let (now, servers) = self.link().servers();
        servers.filter(|_| now == life)
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
