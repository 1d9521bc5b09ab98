//! Where a host can die, counted: every place where something leaves it, or comes back.

use std::{collections::BTreeSet, future::pending};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Counts the places that a host comes past, and stops it at some of them.
#[derive(Default)]
pub struct Points {
    count: Mutex<Count>,
    died: Notify,
    poked: Notify,
}

#[derive(Default)]
struct Count {
    past: u64,
    /// Where hosts die.
    deaths: BTreeSet<u64>,
    /// Where somebody from outside acts.
    pokes: BTreeSet<u64>,
    is_dead: bool,
    is_past_poke: bool,
    names: Vec<&'static str>,
}

// === impl Points ===

impl Points {
    /// Hosts die at these places, counted from 1 over all hosts of a world.
    pub fn die_at(&self, places: impl IntoIterator<Item = u64>) {
        self.count.lock().deaths.extend(places);
    }

    /// Somebody from outside acts at these places.
    pub fn poke_at(&self, places: impl IntoIterator<Item = u64>) {
        self.count.lock().pokes.extend(places);
    }

    /// Comes past a place; not where the host dies there, or is dead.
    pub async fn pass(&self, name: &'static str) {
        let (is_dead, is_poked) = {
            let mut count = self.count.lock();
            if !count.is_dead {
                count.past += 1;
                count.names.push(name);
                let past = count.past;
                count.is_dead = count.deaths.contains(&past);
            }
            let past = count.past;
            count.is_past_poke |= count.pokes.contains(&past);
            (count.is_dead, count.pokes.remove(&past))
        };
        if is_dead {
            self.died.notify_one();
            pending::<()>().await;
        }
        if is_poked {
            self.poked.notify_one();
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Waits for the death of the host.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// Waits for the next place where somebody acts.
    pub async fn poke(&self) {
        self.poked.notified().await;
    }

    /// Another host begins; says whether the last one died.
    pub fn revive(&self) -> bool {
        std::mem::take(&mut self.count.lock().is_dead)
    }

    /// How many places were come past.
    pub fn past(&self) -> u64 {
        self.count.lock().past
    }

    /// What the place is.
    pub fn name(&self, place: u64) -> &'static str {
        let index = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
        self.count.lock().names.get(index).copied().unwrap_or("?")
    }
}
