//! Writes the companions of a contract: the WIT through which a saga uses a service otherwise than by plain calls.
//!
//! For an interface `api`, `api-undo` registers calls to be made if the run is rolled back, and `api-start` begins calls
//! without waiting for them. Contract in, text out: nothing here knows the host that serves the companions.

mod contract;
mod error;
mod files;
mod names;
mod plain;
mod resolved;
mod service;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

use wit_parser::{PackageId, Resolve};

use self::service::Service;
pub use self::{
    error::{Collision, CompanionError, Problem},
    files::{Change, Stale, Staleness, Written, check, write},
};

/// The companions of one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companions {
    /// The contract they are made from: `shop:payments@1.0.0`.
    pub contract: String,
    /// Their own package: `shop:payments-saga@1.0.0`.
    pub package: String,
    /// Where they belong, below the folder of all companions: `payments/payments-saga.wit`.
    pub file: PathBuf,
    /// The WIT.
    pub text: String,
}

/// The companions of the contract at `path`, a folder or a file.
///
/// Other packages that the contract mentions are looked for in a folder `deps` of its own, beside it, and in a folder
/// `deps` beside it.
pub fn companions(path: &Path) -> Result<Companions, CompanionError> {
    let made = contract::load(path).and_then(|(resolve, package)| generate(&resolve, package));
    made.map_err(|problem| problem.at(path))
}

/// The companions of a contract that is parsed already.
fn generate(resolve: &Resolve, package: PackageId) -> Result<Companions, Problem> {
    let service = Service::of(resolve, package)?;
    let name = &service.package.name;
    Ok(Companions {
        contract: service.package.to_string(),
        package: names::companion(service.package).to_string(),
        file: PathBuf::from(name).join(format!("{name}-saga.wit")),
        text: text::write(&service),
    })
}
