//! The checkout: carries an order from `pending` to its end.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod order;
