//! The interfaces that the host offers beside WASI. Each checks what the manifest grants, whatever the guest says.

pub(crate) mod caller;
pub(crate) mod keyvalue;
pub(crate) mod redis;
pub(crate) mod variables;

use crate::error::Stop;

/// Why a guest's host call ends the guest.
fn stop(error: impl Into<Stop>) -> wasmtime::Error {
    wasmtime::Error::new(error.into())
}
