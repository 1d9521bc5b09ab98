//! The messages that are kept in memory until their turn; the log has them all, so any may be forgotten.

use std::collections::BTreeMap;

use skald_core::event::Event;

use crate::schedule::Place;

/// Events that were read and not begun, within a bound.
#[derive(Debug)]
pub(crate) struct Shelf {
    window: usize,
    events: BTreeMap<u64, Event>,
}

// === impl Shelf ===

impl Shelf {
    /// A shelf for about `window` events.
    pub(crate) const fn new(window: usize) -> Self {
        Self {
            window,
            events: BTreeMap::new(),
        }
    }

    /// Keeps an event. The head of a key is kept always: it is needed next, and the schedule bounds how many heads there
    /// are. Others are kept as far as there is room, the oldest of them: those are needed first.
    pub(crate) fn put(&mut self, event: Event, place: Place) {
        let keep = match place {
            Place::Head => true,
            Place::Behind => self.has_room_for(event.sequence),
            Place::Done => false,
        };
        if keep {
            self.events.insert(event.sequence, event);
        }
    }

    /// Makes room by forgetting the newest, unless this one is newer still.
    fn has_room_for(&mut self, sequence: u64) -> bool {
        if self.events.len() < self.window {
            return true;
        }
        let Some(newest) = self
            .events
            .last_entry()
            .filter(|newest| *newest.key() > sequence)
        else {
            return false;
        };
        newest.remove();
        true
    }

    /// Hands out an event.
    pub(crate) fn take(&mut self, sequence: u64) -> Option<Event> {
        self.events.remove(&sequence)
    }

    /// Makes room: these are not needed soon.
    pub(crate) fn forget(&mut self, sequences: impl Iterator<Item = u64>) {
        for sequence in sequences {
            self.events.remove(&sequence);
        }
    }
}
