//! Deletes the answers kept for clients' keys and for steps of sagas when they are too old to be asked for again.

use std::{sync::Arc, time::SystemTime};

use skald_core::store::{Change, CommitError, Key, Label, Store, StoreError, Subject};

use super::{idempotency, steps};

/// Records looked at in one step: a few milliseconds of reading, and one commit.
const STEP: usize = 500;

/// Whether a record is of no more use.
type IsExpired = fn(&[u8], SystemTime) -> bool;

/// Where records are.
const SHELVES: [(&str, IsExpired); 2] = [
    (idempotency::LABEL, idempotency::is_expired),
    (steps::LABEL, steps::is_expired),
];

/// Deletes what has expired; answers how many records that were.
pub(crate) async fn sweep(store: &dyn Store, now: SystemTime) -> Result<usize, StoreError> {
    let mut deleted = 0;
    for (label, is_expired) in SHELVES {
        deleted += shelf(store, &label.into(), is_expired, now).await?;
    }
    Ok(deleted)
}

async fn shelf(
    store: &dyn Store,
    label: &Label,
    is_expired: IsExpired,
    now: SystemTime,
) -> Result<usize, StoreError> {
    let (mut after, mut deleted) = (None, 0);
    loop {
        let names = store
            .snapshot()
            .await?
            .keys(label, after.as_deref(), STEP)
            .await?;
        let expired = expired(store, label, &names, |record| is_expired(record, now)).await?;
        deleted += expired.writes.len();
        if !expired.is_empty() {
            commit(store, expired, now).await?;
        }
        if names.len() < STEP {
            return Ok(deleted);
        }
        after = names.last().cloned();
    }
}

/// The deletions, each on condition that the record is as it was seen: a key may be used anew at any moment.
async fn expired(
    store: &dyn Store,
    label: &Label,
    names: &[Arc<str>],
    is_expired: impl Fn(&[u8]) -> bool,
) -> Result<Change, StoreError> {
    let mut change = Change::default();
    let mut snapshot = store.snapshot().await?;
    for name in names {
        let key = Key {
            store: Arc::clone(label),
            name: Arc::clone(name),
        };
        let seen = snapshot.get(&key).await?;
        if seen.value.is_some_and(|record| is_expired(&record)) {
            change.reads.push((Subject::Key(key.clone()), seen.version));
            change.writes.push((key, None));
        }
    }
    Ok(change)
}

async fn commit(store: &dyn Store, change: Change, now: SystemTime) -> Result<(), StoreError> {
    match store.commit(change, now).await {
        Err(CommitError::Store(error)) => Err(error),
        // One of them was used anew; the next sweep finds the others.
        Ok(()) | Err(CommitError::Conflict(_) | CommitError::AlreadyHandled(_)) => Ok(()),
    }
}
