//! The shipping capability: carriers and tracking numbers.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod routes;
pub mod shipments;
