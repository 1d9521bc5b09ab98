//! The embedded store against the contract, the model, crashes, and full disks.

mod crash;
mod full;
mod model;
mod opening;
mod snapshots;

use std::sync::Arc;

use tempfile::TempDir;

use crate::{Config, Embedded, contract_suite};

contract_suite!(empty);

async fn empty() -> (Arc<Embedded>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Arc::new(Embedded::open(Config::new(directory.path())).unwrap()), directory)
}
