//! The embedded store against the contract, the models, crashes, and full disks.

mod crash;
mod full;
mod journals;
pub(crate) mod model;
mod opening;
mod snapshots;

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use tempfile::TempDir;

use crate::{Config, Embedded, contract_suite};

contract_suite!(empty);

async fn empty() -> (Arc<Embedded>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (
        Arc::new(Embedded::open(Config::new(directory.path())).unwrap()),
        directory,
    )
}

/// Polls a future once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    poll_fn(|context| match Pin::new(&mut *future).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
