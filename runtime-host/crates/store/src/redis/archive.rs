//! The log for people and chores.

mod letters;
mod trim;

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use futures_util::future::try_join_all;
use skald_core::{
    call::BoxFuture,
    event::{
        Book, DeadLetter, Event, Interest, NewEvent, Partition,
        archive::{Archive, Behind, Keep, LetterId, Letters, Topic},
    },
    store::StoreError,
};

use crate::redis::{
    Redis,
    keys::micros,
    link::Failure,
    log::{
        stream::{Range, Stream, beyond, id, number, read_time, scan},
        topics::publishers,
    },
    script::{Lazy, Script},
};

static BEFORE: Lazy = Lazy::new(|| Script::reading(include_str!("archive/before.lua")));
static BEHIND: Lazy = Lazy::new(|| Script::reading(include_str!("archive/behind.lua")));

impl Archive for Redis {
    fn topics(&self) -> BoxFuture<'_, Result<Vec<Topic>, StoreError>> {
        Box::pin(async { Ok(topics(self).await?) })
    }

    fn parts(&self) -> BoxFuture<'_, Result<Vec<Partition>, StoreError>> {
        Box::pin(async { Ok(self.topics_known().all_streams(self).await?) })
    }

    fn page<'a>(
        &'a self,
        partition: &'a Partition,
        topics: &'a [Arc<str>],
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        Box::pin(async move {
            let range = Range {
                partition,
                after,
                limit,
            };
            let is_wanted =
                |topic: &str| topics.is_empty() || topics.iter().any(|one| **one == *topic);
            Ok(scan(self, range, is_wanted).await?.events)
        })
    }

    fn before<'a>(
        &'a self,
        partition: &'a Partition,
        at: SystemTime,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(before(self, partition, at).await?) })
    }

    fn behind<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Behind, StoreError>> {
        Box::pin(async move { Ok(behind(self, partition, interest).await?) })
    }

    fn dead_letters<'a>(
        &'a self,
        asked: &'a Letters,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, StoreError>> {
        Box::pin(async move { Ok(letters::list(self, asked).await?) })
    }

    fn dead_letter<'a>(
        &'a self,
        id: &'a LetterId,
    ) -> BoxFuture<'a, Result<Option<DeadLetter>, StoreError>> {
        Box::pin(async move { Ok(letters::find(self, id).await?) })
    }

    fn redrive<'a>(
        &'a self,
        id: &'a LetterId,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Ok(letters::redrive(self, id, now).await?) })
    }

    fn discard<'a>(&'a self, id: &'a LetterId) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Ok(letters::discard(self, id).await?) })
    }

    fn rewind<'a>(&'a self, book: &'a Book, to: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { Ok(self.send_back(book, to).await?) })
    }

    fn trim<'a>(
        &'a self,
        partition: &'a Partition,
        keep: Keep,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(trim::trim(self, partition, keep).await?) })
    }
}

/// What was published in each place, together. An event that was published again for one subscriber is no new one.
async fn topics(redis: &Redis) -> Result<Vec<Topic>, Failure> {
    redis.places().refresh(redis.link(), redis.keys()).await?;
    let places = publishers(redis);
    let counts = try_join_all(places.iter().map(async |place| {
        let mut command = redis::cmd("HGETALL");
        command.arg(format!("{}:topics", redis.keys().place(place)));
        redis.link().ask::<BTreeMap<String, u64>>(&command).await
    }))
    .await?;
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (topic, count) in counts.into_iter().flatten() {
        *sums.entry(topic).or_default() += count;
    }
    let public = |(name, published): (String, u64)| {
        (!NewEvent::is_for_one(&name)).then(|| Topic {
            name: name.into(),
            published,
        })
    };
    Ok(sums.into_iter().filter_map(public).collect())
}

async fn before(redis: &Redis, partition: &Partition, at: SystemTime) -> Result<u64, Failure> {
    let Stream { place, shard } = Stream::of(partition)?;
    let call = BEFORE
        .on(&[redis.keys().place(&place)])
        .arg(&*shard)
        .arg(micros(at));
    let found: Option<String> = redis.link().call(call).await?;
    found.map_or(Ok(0), |id| number(&id))
}

async fn behind(
    redis: &Redis,
    partition: &Partition,
    interest: &Interest,
) -> Result<Behind, Failure> {
    let book = Book {
        group: Arc::clone(&interest.group),
        partition: Arc::clone(partition),
    };
    let progress = redis.read_book(&book).await?;
    let Stream { place, shard } = Stream::of(partition)?;
    let own = NewEvent::topic_for(&interest.group);
    let mut from = beyond(progress.cursor);
    let mut behind = Behind::default();
    loop {
        let mut call = BEHIND
            .on(&[redis.keys().place(&place)])
            .arg(&*shard)
            .arg(&from)
            .arg(interest.topics.len() + 1)
            .arg(&*own);
        interest.topics.iter().for_each(|topic| call.push(&**topic));
        progress
            .handled
            .iter()
            .for_each(|done| call.push(id(*done)));
        let (count, oldest, next): (u64, Option<String>, Option<String>) =
            redis.link().call(call).await?;
        behind.messages += count;
        let oldest = oldest.as_deref().map(read_time).transpose()?;
        behind.oldest = [behind.oldest, oldest].into_iter().flatten().min();
        match next {
            Some(next) => from = next,
            None => return Ok(behind),
        }
    }
}
