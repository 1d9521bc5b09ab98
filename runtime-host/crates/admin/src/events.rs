//! The log of events: which topics there are, what happened, who is behind, and what was given up on.

mod lag;
mod letters;
mod place;
mod publish;
mod replay;
mod tail;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use skald_core::{
    event::{EventLog, Interest, archive::Archive},
    store::Store,
};

use crate::{
    failure::Failure,
    json::{Answer, Json},
    query::{Given, Words},
    view,
};

/// What is known of events, and where they are.
pub struct Events {
    /// The log, for people.
    pub archive: Arc<dyn Archive>,
    /// The log, and the books of its subscribers.
    pub log: Arc<dyn EventLog>,
    /// All subscribers of the application.
    pub interests: Vec<Interest>,
    /// Where that is written which people publish.
    pub store: Arc<dyn Store>,
}

type Asked = State<Arc<Events>>;

/// The paths of the log.
pub(crate) fn routes(events: Events) -> Router {
    Router::new()
        .route("/admin/v1/topics", get(topics))
        .route("/admin/v1/events", get(tail::tail).post(publish::publish))
        .route("/admin/v1/lag", get(lag::lag))
        .route("/admin/v1/dead-letters", get(letters::list))
        .route("/admin/v1/dead-letters/redrive", post(letters::redrive_all))
        .route(
            "/admin/v1/dead-letters/{id}",
            get(letters::show).delete(letters::discard),
        )
        .route(
            "/admin/v1/dead-letters/{id}/redrive",
            post(letters::redrive),
        )
        .route("/admin/v1/replay", post(replay::replay))
        .with_state(Arc::new(events))
}

/// Those that were published, and those that somebody waits for, by name.
async fn topics(State(events): Asked, query: Given) -> Answer<view::Page<view::Topic>> {
    Words::known(query, &[])?;
    let mut published = events.archive.topics().await?;
    let wanted = events.interests.iter().flat_map(|one| &one.topics);
    for name in wanted {
        if let Err(at) = published.binary_search_by(|topic| topic.name.cmp(name)) {
            let name = Arc::clone(name);
            let unheard = skald_core::event::archive::Topic { name, published: 0 };
            published.insert(at, unheard);
        }
    }
    let topic = |topic: skald_core::event::archive::Topic| view::Topic {
        subscribers: events.listeners(&topic.name),
        topic: topic.name.to_string(),
        published: topic.published,
    };
    let items = published.into_iter().map(topic).collect();
    Ok(Json(view::Page { items, next: None }))
}

// === impl Events ===

impl Events {
    /// Who listens to a topic.
    fn listeners(&self, topic: &str) -> Vec<String> {
        let listens = |one: &&Interest| one.topics.iter().any(|wanted| **wanted == *topic);
        let listeners = self.interests.iter().filter(listens);
        listeners.map(|one| one.group.to_string()).collect()
    }

    /// The subscriber of that name.
    fn interest(&self, name: &str) -> Result<&Interest, Failure> {
        let found = self.interests.iter().find(|one| *one.group == *name);
        found.ok_or_else(|| self.nobody(name))
    }

    /// That nobody has that name.
    fn nobody(&self, name: &str) -> Failure {
        let names = self.interests.iter().map(|one| one.group.to_string());
        Failure::NoSubscriber {
            given: name.to_owned(),
            listeners: names.collect(),
        }
    }
}
