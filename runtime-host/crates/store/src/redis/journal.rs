//! Journals of runs in Redis, as their owners append to them and read them.
//!
//! Runs are spread over buckets, each of which is a place of its own, so that the servers of a cluster share them. What a
//! server that lost its last writes still has is a beginning of each journal, with what the list said then: an owner who
//! goes on hears [`AppendError::Conflict`] with a place that it has passed already.

mod list;
mod row;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use bytes::Bytes;
use skald_core::{
    call::BoxFuture,
    saga::{
        RunId,
        journal::{Append, AppendError, Filter, Journal, Standing, Summary},
    },
    store::StoreError,
};

use self::row::{FIELDS, Row};
use super::{
    Redis,
    script::{Lazy, Script},
};

static APPEND: Lazy = Lazy::new(|| Script::writing(include_str!("journal/append.lua")));
static PURGE: Lazy = Lazy::new(|| Script::writing(include_str!("journal/purge.lua")));

/// Into how many buckets runs are spread. It is part of how data is laid out: a run is looked for in one of them.
const BUCKETS: usize = 16;

/// How long a purge is known, in milliseconds: longer than anybody waits for an answer.
const PURGE_IS_KNOWN: u32 = 600_000;

impl Journal for Redis {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move { self::append(self, &append).await })
    }

    fn entries<'a>(
        &'a self,
        run: &'a RunId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(entries(self, run, after, limit))
    }

    fn find<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Option<Summary>, StoreError>> {
        Box::pin(find(self, run))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(list::list(self, filter))
    }

    fn life(&self) -> u32 {
        self.link().life()
    }

    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(purge(self, run))
    }
}

async fn append(redis: &Redis, append: &Append) -> Result<(), AppendError> {
    let Append {
        sequence,
        entry,
        summary,
    } = append;
    let call = APPEND
        .on(&[bucket_of(redis, &summary.run)])
        .arg(summary.run.as_str())
        .arg(sequence)
        .arg(&**entry)
        .arg(&row::write(summary));
    let answer: Vec<String> = redis.link().call(call).await.map_err(StoreError::from)?;
    let words: Vec<&str> = answer.iter().map(String::as_str).collect();
    let number = |text: &str| {
        let why = || StoreError::Corrupt(format!("the journal of {} says {text}", summary.run));
        text.parse().map_err(|_| why())
    };
    match words.as_slice() {
        ["ok"] => Ok(()),
        ["fenced", epoch] => Err(AppendError::Fenced {
            epoch: number(epoch)?,
        }),
        ["conflict", expected] => Err(AppendError::Conflict {
            expected: number(expected)?,
        }),
        _ => Err(AppendError::Store(StoreError::Corrupt(format!(
            "a part of the journal of {} is missing; does the server evict keys?",
            summary.run
        )))),
    }
}

async fn entries(
    redis: &Redis,
    run: &RunId,
    after: u64,
    limit: usize,
) -> Result<Vec<Bytes>, StoreError> {
    // Redis counts from zero, and means the last one too.
    let first = i64::try_from(after).unwrap_or(i64::MAX);
    let Some(more) = limit.checked_sub(1) else {
        return Ok(Vec::new());
    };
    let last = first.saturating_add(i64::try_from(more).unwrap_or(i64::MAX));
    let journal = format!("{}:journal:{run}", bucket_of(redis, run));
    let mut command = redis::cmd("LRANGE");
    command.arg(journal).arg(first).arg(last);
    let entries: Vec<Vec<u8>> = redis.link().ask(&command).await?;
    Ok(entries.into_iter().map(Bytes::from).collect())
}

async fn find(redis: &Redis, run: &RunId) -> Result<Option<Summary>, StoreError> {
    let mut command = redis::cmd("HMGET");
    command
        .arg(format!("{}:run:{run}", bucket_of(redis, run)))
        .arg(&FIELDS);
    let row: Row = redis.link().ask(&command).await?;
    row::read(run, row)
}

async fn purge(redis: &Redis, run: &RunId) -> Result<bool, StoreError> {
    let ended = Standing::ALL.into_iter().filter(|one| one.is_end());
    let ended: Vec<_> = ended.map(Standing::as_str).collect();
    let token = RandomState::new().build_hasher().finish();
    let call = PURGE
        .on(&[bucket_of(redis, run)])
        .arg(run.as_str())
        .arg(token)
        .arg(PURGE_IS_KNOWN)
        .arg(&ended);
    Ok(redis.link().call(call).await?)
}

/// How all keys of a run's bucket begin.
fn bucket_of(redis: &Redis, run: &RunId) -> String {
    bucket(redis, number_of(run.as_str()) % BUCKETS)
}

/// How all keys of a bucket begin.
fn bucket(redis: &Redis, bucket: usize) -> String {
    redis.keys().place(&format!("$r{bucket}"))
}

/// FNV-1a with 32 bits: the same on every node and in every version.
fn number_of(run: &str) -> usize {
    let digits = run.bytes().fold(0x811c_9dc5_u32, |digits, byte| {
        (digits ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    usize::try_from(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests;
