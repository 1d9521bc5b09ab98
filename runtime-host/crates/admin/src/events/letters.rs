//! Dead letters: what was given up on, and what becomes of it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
};
use serde::Deserialize;
use skald_core::event::archive::{LetterId, Letters};
use skald_telemetry::clock;

use super::{Asked, Events};
use crate::{
    ask,
    failure::Failure,
    json::{Answer, Json},
    query::{Given, Words},
    view::{Letter, Page, Redriven},
};

/// How many letters a list has where nobody says.
const LIMIT: usize = 100;

/// How many it has at most, and how many are redriven at once at most.
const MOST: usize = 1_000;

/// Letters are whole while they are looked through; so many are at once.
const AT_ONCE: usize = 50;

/// What comes with a redrive of all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct All {
    subscriber: String,
    limit: Option<usize>,
    #[serde(default)]
    who: Option<String>,
}

/// `GET /admin/v1/dead-letters`.
pub(super) async fn list(State(events): Asked, query: Given) -> Answer<Page<Letter>> {
    let words = Words::known(query, &["subscriber", "after", "limit"])?;
    let limit = words.count("limit", MOST)?.unwrap_or(LIMIT);
    let asked = Letters {
        group: words.one("subscriber").map(Arc::from),
        after: words.one("after").map(id).transpose()?,
        // One more than is shown tells whether there are more.
        limit: limit + 1,
    };
    let found = events.archive.dead_letters(&asked).await?;
    if let Some(name) = words.one("subscriber").filter(|_| found.is_empty()) {
        // One that listens no more may have left letters.
        events.interest(name)?;
    }
    let items: Vec<_> = found.iter().take(limit).map(Letter::cover).collect();
    let next = items.last().filter(|_| found.len() > limit);
    let next = next.map(|last| last.id.clone());
    Ok(Json(Page { items, next }))
}

/// `GET /admin/v1/dead-letters/{id}`.
pub(super) async fn show(State(events): Asked, Path(given): Path<String>) -> Answer<Letter> {
    let letter = events.archive.dead_letter(&id(&given)?).await?;
    let letter = letter.ok_or(Failure::NoLetter(given))?;
    Ok(Json(Letter::whole(&letter)))
}

/// `POST /admin/v1/dead-letters/{id}/redrive`.
pub(super) async fn redrive(
    State(events): Asked,
    Path(given): Path<String>,
    query: Given,
) -> Answer<Redriven> {
    let words = Words::known(query, &["who"])?;
    if !events.archive.redrive(&id(&given)?, clock::now()).await? {
        return Err(Failure::NoLetter(given));
    }
    tracing::info!(
        letter = given,
        who = words.who(),
        "a dead letter is delivered again"
    );
    let (redriven, more) = (1, false);
    Ok(Json(Redriven { redriven, more }))
}

/// `POST /admin/v1/dead-letters/redrive`.
pub(super) async fn redrive_all(State(events): Asked, body: Body) -> Answer<Redriven> {
    let asked: All = ask::json(body).await?;
    let limit = asked.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        let what = format!("`limit` is a number from 1 to {MOST}");
        return Err(Failure::Malformed(what));
    }
    let done = events.redrive_all(&asked.subscriber, limit).await?;
    let who = asked.who.as_deref().unwrap_or("somebody");
    tracing::info!(
        subscriber = asked.subscriber,
        letters = done.redriven,
        who,
        "dead letters are delivered again"
    );
    Ok(Json(done))
}

/// `DELETE /admin/v1/dead-letters/{id}`.
pub(super) async fn discard(
    State(events): Asked,
    Path(given): Path<String>,
    query: Given,
) -> Answer<Letter> {
    let words = Words::known(query, &["who"])?;
    let id = id(&given)?;
    let letter = events.archive.dead_letter(&id).await?;
    let letter = letter.ok_or_else(|| Failure::NoLetter(given.clone()))?;
    if !events.archive.discard(&id).await? {
        return Err(Failure::NoLetter(given));
    }
    tracing::info!(
        letter = given,
        who = words.who(),
        topic = &*letter.event.topic,
        key = letter.event.key,
        "a dead letter is forgotten"
    );
    Ok(Json(Letter::whole(&letter)))
}

impl Events {
    /// Those that were there when it began: what fails again at once is not tried for ever.
    async fn redrive_all(&self, subscriber: &str, mut room: usize) -> Result<Redriven, Failure> {
        let begun = clock::now();
        let mut asked = Letters {
            group: Some(Arc::from(subscriber)),
            after: None,
            limit: AT_ONCE,
        };
        let (mut done, mut seen) = (Redriven::default(), false);
        loop {
            let mut letters = self.archive.dead_letters(&asked).await?;
            seen |= !letters.is_empty();
            let is_last = letters.len() < AT_ONCE;
            asked.after = letters.last().map(LetterId::of);
            letters.retain(|letter| letter.buried_at <= begun);
            done.more = letters.len() > room;
            letters.truncate(room);
            room -= letters.len();
            for letter in &letters {
                let id = LetterId::of(letter);
                done.redriven += u64::from(self.archive.redrive(&id, clock::now()).await?);
            }
            if is_last || done.more {
                break;
            }
        }
        if !seen {
            self.interest(subscriber)?;
        }
        Ok(done)
    }
}

fn id(given: &str) -> Result<LetterId, Failure> {
    given
        .parse()
        .map_err(|error| Failure::BadPlace(format!("{given:?}: {error}")))
}
