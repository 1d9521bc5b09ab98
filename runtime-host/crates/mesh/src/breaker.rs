//! `WithBreaker`: leaves a failing component alone for a while, and then tries it with a single call.
//!
//! The decisions are in `machine.rs`; here they are only acted upon.
//!
//! It guards components from each other. A saga's steps are such calls too, and the most patient ones: they come again
//! when it has closed. Requests from outside and deliveries pass it, unseen: a fresh instance after a
//! trap costs microseconds, so one client or one event that makes a component trap must not shut it to all others.

mod machine;
mod window;

use parking_lot::Mutex;
use skald_core::{
    call::{Blame, Call, CallError, Reply, Request},
    context::Cause,
    manifest::ComponentId,
};
use skald_telemetry::random;
use tokio::time::Instant;

pub use self::machine::Config;
use self::machine::{Admission, Machine, Outcome, Ticket, Turn};

/// Rejects calls while the component is failing.
pub(crate) struct WithBreaker<C> {
    component: ComponentId,
    start: Instant,
    machine: Mutex<Machine>,
    inner: C,
}

/// Reports how a call ended, also when its future is dropped half-way: a probe that never reported would keep
/// the breaker shut for ever.
struct Attempt<'a, C> {
    breaker: &'a WithBreaker<C>,
    ticket: Ticket,
    outcome: Outcome,
}

// === impl WithBreaker ===

impl<C> WithBreaker<C> {
    pub(crate) fn new(config: Config, component: ComponentId, inner: C) -> Self {
        let machine = Mutex::new(Machine::new(config));
        Self {
            component,
            start: Instant::now(),
            machine,
            inner,
        }
    }

    fn admit(&self) -> Result<Attempt<'_, C>, CallError> {
        match self.machine.lock().admit(self.start.elapsed()) {
            Admission::Pass(ticket) => Ok(Attempt {
                breaker: self,
                ticket,
                outcome: Outcome::Unknown,
            }),
            Admission::Reject { retry_after } => Err(CallError::Broken {
                component: self.component.clone(),
                retry_after,
            }),
        }
    }
}

impl<C: Call> Call for WithBreaker<C> {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        if !is_guarded(&request.context.cause) {
            return self.inner.call(request).await;
        }
        let mut attempt = self.admit()?;
        let result = self.inner.call(request).await;
        attempt.outcome = judge(&result);
        result
    }
}

// === impl Attempt ===

impl<C> Drop for Attempt<'_, C> {
    fn drop(&mut self) {
        let breaker = self.breaker;
        let now = breaker.start.elapsed();
        let turn = breaker
            .machine
            .lock()
            .record(now, self.ticket, self.outcome, random::fraction);
        match turn {
            None => {}
            Some(Turn::Opened(pause)) => {
                tracing::warn!(component = %breaker.component, ?pause, "the breaker opened");
            }
            Some(Turn::Closed) => {
                tracing::info!(component = %breaker.component, "the breaker closed");
            }
        }
    }
}

/// Whether a caller of this kind is kept from a failing component, and tells of its failures.
const fn is_guarded(cause: &Cause) -> bool {
    match cause {
        Cause::Component(_) | Cause::Saga(_) => true,
        Cause::Request | Cause::Event(_) | Cause::Host => false,
    }
}

/// What an end says about the component's health. A refusal is a healthy answer.
const fn judge(result: &Result<Reply, CallError>) -> Outcome {
    let Err(error) = result else {
        return Outcome::Success;
    };
    match error {
        // The handler answered; one bad event must not stop the good ones.
        CallError::HandlerFailed(_) => Outcome::Success,
        CallError::Engine(_) | CallError::Store(_) => Outcome::Failure,
        // Too many calls, contended data or a host that stops say nothing about the component.
        CallError::Overloaded { .. } | CallError::Conflict { .. } | CallError::ShuttingDown => {
            Outcome::Unknown
        }
        CallError::NoSuchComponent(_)
        | CallError::NoSuchExport { .. }
        | CallError::Broken { .. }
        | CallError::TimedOut(_)
        | CallError::Trapped(_)
        | CallError::OverLimit(_)
        | CallError::KeyReused
        | CallError::KeyRunning => match error.blame() {
            Blame::Component => Outcome::Failure,
            Blame::Caller | Blame::Host => Outcome::Success,
        },
    }
}

#[cfg(test)]
mod tests;
