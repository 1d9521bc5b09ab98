//! A page of names as a unit sees it: what the snapshot has, with the unit's own writes over it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;

use super::KeyPage;
use crate::store::{Key, Label};

/// Which part of a store's names is asked for.
pub(super) struct Window<'a> {
    pub(super) store: &'a Label,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
}

/// Lays a unit's own writes over the names that the snapshot has.
pub(super) fn overlay(
    names: Vec<Arc<str>>,
    complete: bool,
    writes: &BTreeMap<Key, Option<Bytes>>,
    window: &Window<'_>,
) -> KeyPage {
    let last = names.last().cloned();
    let mut all: BTreeSet<Arc<str>> = names.into_iter().collect();
    for (key, value) in writes.iter().filter(|(key, _)| key.store == *window.store) {
        let before_page = window.after.is_some_and(|after| *key.name <= *after);
        let beyond_page = !complete && last.as_ref().is_none_or(|last| key.name > *last);
        match value {
            None => {
                all.remove(&key.name);
            }
            Some(_) if !before_page && !beyond_page => {
                all.insert(Arc::clone(&key.name));
            }
            Some(_) => {}
        }
    }
    let more = !complete || all.len() > window.limit;
    KeyPage {
        names: all.into_iter().take(window.limit).collect(),
        more,
    }
}
