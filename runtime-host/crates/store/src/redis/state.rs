//! State, as one component sees it.

mod answered;
mod batch;
mod commit;
mod unit;
mod view;

use std::{sync::Arc, time::SystemTime};

use skald_core::{
    call::BoxFuture,
    store::{Change, CommitError, Label, Snapshot, Store, StoreError, Subject},
};

use redis::Cmd;

use self::view::View;
pub(super) use self::{answered::Answered, batch::Batches, unit::digest};
use crate::redis::{Redis, places::Place};

/// What a component reads and commits, in its place.
struct Component {
    redis: Redis,
    name: Arc<str>,
}

impl Redis {
    /// The store as a component sees it: what it publishes, and what belongs to no one store, lies in its place.
    pub fn of(&self, component: &str) -> Arc<dyn Store> {
        Arc::new(Component {
            redis: self.clone(),
            name: component.into(),
        })
    }
}

// === impl Component ===

impl Store for Component {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        Box::pin(async {
            let place = self.redis.place_of(&self.name).await?;
            let view = View::new(self.redis.clone(), place);
            Ok(Box::new(view) as Box<dyn Snapshot>)
        })
    }

    fn commit(&self, change: Change, now: SystemTime) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            let place = self
                .redis
                .place_of(&self.name)
                .await
                .map_err(StoreError::from)?;
            commit::commit(&self.redis, &place, change, now).await
        })
    }
}

/// The places that one script touches, numbered as Lua counts them.
#[derive(Debug)]
struct Touched(Vec<Place>);

// === impl Touched ===

impl Touched {
    /// Adds a place, if it is new, and answers with its number.
    fn number(&mut self, place: &Place) -> usize {
        let found = self.0.iter().position(|one| one == place);
        let index = found.unwrap_or_else(|| {
            self.0.push(Arc::clone(place));
            self.0.len() - 1
        });
        index + 1
    }

    fn keys(&self, redis: &Redis) -> Vec<String> {
        let keys = self.0.iter().map(|place| redis.keys().place(place));
        keys.collect()
    }
}

/// The place of a store as a component in `own` sees it: the host's stores lie with whoever writes to them.
fn place_of_store(redis: &Redis, own: &Place, store: &Label) -> Place {
    if store.starts_with('$') {
        return Arc::clone(own);
    }
    let granted = redis.places().of_store(store);
    granted.unwrap_or_else(|| Arc::clone(own))
}

/// Adds a subject and the version that was seen: kind, number of the place, store, name, version.
fn push_subject(arguments: &mut Cmd, place: usize, subject: &Subject, seen: u64) {
    match subject {
        Subject::Key(key) => arguments
            .arg("k")
            .arg(place)
            .arg(&*key.store)
            .arg(&*key.name),
        Subject::Keys(store) => arguments.arg("s").arg(place).arg(&**store),
    };
    arguments.arg(seen);
}

fn store_of(subject: &Subject) -> &Label {
    match subject {
        Subject::Key(key) => &key.store,
        Subject::Keys(store) => store,
    }
}
