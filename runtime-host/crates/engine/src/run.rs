//! One run of a component: takes an instance, makes the call in it, and keeps the instance if it ended well.

mod function;
mod http;
mod message;

use std::{future::poll_fn, sync::Arc, time::Duration};

use skald_core::{
    call::{CallError, Input, Reply, Request},
    unit::Unit,
};
use wasmtime::{
    Store,
    component::{Accessor, InstancePre},
};
use wasmtime_wasi_http::p3::bindings::ServiceIndices;

use crate::{
    config::Isolation,
    error::call_error,
    exports::Exports,
    idle::{Idle, Live},
    state::{Shared, State},
};

/// A component ready to run.
pub(crate) struct Runner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pre: InstancePre<State>,
    pub(crate) service: Option<ServiceIndices>,
    pub(crate) exports: Exports,
    pub(crate) idle: Idle,
    pub(crate) reuse: u32,
    pub(crate) answer_limit: usize,
    pub(crate) revision: String,
}

impl Runner {
    pub(crate) async fn run(
        &self,
        request: &Request,
        unit: Unit,
    ) -> (Unit, Result<Reply, CallError>) {
        if let Err(error) = self.find(&request.input) {
            return (unit, Err(error));
        }
        let mut live = match self.instance().await {
            Ok(live) => live,
            Err(error) => return (unit, Err(error)),
        };
        let slot = Arc::clone(live.store.data().slot());
        slot.begin(request.context.clone(), unit).await;
        live.served += 1;
        // One tick, then the guest yields at each further one; whoever waits for it can then give up on it.
        live.store.set_epoch_deadline(1);
        let outcome = match &request.input {
            Input::Function(function) => self.call_function(&mut live, function).await,
            Input::Http(http) => self.handle_http(&mut live, http).await,
            Input::Message(payload) => self.handle_message(&mut live, payload).await,
        };
        let unit = slot.end().await;
        match outcome {
            Ok(Ok(reply)) => {
                self.keep(live);
                (unit, Ok(reply))
            }
            Ok(Err(error)) => {
                // The handler ended in good order; only its answer is an error.
                self.keep(live);
                (unit, Err(error))
            }
            // A store is dead after a trap.
            Err(error) => (
                unit,
                Err(call_error(&error, live.store.data().limits.refused())),
            ),
        }
    }

    pub(crate) fn trim(&self, most: Duration) {
        self.idle.trim(most);
    }

    fn find(&self, input: &Input) -> Result<(), CallError> {
        let missing = match input {
            Input::Function(function) => {
                match self.exports.function(&function.interface, &function.name) {
                    Some(_) => return Ok(()),
                    None => format!("{}#{}", function.interface, function.name),
                }
            }
            Input::Http(_) if self.service.is_some() => return Ok(()),
            Input::Http(_) => "wasi:http/handler@0.3.0".to_owned(),
            Input::Message(_) if self.exports.message.is_some() => return Ok(()),
            Input::Message(_) => crate::bindings::inbound_redis::INTERFACE.to_owned(),
        };
        Err(CallError::NoSuchExport {
            component: self.shared.spec.id.clone(),
            export: missing,
        })
    }

    async fn instance(&self) -> Result<Live, CallError> {
        if self.shared.spec.isolation == Isolation::Instance
            && let Some(live) = self.idle.take()
        {
            return Ok(live);
        }
        let mut store = Store::new(self.pre.engine(), State::new(Arc::clone(&self.shared)));
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let instance = match self.pre.instantiate_async(&mut store).await {
            Ok(instance) => instance,
            Err(error) => return Err(call_error(&error, store.data().limits.refused())),
        };
        let service = match &self.service {
            None => None,
            Some(service) => Some(
                service
                    .load(&mut store, &instance)
                    .map_err(|error| call_error(&error, None))?,
            ),
        };
        Ok(Live {
            store,
            instance,
            service,
            served: 0,
        })
    }

    fn keep(&self, live: Live) {
        if self.shared.spec.isolation == Isolation::Instance {
            self.idle.keep(live, self.reuse);
        }
    }
}

/// Waits until the guest has ended what it does after its answer.
async fn settled(accessor: &Accessor<State>) {
    poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
}
