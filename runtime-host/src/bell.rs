//! Rung when something was published; whoever waits hears of all rings since the last time at once.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Rung when something was published.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<Rung>,
    waiting: Notify,
}

/// What may have been published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rung {
    /// Events of these topics.
    Topics(BTreeSet<Arc<str>>),
    /// Nothing.
    #[default]
    Nothing,
    /// Events of any topic.
    Anything,
    /// Anything may have happened: it is another connection, and may be another server.
    Anew,
}

// === impl Bell ===

impl Bell {
    /// An event of this topic was published.
    pub(crate) fn topic(&self, topic: Arc<str>) {
        let mut rung = self.rung.lock();
        match &mut *rung {
            Rung::Anything | Rung::Anew => {}
            Rung::Topics(topics) => drop(topics.insert(topic)),
            Rung::Nothing => *rung = Rung::Topics(BTreeSet::from([topic])),
        }
        drop(rung);
        self.waiting.notify_one();
    }

    /// Events of any topic may have been published.
    pub(crate) fn anything(&self) {
        let mut rung = self.rung.lock();
        if *rung != Rung::Anew {
            *rung = Rung::Anything;
        }
        drop(rung);
        self.waiting.notify_one();
    }

    /// It is another connection than before.
    pub(crate) fn anew(&self) {
        *self.rung.lock() = Rung::Anew;
        self.waiting.notify_one();
    }

    /// Waits until it is rung. One at a time may wait.
    pub(crate) async fn heard(&self) -> Rung {
        loop {
            let rung = std::mem::take(&mut *self.rung.lock());
            if rung != Rung::Nothing {
                return rung;
            }
            self.waiting.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bell, Rung};

    #[tokio::test]
    async fn all_rings_since_the_last_time_are_heard_at_once() {
        let bell = Bell::default();
        for topic in ["a", "b", "a"] {
            bell.topic(topic.into());
        }
        let topics = ["a", "b"].map(Into::into).into();
        assert_eq!(bell.heard().await, Rung::Topics(topics));
        bell.topic("a".into());
        bell.anything();
        bell.topic("b".into());
        assert_eq!(bell.heard().await, Rung::Anything);
        bell.anew();
        bell.anything();
        bell.topic("a".into());
        assert_eq!(bell.heard().await, Rung::Anew);
    }
}
