//! What follows a failed delivery: another try after a pause, or the end of trying.

use std::time::Duration;

use skald_core::call::{Blame, CallError};

use crate::{Config, schedule::Tries};

/// What is to be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again after a pause: one that is drawn from nothing up to `most`, but `least` where that is longer.
    Retry {
        tries: Tries,
        least: Duration,
        most: Duration,
    },
    /// Give up.
    Bury { attempts: u32 },
}

/// Whether a failure says something about the handler and its event.
pub(crate) fn is_of_the_handler(error: &CallError) -> bool {
    // A breaker is open because of earlier failures; this event was not even tried.
    !matches!(error, CallError::Broken { .. }) && error.blame() != Blame::Host
}

/// Decides what follows when an event that was tried `before` has failed.
pub(crate) fn judge(config: &Config, before: Tries, error: &CallError) -> Verdict {
    let used = u32::from(is_of_the_handler(error));
    let attempts = before.attempts.saturating_add(used);
    // A failure of the host never ends the trying, however many failures of the handler came before it.
    if used > 0 && attempts >= config.attempts.get() {
        return Verdict::Bury { attempts };
    }
    let least = error.retry_after().unwrap_or(Duration::ZERO);
    let most = longest_pause(config, before.row);
    Verdict::Retry {
        tries: Tries {
            attempts,
            row: before.row.saturating_add(1),
        },
        least,
        most,
    }
}

/// The longest pause after the failure that follows `row` others.
fn longest_pause(config: &Config, row: u32) -> Duration {
    let doubled = 2_u32
        .checked_pow(row)
        .and_then(|factor| config.backoff.checked_mul(factor));
    doubled
        .unwrap_or(config.max_backoff)
        .min(config.max_backoff)
}

#[cfg(test)]
mod tests;
