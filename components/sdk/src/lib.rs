//! What the shop's components share: a typed store, events, REST, ids and the scope of a saga.
//!
//! Nothing here knows a business rule. Modules that talk to the host do so behind `cfg(target_family = "wasm")`;
//! natively the same functions work in memory ([`memory`]), so that a component's routes and handlers are tested as
//! ordinary Rust, without a host and without compiling any binding.
//!
//! # How a component is put together
//!
//! `lib.rs` has `pub mod domain;` (rules on values), whatever modules load, decide and save, and
//! `#[cfg(target_family = "wasm")] mod glue;`, which is the only place with bindings. Three generators meet there:
//!
//! ```ignore
//! mod bindings {
//!     // The contract: `path` is relative to the component's own Cargo.toml; the world is the package's.
//!     wit_bindgen::generate!({ path: "../../wit/catalog", world: "catalog" });
//! }
//!
//! struct Component;
//! impl bindings::exports::shop::catalog::api::Guest for Component { /* translate, ask, translate back */ }
//!
//! // The one place where unsafe is expected: these macros declare the symbols that the host calls.
//! #[expect(unsafe_code, reason = "the symbols that the host calls")]
//! mod export {
//!     use super::{Component, bindings};
//!
//!     bindings::export!(Component with_types_in bindings);
//!
//!     #[spin_sdk::redis_subscriber]
//!     async fn receive(message: Vec<u8>) -> Result<(), sdk::events::HandlerError> {
//!         crate::subscriber::receive(&message)
//!     }
//! }
//!
//! // This macro calls one of another crate and may stand anywhere.
//! #[spin_sdk::http_service]
//! async fn serve(request: spin_sdk::http::Request) -> sdk::rest::Outgoing {
//!     sdk::rest::serve(request, crate::routes::answer).await
//! }
//! ```
//!
//! spin-sdk brings its own copy of wit-bindgen (0.57); ours is a newer one. Both may be linked into one component:
//! each `generate!` leaves the world it knows in a custom section and the linker merges the sections, so the component
//! exports the union (`wasi:http/handler@0.3.0`, `spin:redis/inbound-redis@3.0.0` and the contract). Imports that no
//! code reaches are dropped again, so a component that never publishes does not import a Redis client.
//! Contracts that are *called* use the same `generate!` with several folders in `path` and `generate_all`.
//! Handlers are `async` for spin-sdk only; everything behind them is plain functions, because contract functions must
//! not await (see [`events::publish`]).

#[cfg(target_family = "wasm")]
mod bindings;
pub mod clock;
pub mod events;
#[cfg(target_family = "wasm")]
pub mod http_client;
pub mod ids;
pub mod kv;
#[cfg(not(target_family = "wasm"))]
pub mod memory;
pub mod rest;
pub mod saga;
pub mod variables;

use std::io::Write as _;

/// Gives the call up because something below it does not work: the reason goes to standard error, then the instance traps.
///
/// The host undoes what the call has done so far and may try again; a business refusal is never signalled like this.
pub fn unavailable(reason: &str) -> ! {
    // There is nobody left to tell if standard error is closed.
    let _ = writeln!(std::io::stderr(), "unavailable: {reason}");
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_family = "wasm"))]
    std::process::abort();
}
