//! Deliveries of messages.

use bytes::Bytes;
use skald_core::call::{CallError, Reply};

use wasmtime::component::ComponentExportIndex;

use super::settled;
use crate::{bindings::spin::redis::redis::Error, idle::Live};

/// A handler's error is kept with each attempt; longer ones tell no more.
const LONGEST_ERROR: usize = 4 << 10;

pub(super) async fn handle_message(
    live: &mut Live,
    index: ComponentExportIndex,
    payload: &Bytes,
) -> wasmtime::Result<Result<Reply, CallError>> {
    let handler = live
        .instance
        .get_typed_func::<(Vec<u8>,), (Result<(), Error>,)>(&mut live.store, index)?;
    let handled = live.store.run_concurrent(async |accessor| {
        let (handled,) = handler
            .call_concurrent(accessor, (payload.to_vec(),))
            .await?;
        settled(accessor).await;
        wasmtime::error::Ok(handled)
    });
    match handled.await?? {
        Ok(()) => Ok(Ok(Reply::Handled)),
        Err(error) => Ok(Err(CallError::HandlerFailed(text(error)))),
    }
}

fn text(error: Error) -> String {
    match error {
        Error::InvalidAddress => "invalid address".to_owned(),
        Error::TooManyConnections => "too many connections".to_owned(),
        Error::TypeError => "type error".to_owned(),
        Error::Other(mut why) => {
            why.truncate(why.floor_char_boundary(LONGEST_ERROR));
            why
        }
    }
}
