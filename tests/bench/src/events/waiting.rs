//! Who has published waits here until it is handled.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::{sync::oneshot, time::Instant};

use super::message;

/// One place for each key; of a key, one message at a time is on its way.
pub(super) struct Waiting(Vec<Mutex<Option<oneshot::Sender<Instant>>>>);

// === impl Waiting ===

impl Waiting {
    pub(super) fn new(keys: u32) -> Arc<Self> {
        Arc::new(Self((0..keys).map(|_| Mutex::default()).collect()))
    }

    /// Tells when the key's next message is handled.
    pub(super) fn expect(&self, key: u32) -> oneshot::Receiver<Instant> {
        let (tell, told) = oneshot::channel();
        if let Some(place) = self.0.get(key as usize) {
            *place.lock() = Some(tell);
        }
        told
    }

    /// A message is handled.
    pub(super) fn tell(&self, payload: &[u8]) {
        let now = Instant::now();
        let place = message::key(payload).and_then(|key| self.0.get(key));
        if let Some(tell) = place.and_then(|place| place.lock().take()) {
            // Whoever waited may have gone.
            let _ = tell.send(now);
        }
    }
}
