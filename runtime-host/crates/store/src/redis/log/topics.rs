//! Which topics have ever been published in which place. They only become more.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::try_join_all;
use parking_lot::RwLock;
use skald_core::event::{Interest, NewEvent, Partition};
use tokio::time::Instant;

use crate::redis::{Redis, keys::OUTSIDE, link::Failure, places::Place};

/// How long what is known counts as all there is. A topic of which the first event was just published elsewhere is
/// found this much later at most.
const FRESH: Duration = Duration::from_secs(1);

/// Which topics have ever been published in which place.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    known: RwLock<BTreeMap<Place, HashSet<Arc<str>>>>,
    looked_at: RwLock<Option<Instant>>,
}

// === impl Topics ===

impl Topics {
    /// Notes what was just published in a place.
    pub(crate) fn note<'a>(&self, place: &Place, topics: impl Iterator<Item = &'a Arc<str>>) {
        for topic in topics {
            let is_known = |known: &HashSet<_>| known.contains(topic);
            if self.known.read().get(place).is_some_and(is_known) {
                continue;
            }
            let mut known = self.known.write();
            known
                .entry(Arc::clone(place))
                .or_default()
                .insert(Arc::clone(topic));
        }
    }

    /// The streams of the places in which anything was published that is wanted.
    pub(crate) async fn streams(
        &self,
        redis: &Redis,
        interest: &Interest,
    ) -> Result<Vec<Partition>, Failure> {
        self.look(redis).await?;
        let own = NewEvent::topic_for(&interest.group);
        let wanted = interest.topics.iter().chain([&own]);
        let found: Vec<Place> = {
            let known = self.known.read();
            let places = known
                .iter()
                .filter(|(_, topics)| wanted.clone().any(|topic| topics.contains(topic)));
            places.map(|(place, _)| Arc::clone(place)).collect()
        };
        if found.is_empty() {
            return Ok(streams(redis, [&Place::from(OUTSIDE)]));
        }
        Ok(streams(redis, &found))
    }

    /// The streams of the places in which anything was published.
    pub(crate) async fn all_streams(&self, redis: &Redis) -> Result<Vec<Partition>, Failure> {
        self.look(redis).await?;
        let known = self.known.read();
        Ok(streams(redis, known.keys()))
    }

    async fn look(&self, redis: &Redis) -> Result<(), Failure> {
        let is_fresh = |at: &Instant| at.elapsed() < FRESH;
        if self.looked_at.read().as_ref().is_some_and(is_fresh) {
            return Ok(());
        }
        redis.places().refresh(redis.link(), redis.keys()).await?;
        let asked = publishers(redis);
        let topics = try_join_all(asked.iter().map(async |place| {
            let mut command = redis::cmd("HKEYS");
            command.arg(format!("{}:topics", redis.keys().place(place)));
            redis.link().ask::<Vec<String>>(&command).await
        }))
        .await?;
        for (place, topics) in asked.iter().zip(topics) {
            let topics: Vec<Arc<str>> = topics.into_iter().map(Arc::from).collect();
            self.note(place, topics.iter());
        }
        *self.looked_at.write() = Some(Instant::now());
        Ok(())
    }
}

/// All places in which anything can be published.
pub(crate) fn publishers(redis: &Redis) -> BTreeSet<Place> {
    let mut places = redis.places().all();
    places.insert(OUTSIDE.into());
    places.insert(crate::redis::keys::HOST.into());
    places
}

fn streams<'a>(redis: &Redis, places: impl IntoIterator<Item = &'a Place>) -> Vec<Partition> {
    let of = |place: &'a Place| {
        (0..redis.places().shards).map(move |shard| Partition::from(format!("{place}/{shard}")))
    };
    places.into_iter().flat_map(of).collect()
}
