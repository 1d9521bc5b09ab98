//! Cancelling: undoes an order that its customer does not want any more, as long as it has not left.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod request;
