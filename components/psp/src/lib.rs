//! A payment provider that misbehaves on request, so that lost and slow replies can be tried out.
//!
//! It stands outside the shop: it speaks plain HTTP, has no contract, and what it has written stays written.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod routes;
