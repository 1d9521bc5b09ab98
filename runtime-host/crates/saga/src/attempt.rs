//! One attempt of a step or an undo entry, and what follows from how it went.

use std::{sync::Arc, time::Duration};

use skald_core::{
    call::{CallError, DynCall, Function, Input, Reply, Request, chain},
    context::{Cause, Context, Once, Principal, StepKey, TraceContext},
    manifest::ComponentId,
    saga::{
        Direction, Started, Step,
        policy::{Class, Policy},
        step_key,
    },
    value::Value,
};
use skald_telemetry::{ids, random};
use tokio::time::Instant;

/// An attempt that has landed.
pub(crate) struct Landed {
    pub(crate) ordinal: u32,
    pub(crate) direction: Direction,
    pub(crate) answer: Result<Option<Value>, CallError>,
}

/// How often something was tried, and when it is tried next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tries {
    pub(crate) attempts: u32,
    pub(crate) error: String,
    /// Not before this time; none while nothing keeps it from being tried.
    pub(crate) next: Option<Instant>,
}

/// What follows from a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again after this pause.
    Again(Duration),
    /// A person has to look.
    GiveUp,
    /// A person has to look, since nobody knows whether it took effect.
    Unknown,
}

/// The call of a step.
pub(crate) fn request(
    started: &Started,
    (ordinal, direction): (u32, Direction),
    step: &Step,
    (timeout, life): (Option<Duration>, u32),
) -> Request {
    let trace = TraceContext::parse(&started.trace).unwrap_or_else(ids::new_trace);
    let key = StepKey {
        run: started.run.to_string(),
        key: step_key(&started.run, ordinal, direction),
        undo: direction == Direction::Undo,
        life: Some(life),
    };
    Request {
        target: ComponentId::from(step.target.as_str()),
        input: Input::Function(Function {
            interface: step.interface.as_str().into(),
            name: step.function.as_str().into(),
            arguments: step.arguments.clone(),
        }),
        context: Context {
            principal: started
                .principal
                .as_deref()
                .map(|principal| Principal(principal.into())),
            trace: trace.child(ids::span_id()),
            deadline: timeout.map(|timeout| (Instant::now() + timeout).into_std()),
            once: Some(Once::Step(Arc::new(key))),
            cause: Cause::Saga(started.component.as_str().into()),
        },
    }
}

/// Makes the call and waits for its end.
pub(crate) async fn fly(
    calls: Arc<dyn DynCall>,
    request: Request,
    ordinal: u32,
    direction: Direction,
) -> Landed {
    let answer = match calls.call_boxed(request).await {
        Ok(Reply::Value(value)) => Ok(value),
        Ok(Reply::Http(_) | Reply::Handled) => Err(CallError::Engine(
            "a function was answered with something else than a value".to_owned(),
        )),
        Err(error) => Err(error),
    };
    Landed {
        ordinal,
        direction,
        answer,
    }
}

// === impl Tries ===

impl Tries {
    /// Notes that an attempt failed, and says what follows.
    pub(crate) fn note(
        &mut self,
        error: &CallError,
        policy: &Policy,
        direction: Direction,
    ) -> Verdict {
        self.error = chain(error);
        if !is_congestion(error) {
            self.attempts = self.attempts.saturating_add(1);
        }
        // An undo may be sent twice by its very nature.
        let is_once = policy.class == Class::WriteOnce && direction == Direction::Forward;
        if is_once && !error.is_before_effect() {
            return Verdict::Unknown;
        }
        let is_lost = matches!(
            error,
            CallError::NoSuchComponent(_) | CallError::NoSuchExport { .. }
        );
        if is_lost || self.attempts >= policy.attempts.get() {
            return Verdict::GiveUp;
        }
        let pause = policy.pause(self.attempts.max(1));
        // At least half of it, so that a run does not use up its attempts in no time.
        let pause = pause / 2 + random::up_to(pause / 2);
        let pause = pause.saturating_add(error.retry_after().unwrap_or_default());
        self.next = Some(Instant::now() + pause);
        Verdict::Again(pause)
    }
}

/// Whether the target was never asked, because of others: no attempt of this step was made.
const fn is_congestion(error: &CallError) -> bool {
    match error {
        CallError::Overloaded { .. }
        | CallError::KeyRunning
        | CallError::Conflict { .. }
        | CallError::ShuttingDown => true,
        CallError::NoSuchComponent(_)
        | CallError::NoSuchExport { .. }
        | CallError::Broken { .. }
        | CallError::TimedOut(_)
        | CallError::Trapped(_)
        | CallError::OverLimit(_)
        | CallError::HandlerFailed(_)
        | CallError::KeyReused
        | CallError::Store(_)
        | CallError::Engine(_) => false,
    }
}
