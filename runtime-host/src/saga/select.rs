//! Which runs are meant, where they are not named.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use skald_core::saga::{journal::Standing, view::Row};

use crate::failure::Failure;
use crate::{
    cli::{List, Listed},
    remote::{Remote, encoded},
};

/// How many runs are asked for at once.
const PAGE: usize = 1_000;

/// A page of the list.
pub(crate) struct Page {
    pub(crate) items: Vec<Row>,
    /// The run to go on after, if there are more.
    pub(crate) next: Option<String>,
}

/// The path of the list that is asked for.
pub(crate) fn query(asked: &List) -> String {
    let mut query = listed(&asked.which, asked.limit);
    let more = [("prefix", &asked.prefix), ("after", &asked.after)];
    for (name, value) in more {
        if let Some(value) = value {
            query += &format!("&{name}={}", encoded(value));
        }
    }
    query
}

fn listed(which: &Listed, limit: usize) -> String {
    let mut query = format!("sagas?limit={limit}");
    for standing in &which.standing {
        query += &format!("&standing={}", standing.as_str());
    }
    let more = [("component", &which.component), ("subject", &which.subject)];
    for (name, value) in more {
        if let Some(value) = value {
            query += &format!("&{name}={}", encoded(value));
        }
    }
    query
}

/// One page.
pub(crate) fn page(remote: &Remote, query: &str) -> Result<Page, Failure> {
    let mut page: Value = remote.get(query)?;
    let next = page.get("next").and_then(Value::as_str).map(str::to_owned);
    let items = page.get_mut("items").map(Value::take).unwrap_or_default();
    let items = serde_json::from_value(items)
        .map_err(|error| Failure::Foreign(query.to_owned(), error.to_string()))?;
    Ok(Page { items, next })
}

/// All of them, page by page.
pub(crate) fn all(remote: &Remote, which: &Listed) -> Result<Vec<Row>, Failure> {
    let first = listed(which, PAGE);
    let mut found = page(remote, &first)?;
    let mut rows = found.items;
    while let Some(next) = found.next {
        found = page(remote, &format!("{first}&after={}", encoded(&next)))?;
        rows.append(&mut found.items);
    }
    Ok(rows)
}

/// Runs that have ended, and so long ago.
pub(crate) fn ended(
    remote: &Remote,
    which: &Listed,
    older_than: Duration,
    now: SystemTime,
) -> Result<Vec<Row>, Failure> {
    let mut which = which.clone();
    if which.standing.is_empty() {
        which
            .standing
            .extend(Standing::ALL.into_iter().filter(|one| one.is_end()));
    }
    if let Some(other) = which.standing.iter().find(|one| !one.is_end()) {
        let what = format!(
            "runs that are {} have not ended, and are kept",
            other.as_str()
        );
        return Err(Failure::Input(what));
    }
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let before = since.saturating_sub(older_than).as_micros();
    let mut rows = all(remote, &which)?;
    rows.retain(|row| u128::from(row.updated_at) <= before);
    Ok(rows)
}
