//! The store that several nodes share: Redis 7, as one server, behind Sentinel, or as a cluster.
//!
//! What commits together lies in one *place*: all its keys have the same hash tag, and a script does the commit as one
//! step. A component has one place for its stores, its events and its books as a subscriber.

mod address;
mod archive;
mod books;
mod config;
mod doctor;
mod error;
mod journal;
mod keys;
mod link;
mod log;
mod nodes;
mod places;
mod script;
mod state;
mod watch;

use std::{fmt, sync::Arc};

pub use self::{
    address::{Address, NoAddress},
    config::{Config, Granted},
    doctor::{Doctor, Finding, Report, Stake, Verdict},
    error::OpenError,
    watch::{Notice, Watch},
};
use self::{
    keys::Keys,
    link::{Failure, Link},
    log::topics::Topics,
    places::{Place, Places},
    state::{Answered, Batches},
};

/// State, events and journals in Redis. Cheap to clone.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    link: Link,
    keys: Keys,
    places: Places,
    answered: Answered,
    batches: Batches,
    topics: Topics,
    keeps_all: bool,
}

// === impl Redis ===

impl Redis {
    /// Finds the servers, and the places of what the application has.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let link = Link::open(&config).await?;
        doctor::admit(&link).await?;
        let keys = Keys::new(&config.application);
        let places = Places::open(&link, &keys, &config).await?;
        Ok(Self(Arc::new(Inner {
            link,
            keys,
            places,
            answered: Answered::new(),
            batches: Batches::default(),
            keeps_all: config.keeps_all,
            topics: Topics::default(),
        })))
    }

    /// Whether the servers lose nothing that they have answered, as far as whoever opened it knows.
    pub(crate) fn keeps_all(&self) -> bool {
        self.0.keeps_all
    }

    pub(crate) fn link(&self) -> &Link {
        &self.0.link
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn places(&self) -> &Places {
        &self.0.places
    }

    pub(crate) fn answered(&self) -> &Answered {
        &self.0.answered
    }

    pub(crate) fn batches(&self) -> &Batches {
        &self.0.batches
    }

    pub(crate) fn topics_known(&self) -> &Topics {
        &self.0.topics
    }

    /// The place of a component.
    pub(crate) async fn place_of(&self, component: &Arc<str>) -> Result<Place, Failure> {
        self.places().of(component, self.link(), self.keys()).await
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
