//! How many attempts there may be beyond the first: a fifth of the calls, and ten a second where there are few.
//!
//! When everything fails, retries would otherwise multiply the load just when it hurts the most.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

/// What one target's callers may spend on further attempts.
#[derive(Debug)]
pub(super) struct Budget {
    /// Calls since the last withdrawal. Apart from the purse, so that a call that ends well takes no lock.
    calls: AtomicU64,
    start: Instant,
    purse: Mutex<Purse>,
}

/// The savings, in thousandths of an attempt, as they were at a time.
#[derive(Debug)]
struct Purse {
    savings: u64,
    at: Duration,
}

/// What an attempt costs.
const ATTEMPT: u64 = 1_000;

/// Every call earns a fifth of an attempt.
const PER_CALL: u64 = ATTEMPT / 5;

/// Every millisecond earns a hundredth: ten attempts a second.
const PER_MILLISECOND: u64 = 10;

/// Ten seconds' worth of the least income; savings of an hour would defeat the purpose.
const MOST: u64 = 100 * ATTEMPT;

// === impl Budget ===

impl Budget {
    pub(super) fn new() -> Self {
        let purse = Mutex::new(Purse {
            savings: MOST,
            at: Duration::ZERO,
        });
        Self {
            calls: AtomicU64::new(0),
            start: Instant::now(),
            purse,
        }
    }

    /// A call was made.
    pub(super) fn deposit(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether one more attempt can be afforded; it is paid for.
    pub(super) fn withdraw(&self) -> bool {
        let calls = self.calls.swap(0, Ordering::Relaxed);
        self.purse.lock().spend(self.start.elapsed(), calls)
    }
}

// === impl Purse ===

impl Purse {
    fn spend(&mut self, now: Duration, calls: u64) -> bool {
        let passed = u64::try_from(now.saturating_sub(self.at).as_millis()).unwrap_or(u64::MAX);
        let income = passed
            .saturating_mul(PER_MILLISECOND)
            .saturating_add(calls.saturating_mul(PER_CALL));
        // Whole milliseconds only, or frequent looks would lose the parts.
        self.at += Duration::from_millis(passed);
        self.savings = self.savings.saturating_add(income).min(MOST);
        match self.savings.checked_sub(ATTEMPT) {
            Some(rest) => {
                self.savings = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MOST, Purse};

    fn spent(purse: &mut Purse, seconds: u64, calls: u64) -> u64 {
        let now = Duration::from_secs(seconds);
        let mut spent = u64::from(purse.spend(now, calls));
        while purse.spend(now, 0) {
            spent += 1;
        }
        spent
    }

    #[test]
    fn a_fifth_of_the_calls_may_be_made_again() {
        let mut purse = Purse {
            savings: 0,
            at: Duration::ZERO,
        };
        assert_eq!(spent(&mut purse, 0, 100), 20);
    }

    #[test]
    fn ten_a_second_may_be_made_again_however_few_calls_there_are() {
        let mut purse = Purse {
            savings: 0,
            at: Duration::ZERO,
        };
        assert_eq!(spent(&mut purse, 1, 1), 10);
        assert_eq!(spent(&mut purse, 3, 0), 20);
    }

    #[test]
    fn savings_do_not_grow_for_ever() {
        let mut purse = Purse {
            savings: MOST,
            at: Duration::ZERO,
        };
        assert_eq!(spent(&mut purse, 3_600, 1_000_000), 100);
    }
}
