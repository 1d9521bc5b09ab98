//! audit: a record of every business event, to which entries are added and in which none can be changed, taken out or put in
//! without being found out. Who may read it stands in the manifest.

pub mod domain;
#[cfg(target_family = "wasm")]
mod glue;
pub mod record;
pub mod routes;
pub mod subscriber;
