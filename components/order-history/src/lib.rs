//! order-history: a customer's orders as people wish to read them. It asks nobody: what it shows is joined from the
//! events of orders, identity and catalog, in whatever order they come.

pub mod archive;
pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod routes;
pub mod subscriber;
