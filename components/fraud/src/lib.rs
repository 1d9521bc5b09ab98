//! The fraud capability: whether an order looks like one of its customer's, before any money moves.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod screening;
pub mod subscriber;
