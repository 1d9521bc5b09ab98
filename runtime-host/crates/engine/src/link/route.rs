//! The host function behind an imported function: makes the call a request and takes it to the mesh.

use std::sync::Arc;

use skald_core::{
    call::{CallError, Function, Input, Later, Reply, Request},
    context::{Cause, Context},
    manifest::ComponentId,
};
use wasmtime::component::{LinkerInstance, Val, types::ComponentFunc};

use crate::{convert, error::Stop, outbound::spawned, state::State};

/// Where a call of an imported function goes.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) target: ComponentId,
    pub(super) caller: Arc<str>,
    pub(super) interface: Arc<str>,
    pub(super) function: Arc<str>,
    pub(super) calls: Arc<Later>,
}

impl Route {
    /// Puts the function where the guest expects it.
    pub(super) fn define(
        self,
        provided: &mut LinkerInstance<'_, State>,
        import: &ComponentFunc,
    ) -> wasmtime::Result<()> {
        let name = Arc::clone(&self.function);
        let route = Arc::new(self);
        if import.async_() {
            return provided.func_new_concurrent(&name, move |accessor, _, params, results| {
                let (route, context) = (
                    Arc::clone(&route),
                    accessor.with(|mut access| access.get().slot().context()),
                );
                Box::pin(route.spawn(context, params, results))
            });
        }
        provided.func_new_async(&name, move |caller, _, params, results| {
            let (route, context) = (Arc::clone(&route), caller.data().slot().context());
            Box::new(route.carry(context, params, results))
        })
    }

    /// Makes the call inline: the guest's only thread waits for it.
    async fn carry(
        self: Arc<Self>,
        context: Context,
        params: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let request = self.request(context, params)?;
        answer(self.call(request).await, results)
    }

    /// Makes the call in a task of its own, beside others of the same guest.
    async fn spawn(
        self: Arc<Self>,
        context: Context,
        params: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let request = self.request(context, params)?;
        answer(
            spawned(async move { self.call(request).await }).await,
            results,
        )
    }

    fn request(&self, context: Context, params: &[Val]) -> wasmtime::Result<Request> {
        let arguments: Option<Vec<_>> = params.iter().map(convert::from_guest).collect();
        let arguments = arguments
            .ok_or_else(|| wasmtime::format_err!("an argument cannot leave its instance"))?;
        Ok(Request {
            target: self.target.clone(),
            input: Input::Function(Function {
                interface: Arc::clone(&self.interface),
                name: Arc::clone(&self.function),
                arguments,
            }),
            // The caller's mark or key is spent on the caller's own effect.
            context: Context {
                once: None,
                cause: Cause::Component(Arc::clone(&self.caller)),
                ..context
            },
        })
    }

    async fn call(&self, request: Request) -> Result<Reply, CallError> {
        match self.calls.get() {
            Some(calls) => calls.call_boxed(request).await,
            None => Err(CallError::ShuttingDown),
        }
    }
}

/// Puts the answer where the guest expects it. A failed call ends the caller too, with the callee's error.
fn answer(reply: Result<Reply, CallError>, results: &mut [Val]) -> wasmtime::Result<()> {
    match (reply, results) {
        (Ok(Reply::Value(None)), []) => Ok(()),
        (Ok(Reply::Value(Some(value))), [result]) => {
            *result = convert::to_guest(&value);
            Ok(())
        }
        (Ok(_), _) => Err(wasmtime::format_err!(
            "the answer is not of the function's type"
        )),
        (Err(error), _) => Err(wasmtime::Error::new(Stop(error))),
    }
}
