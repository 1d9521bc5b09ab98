//! The breaker's decisions. Time and chance come in as arguments.
//!
//! ```text
//!            7 failures in a row, or
//!            too few successes lately               the pause is over: one call is let through
//!   Closed ───────────────────────────► Open ─────────────────────────────────────────► Probing
//!     ▲                                  ▲                                               │  │
//!     │                                  └────────── it fails, or nobody knows ──────────┘  │
//!     └───────────────────────────────────────── it ends well ──────────────────────────────┘
//! ```

use std::{num::NonZeroU32, time::Duration};

use super::window::Window;

/// When a component counts as failing, and for how long it is left alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// So many failures in a row open the breaker.
    pub in_a_row: NonZeroU32,
    /// A smaller share of successes than this opens it too.
    pub ratio: f64,
    /// The share counts only where there were at least so many calls.
    pub least: u32,
    /// What happened longer ago is forgotten.
    pub window: Duration,
    /// The first pause; it doubles with each probe that fails.
    pub backoff: Duration,
    /// The longest pause, before half as much is added by chance at most.
    pub max_backoff: Duration,
}

/// The state of one component's breaker.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    config: Config,
    state: State,
    window: Window,
    /// Failures since the last success.
    in_a_row: u32,
    /// Openings since it was last closed.
    openings: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// All calls pass.
    Closed,
    /// None passes.
    Open { until: Duration },
    /// One is on its way; none passes until it has reported.
    Probing,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is made, and its end must be recorded with the ticket.
    Pass(Ticket),
    /// It is not made.
    Reject { retry_after: Duration },
}

/// What kind of call was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    /// One of many.
    Ordinary,
    /// The one that decides whether the breaker closes.
    Probe,
}

/// What the end of a call says about the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is well.
    Success,
    /// It is failing.
    Failure,
    /// Nothing: the call was given up, or failed for reasons of others.
    Unknown,
}

/// A change that people should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It opened, for so long.
    Opened(Duration),
    /// It closed.
    Closed,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            // Seven in a row are no accident: at one failure in five it happens once in 78,000 calls.
            in_a_row: NonZeroU32::MIN.saturating_add(6),
            ratio: 0.8,
            // With fewer calls than this, one failure more or less would decide.
            least: 20,
            window: Duration::from_secs(10),
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(60),
        }
    }
}

// === impl Machine ===

impl Machine {
    pub(super) fn new(config: Config) -> Self {
        let window = Window::new(config.window);
        Self {
            config,
            state: State::Closed,
            window,
            in_a_row: 0,
            openings: 0,
        }
    }

    /// Decides whether a call is made.
    pub(super) fn admit(&mut self, now: Duration) -> Admission {
        match self.state {
            State::Closed => Admission::Pass(Ticket::Ordinary),
            State::Open { until } if now < until => Admission::Reject {
                retry_after: until - now,
            },
            State::Open { .. } => {
                self.state = State::Probing;
                Admission::Pass(Ticket::Probe)
            }
            State::Probing => Admission::Reject {
                retry_after: self.config.backoff,
            },
        }
    }

    /// Takes note of how a call ended. `chance` is from 0 up to 1, and is asked only when the breaker opens.
    pub(super) fn record(
        &mut self,
        now: Duration,
        ticket: Ticket,
        outcome: Outcome,
        chance: impl FnOnce() -> f64,
    ) -> Option<Turn> {
        match (self.state, ticket, outcome) {
            (State::Closed, _, Outcome::Success) => {
                self.in_a_row = 0;
                self.window.count_good(now);
                None
            }
            (State::Closed, _, Outcome::Failure) => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                self.window.count_bad(now);
                self.is_failing(now).then(|| self.open(now, chance()))
            }
            (State::Probing, Ticket::Probe, Outcome::Success) => Some(self.close()),
            // A probe of which nothing is known has shown nothing; the next one will.
            (State::Probing, Ticket::Probe, Outcome::Failure | Outcome::Unknown) => {
                Some(self.open(now, chance()))
            }
            (State::Closed, _, Outcome::Unknown)
            // Calls from before the opening come in late; the breaker has made up its mind without them.
            | (State::Open { .. }, _, _)
            | (State::Probing, Ticket::Ordinary, _) => None,
        }
    }

    fn is_failing(&self, now: Duration) -> bool {
        if self.in_a_row >= self.config.in_a_row.get() {
            return true;
        }
        let counts = self.window.counts(now);
        let all = counts.good.saturating_add(counts.bad);
        all >= self.config.least && f64::from(counts.good) < self.config.ratio * f64::from(all)
    }

    fn open(&mut self, now: Duration, chance: f64) -> Turn {
        let factor = 2_u32.saturating_pow(self.openings);
        let pause = self
            .config
            .backoff
            .saturating_mul(factor)
            .min(self.config.max_backoff);
        // Half as much again at most, so that breakers that opened together do not probe together.
        let pause = pause.mul_f64(1.0 + chance.clamp(0.0, 1.0) / 2.0);
        self.openings = self.openings.saturating_add(1);
        self.state = State::Open {
            until: now.saturating_add(pause),
        };
        Turn::Opened(pause)
    }

    fn close(&mut self) -> Turn {
        self.state = State::Closed;
        self.window.clear();
        self.in_a_row = 0;
        self.openings = 0;
        Turn::Closed
    }
}

#[cfg(test)]
mod tests;
