//! identity: who the customers are. Passwords never leave it, not even hashed.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod register;
pub mod routes;
