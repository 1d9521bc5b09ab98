//! The gateway: lets the public in. Routes, limits, identity, and every failure as a problem that people can act on.
//!
//! It knows HTTP and tokens, and carries each request to a component through the port `DynCall`. It deliberately knows
//! no wasm, no store and no business rule: it neither reads nor writes the bodies that pass.

mod auth;
mod body;
mod config;
mod failure;
mod forward;
mod gateway;
mod health;
mod idempotency;
mod path;
mod prefer;
mod problem;
mod respond;
mod serve;
#[cfg(test)]
mod testing;
mod trace;

pub use config::{Auth, ComponentTarget, Config, ConfigError, Jwks, Limits, Target};
pub use gateway::Gateway;
