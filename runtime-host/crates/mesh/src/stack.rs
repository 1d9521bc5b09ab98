//! The order of the policies, and the reasons for it.

use skald_core::run::Run;

use crate::{
    breaker::WithBreaker,
    bulkhead::WithBulkhead,
    deadline::WithDeadline,
    mesh::Target,
    retry::WithRetry,
    span::WithSpan,
    unit::{Ground, WithUnit},
};

/// All policies around one component. A type and not a `dyn`, so that a call goes down it without indirection.
pub(crate) type Stack<E> = WithSpan<WithRetry<WithBreaker<WithBulkhead<WithUnit<E>>>>>;

/// Puts the policies around one component.
pub(crate) fn stack<E: Run>(target: &Target, ground: &Ground<E>) -> Stack<E> {
    let Target { id, config } = target;
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
                    config.mode,
                    config.limits,
                    // Innermost: it may interrupt a guest but never a commit. Only so does "no answer in time"
                    // mean that nothing has happened.
                    WithDeadline::new(ground.engine()),
                ),
            ),
        ),
    ))
}
