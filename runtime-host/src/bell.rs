//! Rung when something was published; whoever waits hears of all rings since the last time at once.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use skald_core::event::Published;
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
    /// Events of these topics, there.
    News(BTreeSet<Published>),
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
    /// Something was published.
    pub(crate) fn news(&self, published: Published) {
        let mut rung = self.rung.lock();
        match &mut *rung {
            Rung::Anything | Rung::Anew => {}
            Rung::News(all) => drop(all.insert(published)),
            Rung::Nothing => *rung = Rung::News(BTreeSet::from([published])),
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
    use super::{Bell, Published, Rung};

    fn published(topic: &str, partition: &str) -> Published {
        Published {
            partition: partition.into(),
            topic: topic.into(),
        }
    }

    #[tokio::test]
    async fn all_rings_since_the_last_time_are_heard_at_once() {
        let bell = Bell::default();
        let all = [("a", "1"), ("b", "1"), ("a", "2"), ("a", "1")];
        for (topic, partition) in all {
            bell.news(published(topic, partition));
        }
        let heard = all.map(|(topic, partition)| published(topic, partition));
        assert_eq!(bell.heard().await, Rung::News(heard.into()));
        bell.news(published("a", "1"));
        bell.anything();
        bell.news(published("b", "1"));
        assert_eq!(bell.heard().await, Rung::Anything);
        bell.anew();
        bell.anything();
        bell.news(published("a", "1"));
        assert_eq!(bell.heard().await, Rung::Anew);
    }
}
