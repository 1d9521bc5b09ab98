//! Proves the whole from outside: starts the host as people start it, and talks to it over HTTP.
//!
//! Nothing here knows a crate of the host. The tests themselves are in `tests/it`; ill-behaved components in `guests`.

pub mod client;
pub mod command;
pub mod host;
pub mod places;
pub mod redact;
pub mod saga;
pub mod shopper;
pub mod soak;
pub mod waiting;

pub use client::{Answer, Client};
pub use command::{Output, skald};
pub use host::Host;
pub use saga::Sagas;
pub use shopper::{Order, Shopper};
