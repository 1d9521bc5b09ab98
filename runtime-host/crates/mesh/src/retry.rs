//! `WithRetry`: asks again where that can do no harm and may help.
//!
//! Only calls of contract functions are made again here. Events are delivered again by the log, a request from outside
//! is its client's to repeat, and the steps of a saga have a policy of their own.

mod budget;

use std::{num::NonZeroU32, time::Duration};

use skald_core::{
    call::{Blame, Call, CallError, Input, Reply, Request},
    context::Cause,
    store::StoreError,
    unit::Mode,
};
use skald_telemetry::random;
use tokio::time::{Instant, sleep};

use self::budget::Budget;

/// When a call is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How often it is made at most, the first time included.
    pub attempts: NonZeroU32,
    /// The longest pause after the first attempt; it doubles with each further one.
    pub backoff: Duration,
    /// No pause is longer than this one, unless the target asks for it.
    pub max_backoff: Duration,
}

/// Makes a failed call again.
pub(crate) struct WithRetry<C> {
    config: Config,
    mode: Mode,
    budget: Budget,
    inner: C,
}

/// Three attempts hide a hiccup; more would hide a failure from the breaker of whoever calls.
pub const DEFAULT_ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

/// A few times what a call takes.
pub const DEFAULT_BACKOFF: Duration = Duration::from_millis(50);

/// A caller waits ten seconds at most, and a longer pause would leave no time for the attempt after it.
pub const DEFAULT_MAX_BACKOFF: Duration = Duration::from_secs(2);

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            attempts: DEFAULT_ATTEMPTS,
            backoff: DEFAULT_BACKOFF,
            max_backoff: DEFAULT_MAX_BACKOFF,
        }
    }
}

impl Config {
    /// The pause after attempt number `attempt`, counted from 1.
    fn pause(&self, attempt: u32, error: &CallError) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let most = self.backoff.saturating_mul(factor).min(self.max_backoff);
        // On top of what the target asks for, so that those it sent away do not come back all at once.
        error
            .retry_after()
            .unwrap_or_default()
            .saturating_add(random::up_to(most))
    }
}

// === impl WithRetry ===

impl<C> WithRetry<C> {
    pub(crate) fn new(config: Config, mode: Mode, inner: C) -> Self {
        Self {
            config,
            mode,
            budget: Budget::new(),
            inner,
        }
    }

    /// How long to wait before the next attempt; none where there is to be no next one.
    fn again(&self, request: &Request, attempt: u32, error: &CallError) -> Option<Duration> {
        if attempt >= self.config.attempts.get() || !is_worth_it(self.mode, error) {
            return None;
        }
        let pause = self.config.pause(attempt, error);
        let wakes = Instant::now().into_std() + pause;
        let in_time = request
            .context
            .deadline
            .is_none_or(|deadline| wakes < deadline);
        (in_time && self.budget.withdraw()).then_some(pause)
    }
}

impl<C: Call> Call for WithRetry<C> {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        if !is_repeated_here(request) {
            return self.inner.call(request).await;
        }
        self.budget.deposit();
        let mut attempt = 1;
        loop {
            let error = match self.inner.call(request).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(pause) = self.again(request, attempt, &error) else {
                return Err(error);
            };
            tracing::debug!(component = %request.target, attempt, ?pause, code = error.code(), "trying again");
            sleep(pause).await;
            attempt += 1;
        }
    }
}

/// Whether nobody else makes the call again. A step's attempts are counted and journaled by the saga it is of, and more
/// of them in here would multiply with those.
const fn is_repeated_here(request: &Request) -> bool {
    let is_step = matches!(request.context.cause, Cause::Saga(_));
    matches!(request.input, Input::Function(_)) && !is_step
}

/// Whether another attempt can do no harm, and might end otherwise.
const fn is_worth_it(mode: Mode, error: &CallError) -> bool {
    if matches!(error.blame(), Blame::Caller) {
        return false;
    }
    match error {
        CallError::ShuttingDown => false,
        // The same arguments go over the same limit.
        CallError::OverLimit(_) | CallError::HandlerFailed(_) => false,
        // What is full or damaged needs a person.
        CallError::Store(StoreError::Full(_) | StoreError::Corrupt(_)) => false,
        // It may have had its effect. Whoever has a key or a mark for it can ask again.
        CallError::Store(StoreError::Unknown(_)) => false,
        // Where effects are held until the end, a call that failed has had none.
        CallError::TimedOut(_)
        | CallError::Trapped(_)
        | CallError::Engine(_)
        | CallError::Store(StoreError::Unavailable(_) | StoreError::Changed(_)) => {
            matches!(mode, Mode::Held)
        }
        CallError::NoSuchComponent(_)
        | CallError::NoSuchExport { .. }
        | CallError::Overloaded { .. }
        | CallError::Broken { .. }
        | CallError::Conflict { .. }
        | CallError::KeyReused
        | CallError::KeyRunning => error.is_before_effect(),
    }
}

#[cfg(test)]
mod tests;
