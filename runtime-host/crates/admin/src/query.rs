//! Queries of paths, of which every word is known, or refused: a misspelt filter must not show something else than is meant.

use std::time::SystemTime;

use axum::extract::{Query, rejection::QueryRejection};
use skald_core::manifest::parse_duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::failure::Failure;

/// The query of a path, as it came.
pub(crate) type Given = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// A query whose names are all known.
pub(crate) struct Words(Vec<(String, String)>);

// === impl Words ===

impl Words {
    /// Refuses names other than these.
    pub(crate) fn known(given: Given, names: &[&str]) -> Result<Self, Failure> {
        let Query(words) = given.map_err(|error| Failure::Malformed(error.body_text()))?;
        let stranger = words
            .iter()
            .find(|(name, _)| !names.contains(&name.as_str()));
        match stranger {
            None => Ok(Self(words)),
            Some((name, _)) => {
                let known = match names {
                    [] => "none".to_owned(),
                    names => names.join(", "),
                };
                let what = format!("{name:?} is no parameter here; there are: {known}");
                Err(Failure::Malformed(what))
            }
        }
    }

    /// The last word of a name.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mut words = self.0.iter().rev();
        let (_, word) = words.find(|(given, _)| given == name)?;
        Some(word)
    }

    /// All words of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let words = self.0.iter().filter(move |(given, _)| given == name);
        words.map(|(_, word)| word.as_str())
    }

    /// A number from 1 to `most`.
    pub(crate) fn count(&self, name: &str, most: usize) -> Result<Option<usize>, Failure> {
        let Some(word) = self.one(name) else {
            return Ok(None);
        };
        let count = word.parse().ok().filter(|count| (1..=most).contains(count));
        let wrong = || Failure::Malformed(format!("`{name}` is a number from 1 to {most}"));
        count.ok_or_else(wrong).map(Some)
    }

    /// Who says that it is them.
    pub(crate) fn who(&self) -> &str {
        self.one("who").unwrap_or("somebody")
    }
}

/// A moment: `2026-01-31T23:59:59Z`, or how long ago, like `10m`.
pub(crate) fn moment(text: &str, now: SystemTime) -> Option<SystemTime> {
    let ago = text.strip_suffix(" ago").unwrap_or(text);
    if let Ok(ago) = parse_duration(ago) {
        return Some(now.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH));
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .map(SystemTime::from)
}
