//! The orders capability. An order's state is the sum of its events, and nothing else is kept.

pub mod book;
pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod placing;
pub mod routes;
