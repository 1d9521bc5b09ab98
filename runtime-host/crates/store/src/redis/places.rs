//! Which place the data of each component and each store lies in.
//!
//! A place is decided once and kept: a component that is renamed, and is granted the same stores, finds its data.
//! Components that share a store share a place.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::RwLock;
use redis::{FromRedisValue, ParsingError, Value};

use crate::redis::{
    config::{Config, Granted},
    error::OpenError,
    keys::{HOST, Keys},
    link::{Failure, Link},
    script::{Lazy, Script},
};

static SCRIPT: Lazy = Lazy::new(|| Script::writing(include_str!("places.lua")));

/// The name of a place.
pub(crate) type Place = Arc<str>;

/// Which place the data of each component and each store lies in.
#[derive(Debug)]
pub(crate) struct Places {
    known: RwLock<Known>,
    /// Into how many streams each place divides its events.
    pub(crate) shards: u32,
}

#[derive(Clone, Debug, Default)]
struct Known {
    components: BTreeMap<Arc<str>, Place>,
    stores: BTreeMap<Arc<str>, Place>,
}

/// Components that share stores, and those stores.
#[derive(Debug, Default)]
struct Group {
    components: Vec<Arc<str>>,
    stores: BTreeSet<Arc<str>>,
}

enum Answer {
    Found { shards: u32, known: Known },
    Spread(OpenError),
}

// === impl Places ===

impl Places {
    pub(crate) async fn open(link: &Link, keys: &Keys, config: &Config) -> Result<Self, OpenError> {
        let groups = groups(&config.components);
        match ask(link, keys, config.shards.get(), &groups).await? {
            Answer::Found { shards, known } => Ok(Self {
                known: RwLock::new(known),
                shards,
            }),
            Answer::Spread(error) => Err(error),
        }
    }

    /// The place of a component, also of one that has just been heard of.
    pub(crate) async fn of(
        &self,
        component: &Arc<str>,
        link: &Link,
        keys: &Keys,
    ) -> Result<Place, Failure> {
        if component.starts_with('$') {
            return Ok(Arc::clone(component));
        }
        if let Some(place) = self.known.read().components.get(component) {
            return Ok(Arc::clone(place));
        }
        let alone = Group {
            components: vec![Arc::clone(component)],
            ..Group::default()
        };
        if let Answer::Found { known, .. } = ask(link, keys, self.shards, &[alone]).await? {
            *self.known.write() = known;
        }
        let known = self.known.read();
        let place = known.components.get(component);
        place
            .cloned()
            .ok_or_else(|| Failure::corrupt(format!("{component} has no place")))
    }

    /// The place of a store, as far as it was granted to anybody.
    pub(crate) fn of_store(&self, store: &str) -> Option<Place> {
        self.known.read().stores.get(store).cloned()
    }

    /// Looks whether other nodes have made more places.
    pub(crate) async fn refresh(&self, link: &Link, keys: &Keys) -> Result<(), Failure> {
        if let Answer::Found { known, .. } = ask(link, keys, self.shards, &[]).await? {
            *self.known.write() = known;
        }
        Ok(())
    }

    /// All components that were ever heard of.
    pub(crate) fn components(&self) -> Vec<Arc<str>> {
        self.known.read().components.keys().cloned().collect()
    }

    /// All places of components.
    pub(crate) fn all(&self) -> BTreeSet<Place> {
        let known = self.known.read();
        known.components.values().cloned().collect()
    }
}

async fn ask(link: &Link, keys: &Keys, shards: u32, groups: &[Group]) -> Result<Answer, Failure> {
    let mut call = SCRIPT
        .on(&[keys.place(HOST)])
        .arg(shards)
        .arg(u8::from(link.is_cluster()));
    for group in groups {
        call.push(group.components.len());
        group.components.iter().for_each(|name| call.push(&**name));
        call.push(group.stores.len());
        group.stores.iter().for_each(|name| call.push(&**name));
    }
    link.call(call).await
}

/// Puts those together that share a store, in the order in which they are named.
fn groups(granted: &[Granted]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for Granted { component, stores } in granted {
        let mut joined = Group::default();
        let shares = |group: &Group| stores.iter().any(|store| group.stores.contains(store));
        for group in groups.extract_if(.., |group| shares(group)) {
            joined.components.extend(group.components);
            joined.stores.extend(group.stores);
        }
        joined.components.push(Arc::clone(component));
        joined.stores.extend(stores.iter().cloned());
        groups.push(joined);
    }
    groups
}

// === impl Answer ===

impl FromRedisValue for Answer {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        if let Ok((-1, component, its, store, others)) =
            <(i64, String, String, String, String)>::from_redis_value_ref(&value)
        {
            return Ok(Self::Spread(OpenError::Spread {
                component,
                store,
                places: (its, others),
            }));
        }
        let (shards, all) = <(u32, BTreeMap<String, String>)>::from_redis_value(value)?;
        let mut known = Known::default();
        for (field, place) in all {
            let place = Place::from(place);
            match field.split_at_checked(2) {
                Some(("c:", name)) => known.components.insert(name.into(), place),
                Some(("s:", name)) => known.stores.insert(name.into(), place),
                _ => None,
            };
        }
        Ok(Self::Found { shards, known })
    }
}

#[cfg(test)]
mod tests {
    use super::{Granted, groups};

    fn granted(component: &str, stores: &[&str]) -> Granted {
        Granted {
            component: component.into(),
            stores: stores.iter().map(|name| (*name).into()).collect(),
        }
    }

    #[test]
    fn components_that_share_a_store_share_a_place() {
        let all = [
            granted("a", &["x"]),
            granted("b", &["y"]),
            granted("c", &[]),
            granted("d", &["x", "y"]),
        ];
        let found: Vec<_> = groups(&all)
            .into_iter()
            .map(|group| group.components.join(" "))
            .collect();
        assert_eq!(found, ["c", "a b d"]);
    }
}
