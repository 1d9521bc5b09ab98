//! Which commits were answered, so that Redis can forget their tokens.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

use crate::redis::places::Place;

/// How many tokens there are to forget before a script does so: one by one, each costs it as much as a write. They are few
/// enough that Redis keeps them in one piece of memory.
const WORTH: usize = 16;

/// How many a script forgets at once.
const AT_ONCE: usize = 256;

/// How many wait to be forgotten at most, in a place that nothing is committed to any more.
const MOST: usize = 4_096;

/// Which commits were answered.
#[derive(Debug)]
pub(crate) struct Answered {
    /// What no other process begins its tokens with.
    prefix: String,
    next: AtomicU64,
    waiting: Mutex<BTreeMap<Place, Vec<String>>>,
}

// === impl Answered ===

impl Answered {
    pub(crate) fn new() -> Self {
        Self {
            prefix: format!("{:016x}{:016x}", random(), random()),
            next: AtomicU64::new(0),
            waiting: Mutex::default(),
        }
    }

    /// What no other commit has.
    pub(crate) fn token(&self) -> String {
        format!(
            "{}-{:x}",
            self.prefix,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// The commit was answered the first time it was sent: no other copy of it is on its way.
    pub(super) fn answer(&self, place: &Place, token: String) {
        let mut waiting = self.waiting.lock();
        if let Some(tokens) = waiting.get_mut(place) {
            if tokens.len() < MOST {
                tokens.push(token);
            }
        } else {
            waiting.insert(Place::clone(place), vec![token]);
        }
    }

    /// What a place is to forget, once it is worth it.
    pub(super) fn heard(&self, place: &Place) -> Vec<String> {
        let mut waiting = self.waiting.lock();
        match waiting.get_mut(place) {
            Some(tokens) if tokens.len() >= WORTH => {
                tokens.split_off(tokens.len().saturating_sub(AT_ONCE))
            }
            Some(_) | None => Vec::new(),
        }
    }
}

/// What is not guessed, and not met again.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
