//! Finds the run that is meant: people type the first digits of an id, and not all of them.

use skald_core::saga::{
    RunId,
    desk::{Desk, DeskError},
    journal::Filter,
};

use crate::failure::Failure;

/// What all ids begin with, so that nobody has to type it.
const BEGIN: &str = "run_";

/// How many runs are named where several begin so.
const CANDIDATES: usize = 5;

/// The one run whose id is this, or begins so.
pub(crate) async fn run(desk: &dyn Desk, given: &str) -> Result<RunId, Failure> {
    let prefix = if given.starts_with(BEGIN) {
        given.to_owned()
    } else {
        format!("{BEGIN}{given}")
    };
    let filter = Filter {
        prefix: Some(prefix.clone()),
        limit: CANDIDATES,
        ..Filter::default()
    };
    let mut found: Vec<RunId> = desk
        .list(&filter)
        .await?
        .into_iter()
        .map(|summary| summary.run)
        .collect();
    match found.pop() {
        None => Err(DeskError::NoSuchRun(RunId::from(given)).into()),
        Some(run) if found.is_empty() => Ok(run),
        Some(last) => {
            found.push(last);
            Err(Failure::Ambiguous {
                given: given.to_owned(),
                candidates: found.iter().map(ToString::to_string).collect(),
            })
        }
    }
}
