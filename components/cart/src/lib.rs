//! cart: what a customer means to buy. Orders claim its lines; it knows prices from events only.

pub mod domain;
pub mod drawer;
#[cfg(target_family = "wasm")]
mod glue;
pub mod routes;
pub mod subscriber;
