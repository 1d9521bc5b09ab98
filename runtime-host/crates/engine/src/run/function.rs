//! Calls of a contract's functions.

use skald_core::call::{CallError, Function, Reply};
use wasmtime::component::Val;

use super::settled;
use crate::{convert, exports::Export, idle::Live};

pub(super) async fn call_function(
    live: &mut Live,
    export: &Export,
    function: &Function,
) -> wasmtime::Result<Result<Reply, CallError>> {
    let Some(func) = live.instance.get_func(&mut live.store, export.index) else {
        return Err(wasmtime::format_err!("the export is not in the instance"));
    };
    let arguments: Vec<Val> = function.arguments.iter().map(convert::to_guest).collect();
    let mut results = if export.has_result {
        vec![Val::Bool(false)]
    } else {
        Vec::new()
    };
    if export.ty.async_() {
        let called = Box::pin(live.store.run_concurrent(async |accessor| {
            func.call_concurrent(accessor, &arguments, &mut results)
                .await?;
            settled(accessor).await;
            wasmtime::error::Ok(())
        }));
        called.await??;
    } else {
        func.call_async(&mut live.store, &arguments, &mut results)
            .await?;
    }
    match results.first() {
        None => Ok(Ok(Reply::Value(None))),
        Some(result) => match convert::from_guest(result) {
            Some(value) => Ok(Ok(Reply::Value(Some(value)))),
            None => Err(wasmtime::format_err!(
                "the result cannot leave its instance"
            )),
        },
    }
}
