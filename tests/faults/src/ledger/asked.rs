//! What a service is asked.

use std::sync::Arc;

use skald_core::{
    call::{Input, Request},
    context::{Once, StepKey},
    value::Value,
};
use tokio::time::Instant;

use crate::{services::call::Call, shop};

/// A request, and what of it matters here.
pub(super) struct Asked {
    pub(super) key: Arc<StepKey>,
    pub(super) step: u32,
    /// What is called, where the shop is.
    pub(super) call: Option<Call>,
    pub(super) deadline: Option<Instant>,
}

// === impl Asked ===

impl Asked {
    /// What is asked; nothing if that is no step.
    pub(super) fn read(request: &Request) -> Option<Self> {
        let Some(Once::Step(key)) = &request.context.once else {
            return None;
        };
        let Input::Function(function) = &request.input else {
            return None;
        };
        let (step, call) = match function.arguments.first() {
            Some(Value::U32(step)) => (*step, None),
            _ => {
                let call = shop::wire::call_of(&function.name, &function.arguments)?;
                (call.number(), Some(call))
            }
        };
        Some(Self {
            key: Arc::clone(key),
            step,
            call,
            deadline: request.context.deadline.map(Instant::from_std),
        })
    }

    /// The answer of a service that refuses it.
    pub(super) fn refused(&self) -> Value {
        match &self.call {
            Some(call) => shop::refused(call),
            None => {
                let why = Value::String(format!("{} is refused", self.step));
                Value::Result(Err(Some(Box::new(why))))
            }
        }
    }
}
