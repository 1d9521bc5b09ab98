//! catalog: what the shop sells, and for how much. It knows nothing of stock.

pub mod domain;
pub mod editing;
#[cfg(target_family = "wasm")]
mod glue;
pub mod routes;
pub mod shelf;
pub mod subscriber;
