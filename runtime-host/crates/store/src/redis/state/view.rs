//! A consistent view of what Redis holds, although it keeps no old values.
//!
//! The first read notes how often the place was committed to. What is read later is of the same moment if the place has
//! not moved on, or if the value is older than the note. Otherwise all that was read before is looked at once more: if
//! it is as it was, the view is of this moment from now on; if not, the unit has been overtaken.

use std::{collections::BTreeMap, sync::Arc};

use skald_core::{
    call::BoxFuture,
    store::{Key, Label, Snapshot, StoreError, Subject, Version, Versioned},
};

use super::{Touched, place_of_store, push_subject, store_of};
use crate::redis::{
    Redis,
    link::Failure,
    places::Place,
    script::{Lazy, Script},
};

static GET: Lazy = Lazy::new(|| Script::reading(include_str!("get.lua")));
static NAMES: Lazy = Lazy::new(|| Script::reading(include_str!("names.lua")));
static UNCHANGED: Lazy = Lazy::new(|| Script::reading(include_str!("unchanged.lua")));

/// A consistent view.
pub(super) struct View {
    redis: Redis,
    own: Place,
    /// How often each place was committed to at the moment that the view is of.
    pins: BTreeMap<Place, Version>,
    seen: BTreeMap<Subject, Version>,
}

/// Names of keys, as [`NAMES`] answers.
type Names = (Option<u64>, Option<u64>, Vec<String>);

// === impl View ===

impl View {
    pub(super) const fn new(redis: Redis, own: Place) -> Self {
        Self {
            redis,
            own,
            pins: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    async fn value(&mut self, key: &Key) -> Result<Versioned, StoreError> {
        let place = place_of_store(&self.redis, &self.own, &key.store);
        let call = GET
            .on(&[self.redis.keys().place(&place)])
            .arg(&*key.store)
            .arg(&*key.name);
        let (value, commits): (Option<bytes::Bytes>, Option<u64>) =
            self.redis.link().call(call).await?;
        let found = match value {
            None => Versioned::default(),
            Some(stored) => read(key, &stored)?,
        };
        let subject = Subject::Key(key.clone());
        self.note(subject, found.version, (place, commits.unwrap_or(0)))
            .await?;
        Ok(found)
    }

    async fn names(
        &mut self,
        store: &Label,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Version, Vec<String>), StoreError> {
        let place = place_of_store(&self.redis, &self.own, store);
        let least = after.map_or_else(|| "-".to_owned(), |name| format!("({name}"));
        let call = NAMES
            .on(&[self.redis.keys().place(&place)])
            .arg(&**store)
            .arg(least)
            .arg(i64::try_from(limit).unwrap_or(i64::MAX));
        let (version, commits, names): Names = self.redis.link().call(call).await?;
        let version = version.unwrap_or(0);
        let subject = Subject::Keys(Arc::clone(store));
        self.note(subject, version, (place, commits.unwrap_or(0)))
            .await?;
        Ok((version, names))
    }

    /// Takes what was just read into the view, or finds that it does not belong there.
    async fn note(
        &mut self,
        subject: Subject,
        version: Version,
        (place, commits): (Place, Version),
    ) -> Result<(), StoreError> {
        if self.seen.get(&subject).is_some_and(|seen| *seen != version) {
            return Err(StoreError::Changed(subject));
        }
        // What is absent may have been there when the view was made, and a set of keys without a version never changed.
        let has_version = version > 0 || matches!(subject, Subject::Keys(_));
        self.seen.insert(subject, version);
        match self.pins.get(&place) {
            Some(pin) if *pin == commits || (has_version && version <= *pin) => Ok(()),
            None if self.pins.is_empty() => {
                self.pins.insert(place, commits);
                Ok(())
            }
            _ => self.renew().await,
        }
    }

    /// Makes the view one of this moment, if all that was read is as it was.
    async fn renew(&mut self) -> Result<(), StoreError> {
        let mut touched = Touched(Vec::new());
        let mut numbers = Vec::with_capacity(self.seen.len());
        for subject in self.seen.keys() {
            let place = place_of_store(&self.redis, &self.own, store_of(subject));
            numbers.push(touched.number(&place));
        }
        let mut call = UNCHANGED.on(&touched.keys(&self.redis));
        for ((subject, version), number) in self.seen.iter().zip(numbers) {
            push_subject(call.arguments(), number, subject, *version);
        }
        let answer: Vec<u64> = self.redis.link().call(call).await?;
        let Some((changed, commits)) = answer.split_first() else {
            return Err(Failure::corrupt("the view's script has no answer").into());
        };
        let index = usize::try_from(*changed).unwrap_or(usize::MAX);
        if let Some(index) = index.checked_sub(1) {
            let subject = self.seen.keys().nth(index).cloned();
            let subject = subject.unwrap_or_else(|| Subject::Keys(Arc::clone(&self.own)));
            return Err(StoreError::Changed(subject));
        }
        self.pins = touched.0.into_iter().zip(commits.iter().copied()).collect();
        Ok(())
    }
}

impl Snapshot for View {
    fn get<'a>(&'a mut self, key: &'a Key) -> BoxFuture<'a, Result<Versioned, StoreError>> {
        Box::pin(self.value(key))
    }

    fn keys_version<'a>(
        &'a mut self,
        store: &'a Label,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        Box::pin(async move { Ok(self.names(store, None, 0).await?.0) })
    }

    fn keys<'a>(
        &'a mut self,
        store: &'a Label,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<str>>, StoreError>> {
        Box::pin(async move {
            let (_, names) = self.names(store, after, limit).await?;
            Ok(names.into_iter().map(Arc::from).collect())
        })
    }
}

/// A value as it is stored: its version in digits, a colon, the value.
fn read(key: &Key, stored: &bytes::Bytes) -> Result<Versioned, StoreError> {
    let found = stored
        .iter()
        .position(|byte| *byte == b':')
        .and_then(|colon| {
            let version = std::str::from_utf8(stored.get(..colon)?)
                .ok()?
                .parse()
                .ok()?;
            Some(Versioned {
                value: Some(stored.slice(colon + 1..)),
                version,
            })
        });
    found.ok_or_else(|| StoreError::Corrupt(format!("the value of {key} has no version")))
}
