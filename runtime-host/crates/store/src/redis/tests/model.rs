//! Random interleavings of units against a few maps.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::{collection::vec, prelude::*};
use test_redis::Cluster;
use tokio::runtime::Runtime;

use super::{Whole, address, server};
use crate::{contract::model::agrees, tests::model::step};

/// As many as `PROPTEST_CASES` says, or else few: each case has a round trip for each key after each step.
fn cases(few: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let is_told = default.cases != 256;
    ProptestConfig {
        cases: if is_told { default.cases } else { few },
        failure_persistence: None,
        ..default
    }
}

/// Compares with the model what random steps do, each time as another application of the same servers.
fn agree(url: &str, few: u32) {
    let runtime = Runtime::new().unwrap();
    let case = AtomicU32::new(0);
    proptest!(cases(few), |(steps in vec(step(), 1..60))| {
        let application = case.fetch_add(1, Ordering::Relaxed).to_string();
        runtime.block_on(async {
            agrees(&Whole::open(&application, url).await, &steps).await;
        });
    });
}

#[test]
fn a_server_does_what_the_model_does() {
    agree(&server().url(), 24);
}

#[test]
fn a_cluster_does_what_the_model_does() {
    agree(&address(&Cluster::start(3).unwrap()), 6);
}
