//! Which messages are still to come that our own nodes publish.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::ingest::Message;

/// How long a message is waited for after its note. It comes right behind it, unless listening began between the two.
const SOON: Duration = Duration::from_secs(10);

/// How many are waited for before those are forgotten that did not come.
const MANY: usize = 1_024;

/// Which messages are still to come: how many by topic and digest, and since when.
#[derive(Debug, Default)]
pub(super) struct Expected(HashMap<(Arc<str>, String), (u32, Instant)>);

// === impl Expected ===

impl Expected {
    /// A message is to come.
    pub(super) fn note(&mut self, topic: Arc<str>, digest: &str) {
        let now = Instant::now();
        if self.0.len() >= MANY {
            self.0.retain(|_, (_, since)| now - *since < SOON);
        }
        let (count, since) = self.0.entry((topic, digest.to_owned())).or_insert((0, now));
        *count += 1;
        *since = now;
    }

    /// Whether a message is one of those; then it is to come once less.
    pub(super) fn is_met_by(&mut self, message: &Message) -> bool {
        let known = (Arc::clone(&message.topic), message.digest());
        let Some((count, since)) = self.0.get_mut(&known) else {
            return false;
        };
        let is_met = since.elapsed() < SOON;
        *count -= 1;
        if *count == 0 || !is_met {
            self.0.remove(&known);
        }
        is_met
    }

    /// Nothing is to come any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
