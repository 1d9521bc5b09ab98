//! What stands in for the host when a component's code runs natively, in tests: stores, published events and
//! variables of the current thread. Nothing here is part of a component.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
};

type Bytes = Vec<u8>;

/// The longest key, in bytes; the host has the same.
const LONGEST_KEY: usize = 1_024;

thread_local! {
    static STORES: RefCell<HashMap<String, BTreeMap<String, Bytes>>> = RefCell::default();
    static PUBLISHED: RefCell<Vec<(String, Bytes)>> = RefCell::default();
    static VARIABLES: RefCell<HashMap<String, String>> = RefCell::default();
}

/// Takes what was published on this thread since the last time, as (topic, CloudEvent).
pub fn take_published() -> Vec<(String, serde_json::Value)> {
    PUBLISHED
        .take()
        .into_iter()
        .map(|(topic, payload)| (topic, serde_json::from_slice(&payload).unwrap_or_default()))
        .collect()
}

/// Sets a variable for this thread.
pub fn set_variable(name: &str, value: &str) {
    VARIABLES.with_borrow_mut(|all| all.insert(name.to_owned(), value.to_owned()));
}

/// Runs `call` as one unit of work: if it answers an error, what it wrote and published never happened.
pub fn unit<T, E>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let stores = STORES.with_borrow(Clone::clone);
    let published = PUBLISHED.with_borrow(Vec::len);
    let result = call();
    if result.is_err() {
        STORES.set(stores);
        PUBLISHED.with_borrow_mut(|all| all.truncate(published));
    }
    result
}

pub(crate) fn variable(name: &str) -> Option<String> {
    VARIABLES.with_borrow(|all| all.get(name).cloned())
}

pub(crate) fn publish(topic: &str, payload: Bytes) {
    PUBLISHED.with_borrow_mut(|all| all.push((topic.to_owned(), payload)));
}

/// A bucket in memory. Its functions return results because the host's do.
#[derive(Debug)]
pub(crate) struct Bucket(String);

impl Bucket {
    pub(crate) fn open(label: &str) -> Result<Self, String> {
        Ok(Self(label.to_owned()))
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Bytes>, String> {
        check(key)?;
        Ok(self.with(|bucket| bucket.get(key).cloned()))
    }

    pub(crate) fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, String> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<(), String> {
        check(key)?;
        self.with(|bucket| bucket.insert(key.to_owned(), value.to_vec()));
        Ok(())
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), String> {
        check(key)?;
        self.with(|bucket| bucket.remove(key));
        Ok(())
    }

    pub(crate) fn exists(&self, key: &str) -> Result<bool, String> {
        check(key)?;
        Ok(self.with(|bucket| bucket.contains_key(key)))
    }

    pub(crate) fn keys(&self) -> Result<Vec<String>, String> {
        Ok(self.with(|bucket| bucket.keys().cloned().collect()))
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Bytes>) -> T) -> T {
        STORES.with_borrow_mut(|stores| work(stores.entry(self.0.clone()).or_default()))
    }
}

fn check(key: &str) -> Result<(), String> {
    if key.len() <= LONGEST_KEY {
        Ok(())
    } else {
        Err(format!(
            "a key of {} bytes; {LONGEST_KEY} are the most",
            key.len()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::Store;

    #[test]
    fn a_unit_that_fails_has_never_happened() {
        let store = Store::open("shelf");
        store.set("a", &1);
        let act = |result: Result<(), ()>| {
            unit(|| {
                store.set("a", &2);
                publish("topic", b"1".to_vec());
                result
            })
        };
        assert_eq!(act(Err(())), Err(()));
        assert_eq!(store.get("a"), Some(1));
        assert_eq!(take_published(), []);
        assert_eq!(act(Ok(())), Ok(()));
        assert_eq!(store.get("a"), Some(2));
        assert_eq!(take_published().len(), 1);
    }
}
