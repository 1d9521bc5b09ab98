//! The vocabulary of the host, the ports its rooms meet at, and every decision that needs no I/O.
//!
//! It deliberately knows no runtime, no database, no HTTP server and no wasm engine: time, randomness and
//! storage come in as arguments or through the ports.

pub mod call;
pub mod context;
pub mod event;
pub mod hex;
pub mod manifest;
pub mod node;
pub mod route;
pub mod run;
pub mod saga;
pub mod store;
pub mod unit;
pub mod value;
