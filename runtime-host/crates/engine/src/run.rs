//! One run of a component: takes an instance, makes the call in it, and keeps the instance if it ended well.

mod function;
mod http;
mod message;
mod play;

use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::Bytes;
use skald_core::{
    call::{CallError, Function, Input, Reply, Request},
    unit::Unit,
};
use wasmtime::{
    Store,
    component::{Accessor, ComponentExportIndex, InstancePre},
};
use wasmtime_wasi_http::p3::bindings::ServiceIndices;

use self::{function::call_function, message::handle_message};
use crate::{
    bindings::inbound_redis,
    config::Isolation,
    error::call_error,
    exports::{Export, Exports},
    idle::{Idle, Live},
    state::{Shared, State},
};

/// What a call asks for, found among the exports.
enum Found<'a> {
    Function(&'a Export, &'a Function),
    Http(&'a ::http::Request<Bytes>),
    Message(&'a ComponentExportIndex, &'a Bytes),
}

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
        let found = match self.find(&request.input) {
            Ok(found) => found,
            Err(error) => return (unit, Err(error)),
        };
        // Boxed, here and below, is what few calls do: its future is large, and every call would carry the room for it.
        let live = match self.waiting() {
            Some(live) => Ok(live),
            None => Box::pin(self.fresh()).await,
        };
        let mut live = match live {
            Ok(live) => live,
            Err(error) => return (unit, Err(error)),
        };
        let slot = Arc::clone(live.store.data().slot());
        slot.begin(request.context.clone(), unit).await;
        live.served += 1;
        // One tick, then the guest yields at each further one; whoever waits for it can then give up on it.
        live.store.set_epoch_deadline(1);
        let outcome = match found {
            Found::Function(export, function) => call_function(&mut live, export, function).await,
            Found::Http(http) => Box::pin(self.handle_http(&mut live, http)).await,
            Found::Message(index, payload) => {
                Box::pin(handle_message(&mut live, *index, payload)).await
            }
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

    fn find<'a>(&'a self, input: &'a Input) -> Result<Found<'a>, CallError> {
        let missing = match input {
            Input::Function(function) => {
                match self.exports.function(&function.interface, &function.name) {
                    Some(export) => return Ok(Found::Function(export, function)),
                    None => format!("{}#{}", function.interface, function.name),
                }
            }
            Input::Http(request) if self.service.is_some() => return Ok(Found::Http(request)),
            Input::Http(_) => "wasi:http/handler@0.3.0".to_owned(),
            Input::Message(payload) => match &self.exports.message {
                Some(index) => return Ok(Found::Message(index, payload)),
                None => inbound_redis::INTERFACE.to_owned(),
            },
        };
        Err(CallError::NoSuchExport {
            component: self.shared.spec.id.clone(),
            export: missing,
        })
    }

    fn waiting(&self) -> Option<Live> {
        match self.shared.spec.isolation {
            Isolation::Instance => self.idle.take(),
            Isolation::Call => None,
        }
    }

    async fn fresh(&self) -> Result<Live, CallError> {
        self.instantiate(State::new(Arc::clone(&self.shared))).await
    }

    async fn instantiate(&self, state: State) -> Result<Live, CallError> {
        let mut store = Store::new(self.pre.engine(), state);
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
