//! Compiles, links, limits and runs components; the only room that knows wasmtime.
//!
//! A call comes in as a [`Request`](skald_core::call::Request) with the unit of work it may read and write, and goes
//! out as an answer with that unit. Deadlines, retries and commits are not decided here: whoever wants a guest to stop
//! drops the future, and the guest stops at its next epoch tick, at most 10 ms later.
//!
//! A saga is run by [`Play`](skald_core::saga::play::Play) instead: in an instance of its own, from its beginning, with
//! nothing in reach but the [`Stage`](skald_core::saga::play::Stage) that answers it.

mod bindings;
mod cache;
mod config;
mod convert;
mod engine;
mod error;
mod exports;
mod flavour;
mod host;
mod idle;
mod limits;
mod link;
mod outbound;
mod run;
mod saga;
mod state;
mod stdio;
mod types;

pub use config::{Config, Isolation, Service, Spec};
pub use engine::{Compiled, Engine};
pub use error::{EngineError, LinkProblem};

#[cfg(test)]
mod tests;
