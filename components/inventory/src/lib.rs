//! The inventory capability: pieces received, available, reserved and sold.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod routes;
pub mod stockroom;
pub mod subscriber;
