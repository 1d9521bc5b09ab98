//! A commit: one unit of work, sent as often as it takes, with one effect.

use std::{sync::Arc, time::SystemTime};

use skald_core::store::{Change, CommitError, StoreError};

use super::unit::Unit;
use crate::redis::{Redis, link::Class, places::Place};

pub(super) async fn commit(
    redis: &Redis,
    own: &Place,
    change: Change,
    now: SystemTime,
) -> Result<(), CommitError> {
    let unit = Arc::new(Unit::new(redis, own, &change, now).await?);
    let verdict = match (
        redis.batches().commit(redis, own, unit).await,
        &change.inbox,
    ) {
        // The delivery finds out that its generation is over, and what of it is handled here.
        (Err(failure), Some(mark)) if failure.class == Class::Past => {
            return Err(CommitError::AlreadyHandled(mark.clone()));
        }
        (verdict, _) => verdict.map_err(StoreError::from)?,
    };
    if verdict == [0] {
        let topics = change.events.iter().map(|event| &event.topic);
        redis.topics_known().note(own, topics);
    }
    outcome(&verdict, change)
}

fn outcome(verdict: &[usize], change: Change) -> Result<(), CommitError> {
    match (verdict, change.inbox) {
        ([0], _) => Ok(()),
        ([2], Some(mark)) => Err(CommitError::AlreadyHandled(mark)),
        // Refused before, and what it was refused for is gone again: any of what it read will do.
        ([1, number], _) => match change.reads.into_iter().nth(number.saturating_sub(1)) {
            Some((subject, _)) => Err(CommitError::Conflict(subject)),
            None => Err(unknown(verdict)),
        },
        _ => Err(unknown(verdict)),
    }
}

fn unknown(verdict: &[usize]) -> CommitError {
    StoreError::Corrupt(format!("a commit was answered with {verdict:?}")).into()
}
