//! notifications: what customers are told. A mailbox for each of them, filled from events.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod mailbox;
pub mod routes;
pub mod subscriber;
