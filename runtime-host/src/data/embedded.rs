//! The only node on a store that no other node can reach.

use std::{future::ready, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    node::{Node, Nodes},
    store::{Change, CommitError, Key, Store, StoreError, Subject},
};
use skald_telemetry::clock;

/// The only node there is.
pub(super) struct Single {
    store: Arc<dyn Store>,
    announced: Mutex<Option<Node>>,
}

// === impl Single ===

impl Single {
    pub(super) const fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            announced: Mutex::new(None),
        }
    }

    /// The number of this start: what an earlier start still has in hand is refused by the journals.
    async fn count(&self) -> Result<u64, StoreError> {
        let key = Key {
            store: Arc::from("$host"),
            name: Arc::from("epoch"),
        };
        loop {
            let seen = self.store.snapshot().await?.get(&key).await?;
            let last = match seen.value.as_deref() {
                None => 0,
                Some(bytes) => <[u8; 8]>::try_from(bytes)
                    .map(u64::from_le_bytes)
                    .map_err(|_| StoreError::Corrupt("the number of the last start".to_owned()))?,
            };
            let next = last.saturating_add(1);
            let bytes = Bytes::copy_from_slice(&next.to_le_bytes());
            let change = Change {
                reads: vec![(Subject::Key(key.clone()), seen.version)],
                writes: vec![(key.clone(), Some(bytes))],
                ..Change::default()
            };
            match self.store.commit(change, clock::now()).await {
                Ok(()) => return Ok(next),
                Err(CommitError::Conflict(_) | CommitError::AlreadyHandled(_)) => {}
                Err(CommitError::Store(error)) => return Err(error),
            }
        }
    }
}

impl Nodes for Single {
    fn announce<'a>(
        &'a self,
        node: &'a Node,
        _lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<Node>, StoreError>> {
        *self.announced.lock() = Some(node.clone());
        self.nodes()
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<Node>, StoreError>> {
        let nodes = self.announced.lock().iter().cloned().collect();
        Box::pin(ready(Ok(nodes)))
    }

    fn leave<'a>(&'a self, _node: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        *self.announced.lock() = None;
        Box::pin(ready(Ok(())))
    }

    fn next_epoch(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.count())
    }
}
