//! Where units of work, events and journals are kept: the adapters of the ports in
//! `skald_core::{store, event, saga::journal}`.
//!
//! [`Embedded`] keeps them in one SQLite file, [`redis::Redis`] where several nodes share them. A store knows nothing of components, calls or deliveries: what a
//! conflict or a failed delivery leads to is decided elsewhere.

mod apply;
mod archive;
mod books;
mod checkpoint;
mod claim;
mod config;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod embedded;
mod error;
mod journal;
mod log;
mod reader;
pub mod redis;
mod rows;
mod schema;
mod session;
mod work;
mod writer;

pub use crate::{claim::claim, config::Config, embedded::Embedded, error::OpenError};

#[cfg(test)]
mod tests;
