//! How far behind subscribers are, in messages and in seconds.

use std::{sync::Arc, time::SystemTime};

use axum::extract::State;
use skald_core::{
    event::{Book, Interest, Partition, archive::Letters},
    saga::record::micros,
    store::StoreError,
};
use skald_telemetry::clock;

use super::{Asked, Events};
use crate::{
    json::{Answer, Json},
    query::{Given, Words},
    view::{Lag, Number, Page, Share},
};

/// More dead letters are not counted.
const LETTERS: usize = 1_000;

/// `GET /admin/v1/lag`.
pub(super) async fn lag(State(events): Asked, query: Given) -> Answer<Page<Lag>> {
    let words = Words::known(query, &["subscriber"])?;
    let asked: Vec<&Interest> = match words.one("subscriber") {
        Some(name) => vec![events.interest(name)?],
        None => events.interests.iter().collect(),
    };
    let now = clock::now();
    let mut items = Vec::with_capacity(asked.len());
    for interest in asked {
        items.push(events.lag(interest, now).await?);
    }
    Ok(Json(Page { items, next: None }))
}

impl Events {
    async fn lag(&self, interest: &Interest, now: SystemTime) -> Result<Lag, StoreError> {
        let mut partitions = Vec::new();
        for partition in self.log.partitions(interest).await? {
            partitions.push(self.share(interest, partition, now).await?);
        }
        let letters = Letters {
            group: Some(Arc::clone(&interest.group)),
            after: None,
            limit: LETTERS,
        };
        Ok(Lag {
            subscriber: interest.group.to_string(),
            messages: partitions.iter().map(|share| share.messages).sum(),
            seconds: partitions.iter().map(|one| one.seconds).max().unwrap_or(0),
            retrying: partitions.iter().map(|share| share.retrying).sum(),
            dead_letters: self.archive.dead_letters(&letters).await?.len(),
            partitions,
        })
    }

    async fn share(
        &self,
        interest: &Interest,
        partition: Partition,
        now: SystemTime,
    ) -> Result<Share, StoreError> {
        let behind = self.archive.behind(&partition, interest).await?;
        let book = Book {
            group: Arc::clone(&interest.group),
            partition,
        };
        let progress = self.log.progress(&book).await?;
        let age = behind.oldest.map(|at| now.duration_since(at));
        Ok(Share {
            partition: book.partition.to_string(),
            messages: behind.messages,
            seconds: age.and_then(Result::ok).unwrap_or_default().as_secs(),
            oldest_at: behind.oldest.map(micros),
            retrying: u64::try_from(progress.failures.len()).unwrap_or(u64::MAX),
            cursor: Number(progress.cursor),
        })
    }
}
