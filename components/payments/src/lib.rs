//! The payments capability: money for orders, at a payment provider.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod provider;
pub mod routes;
pub mod service;
pub mod subscriber;
