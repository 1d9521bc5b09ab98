//! The admin API: lets people see the sagas of a running host and act on them.
//!
//! It knows HTTP and the port `Desk`, and translates one into the other: paths and JSON in, JSON and problems out. What a
//! verb does, and whether it may be done now, is decided behind the port.
//!
//! It listens on the machine's own addresses unless told otherwise. There it trusts whoever can connect, except web
//! pages; anywhere else it asks for a token.

mod ask;
mod config;
mod door;
mod failure;
mod find;
mod problem;
mod routes;
mod serve;
#[cfg(test)]
mod tests;

pub use config::{Config, ConfigError};
pub use serve::Admin;
