//! A key-value store of typed JSON documents.
//!
//! A store that does not answer, refuses, or holds something unreadable is infrastructure: the call traps
//! ([`crate::unavailable`]) and the host undoes it. So nothing here returns an error.

#[cfg(target_family = "wasm")]
mod host;

use serde::{Serialize, de::DeserializeOwned};

#[cfg(target_family = "wasm")]
use host as backend;

#[cfg(not(target_family = "wasm"))]
use crate::memory as backend;

/// An open store.
#[derive(Debug)]
pub struct Store {
    label: String,
    bucket: backend::Bucket,
}

impl Store {
    /// Opens the store with this label; the manifest has to grant it.
    pub fn open(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            bucket: settle(label, "opening", backend::Bucket::open(label)),
        }
    }

    /// The document under `key`, if there is one.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let bytes = settle(&self.label, key, self.bucket.get(key))?;
        Some(self.decode(key, &bytes))
    }

    /// The documents under `keys`, in their order; one question to the host.
    pub fn get_many<T: DeserializeOwned>(&self, keys: &[String]) -> Vec<Option<T>> {
        settle(&self.label, "many keys", self.bucket.get_many(keys))
            .into_iter()
            .zip(keys)
            .map(|(bytes, key)| bytes.map(|bytes| self.decode(key, &bytes)))
            .collect()
    }

    /// Writes the document under `key`.
    pub fn set<T: Serialize + ?Sized>(&self, key: &str, document: &T) {
        let bytes = settle(
            &self.label,
            key,
            serde_json::to_vec(document).map_err(|error| error.to_string()),
        );
        settle(&self.label, key, self.bucket.set(key, &bytes));
    }

    /// Removes what is under `key`, if anything.
    pub fn delete(&self, key: &str) {
        settle(&self.label, key, self.bucket.delete(key));
    }

    /// Whether there is something under `key`.
    pub fn exists(&self, key: &str) -> bool {
        settle(&self.label, key, self.bucket.exists(key))
    }

    /// All keys, sorted. It reads the whole store: for small ones only.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = settle(&self.label, "the list of keys", self.bucket.keys());
        keys.sort_unstable();
        keys
    }

    fn decode<T: DeserializeOwned>(&self, key: &str, bytes: &[u8]) -> T {
        settle(
            &self.label,
            key,
            serde_json::from_slice(bytes).map_err(|error| error.to_string()),
        )
    }
}

fn settle<T>(label: &str, what: &str, result: Result<T, String>) -> T {
    result
        .unwrap_or_else(|reason| crate::unavailable(&format!("store {label:?}, {what}: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_back_as_they_were_written() {
        let store = Store::open("shelf");
        store.set("b", &vec![1, 2]);
        store.set("a", "text");
        assert_eq!(store.get::<Vec<u32>>("b"), Some(vec![1, 2]));
        assert_eq!(store.get::<String>("c"), None);
        assert_eq!(store.keys(), ["a", "b"]);
        assert!(store.exists("a"));
        store.delete("a");
        assert!(!store.exists("a"));
        assert_eq!(
            Store::open("shelf").keys(),
            ["b"],
            "the same label is the same store"
        );
        assert!(Store::open("drawer").keys().is_empty());
    }

    #[test]
    fn many_documents_come_in_the_order_asked() {
        let store = Store::open("shelf");
        store.set("a", &1);
        store.set("b", &2);
        let keys = ["b", "x", "a", "b"].map(str::to_owned);
        assert_eq!(
            store.get_many::<u32>(&keys),
            [Some(2), None, Some(1), Some(2)]
        );
    }
}
