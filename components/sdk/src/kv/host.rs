//! The host's `wasi:keyvalue`.

use std::collections::HashMap;

use crate::bindings::wasi::keyvalue::{batch, store};

/// An open bucket; errors are in words because the caller can only trap.
#[derive(Debug)]
pub(super) struct Bucket(store::Bucket);

impl Bucket {
    pub(super) fn open(label: &str) -> Result<Self, String> {
        store::open(label).map(Self).map_err(words)
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.0.get(key).map_err(words)
    }

    pub(super) fn set(&self, key: &str, value: &[u8]) -> Result<(), String> {
        self.0.set(key, value).map_err(words)
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), String> {
        self.0.delete(key).map_err(words)
    }

    pub(super) fn exists(&self, key: &str) -> Result<bool, String> {
        self.0.exists(key).map_err(words)
    }

    pub(super) fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, String> {
        // Hosts differ in whether they keep the order and mention what is missing.
        let found: HashMap<String, Vec<u8>> = batch::get_many(&self.0, keys)
            .map_err(words)?
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    pub(super) fn keys(&self) -> Result<Vec<String>, String> {
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.0.list_keys(cursor.as_deref()).map_err(words)?;
            keys.extend(page.keys);
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(keys),
            }
        }
    }
}

fn words(error: store::Error) -> String {
    match error {
        store::Error::NoSuchStore => "there is no such store".to_owned(),
        store::Error::AccessDenied => "the manifest does not grant it".to_owned(),
        store::Error::Other(reason) => reason,
    }
}
