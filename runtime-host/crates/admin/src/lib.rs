//! The admin API: lets people see the sagas, events and nodes of a running host, and act on them.
//!
//! It knows HTTP and the ports `Desk`, `Archive`, `EventLog`, `Store` and `Nodes`, and translates one into the other: paths
//! and JSON in, JSON and problems out. What a verb does to a saga, and whether it may be done now, is decided behind the port;
//! what is asked of the log of events is put together here, of the few things that the log can do.
//!
//! It listens on the machine's own addresses unless told otherwise. There it trusts whoever can connect, except web
//! pages; anywhere else it asks for a token.

mod ask;
mod config;
mod door;
mod events;
mod failure;
mod find;
mod json;
mod nodes;
mod problem;
mod query;
mod routes;
mod sagas;
mod serve;
#[cfg(test)]
mod tests;
pub mod view;

pub use config::{Config, ConfigError};
pub use events::Events;
pub use routes::Desks;
pub use serve::Admin;
