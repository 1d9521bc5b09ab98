//! The road that every call takes, whoever makes it: one stack of policies around each component.
//!
//! From the outside in (`stack.rs` has the reasons for the order):
//!
//! ```text
//! Mesh          finds the target, fixes the deadline, begins a span of the trace
//!   WithSpan      says what was asked and how it ended
//!   WithRetry     asks again where that can do no harm
//!   WithBreaker   leaves a failing component alone
//!   WithBulkhead  bounds how many calls run and wait
//!   WithUnit      all or nothing: commits, re-runs on conflict, answers a repeated key again
//!   WithDeadline  interrupts the guest
//!     Run           the engine
//! ```
//!
//! It deliberately knows neither wasm nor a database: the engine and the store are ports of `core`.

pub mod breaker;
mod bulkhead;
mod deadline;
pub mod mesh;
pub mod retry;
mod span;
mod stack;
mod unit;

pub use self::mesh::{Config, Mesh, Target};

#[cfg(test)]
mod world;
