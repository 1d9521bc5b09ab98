//! Returns: waits for somebody to agree, then takes an order back.

pub mod decision;
pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod request;
