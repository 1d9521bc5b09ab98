//! The order of the policies, and the reasons for it.

use std::sync::Arc;

use skald_core::{
    call::{Call, CallError, DynCall, Reply, Request},
    manifest::ComponentId,
    run::Run,
    unit::Mode,
};

use crate::{
    breaker::WithBreaker,
    bulkhead::WithBulkhead,
    deadline::WithDeadline,
    mesh::{Config, Target},
    retry::WithRetry,
    span::WithSpan,
    unit::{Ground, WithUnit},
};

/// All policies around one component. A type and not a `dyn`, so that a call goes down it without indirection.
pub(crate) type Stack<E> = WithSpan<WithRetry<WithBreaker<WithBulkhead<WithUnit<E>>>>>;

/// The policies around a component that other nodes serve. Whoever serves it has the others around it.
pub(crate) type Bridge = WithSpan<WithRetry<WithBreaker<Away>>>;

/// The road to other nodes.
pub(crate) struct Away(Arc<dyn DynCall>);

/// Puts the policies around one component that other nodes serve.
pub(crate) fn bridge(id: &ComponentId, config: &Config, away: Arc<dyn DynCall>) -> Bridge {
    WithSpan::new(WithRetry::new(
        config.retry,
        // What was sent to another node and has no answer may have had its effect, so that only what surely had none is
        // sent again.
        Mode::Immediate,
        WithBreaker::new(config.breaker, id.clone(), Away(away)),
    ))
}

/// Puts the policies around one component.
pub(crate) fn stack<E: Run>(target: &Target, ground: &Ground<E>) -> Stack<E> {
    let Target { id, config, store } = target;
    // Outermost, so that waiting and every attempt are part of what is measured.
    WithSpan::new(WithRetry::new(
        config.retry,
        config.mode,
        // Inside the retry, so that each attempt is judged on its own and an open breaker ends the attempts' wait.
        WithBreaker::new(
            config.breaker,
            id.clone(),
            // Inside the breaker, so that nobody waits for a place at a component that is failing.
            WithBulkhead::new(
                id.clone(),
                config.concurrency,
                config.queue,
                // Inside the bulkhead, so that only as many units as places are open, and their memory is bounded.
                WithUnit::new(
                    ground,
                    Arc::clone(store),
                    (config.mode, config.limits),
                    // Innermost: it may interrupt a guest but never a commit. Only so does "no answer in time"
                    // mean that nothing has happened.
                    WithDeadline::new(ground.engine()),
                ),
            ),
        ),
    ))
}

// === impl Away ===

impl Call for Away {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        self.0.call_boxed(request.clone()).await
    }
}
