//! Which path asks what of the desk of sagas.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use http::HeaderMap;
use serde::Serialize;
use skald_core::saga::{
    By, RunId,
    desk::{Desk, Signal, Upgrade},
    view::Row,
};
use skald_telemetry::ids;

use crate::{
    ask::{self, Order, Renewal, Rerun},
    failure::Failure,
    find,
    json::{Answer, Json},
};

type Sagas = State<Arc<dyn Desk>>;

/// A page of the list.
#[derive(Serialize)]
struct Page {
    items: Vec<Row>,
    /// What to ask for `after` to see more; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What was done, and to which run: people may have named only the beginning of its id.
#[derive(Serialize)]
struct Done {
    run: RunId,
    /// The sender's name for the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    /// The run that was begun again.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<RunId>,
    /// The code it goes on with, or could.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
}

/// The paths of the desk; without one, they say that there is none.
pub(crate) fn routes(desk: Option<Arc<dyn Desk>>) -> Router {
    let Some(desk) = desk else {
        let none = || any(async || Failure::NoSagas);
        return Router::new()
            .route("/admin/v1/sagas", none())
            .route("/admin/v1/sagas/", none())
            .route("/admin/v1/sagas/{*rest}", none());
    };
    Router::new()
        .route("/admin/v1/sagas", get(list))
        .route("/admin/v1/sagas/", get(list))
        .route("/admin/v1/sagas/{run}", get(show).delete(purge))
        .route("/admin/v1/sagas/{run}/export", get(export))
        .route("/admin/v1/sagas/{run}/rerun", post(rerun))
        .route("/admin/v1/sagas/{run}/upgrade", post(upgrade))
        .route("/admin/v1/sagas/{run}/signals/{name}", post(signal))
        .route("/admin/v1/sagas/{run}/{verb}", post(act))
        .with_state(desk)
}

async fn list(
    State(desk): Sagas,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Answer<Page> {
    let Query(query) = query.map_err(|error| Failure::Malformed(error.body_text()))?;
    let mut filter = ask::filter(query)?;
    let limit = filter.limit;
    // One more than is shown tells whether there are more.
    filter.limit += 1;
    let found = desk.list(&filter).await?;
    let items: Vec<Row> = found.iter().take(limit).map(Row::from).collect();
    let next = items.last().filter(|_| found.len() > limit);
    let next = next.map(|last| last.run.clone());
    Ok(Json(Page { items, next }))
}

async fn show(State(desk): Sagas, Path(given): Path<String>) -> Result<Response, Failure> {
    let run = find::run(&*desk, &given).await?;
    Ok(Json(desk.show(&run).await?).into_response())
}

async fn export(State(desk): Sagas, Path(given): Path<String>) -> Result<Response, Failure> {
    let run = find::run(&*desk, &given).await?;
    Ok(Json(desk.export(&run).await?).into_response())
}

async fn act(
    State(desk): Sagas,
    Path((given, verb)): Path<(String, String)>,
    body: Body,
) -> Answer<Done> {
    let (verb, by) = ask::json::<Order>(body).await?.verb(&verb)?;
    let run = find::run(&*desk, &given).await?;
    desk.act(&run, verb, by.clone()).await?;
    note(&run, &by);
    Ok(Json(Done::with(run)))
}

async fn signal(
    State(desk): Sagas,
    Path((given, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Done> {
    let id = ask::signal_id(&headers)?;
    let id = id.unwrap_or_else(|| format!("{:032x}", ids::trace_id()));
    let payload = ask::bytes(body).await?;
    let run = find::run(&*desk, &given).await?;
    let signal = Signal {
        id: id.clone(),
        name,
        payload,
    };
    desk.signal(&run, signal).await?;
    Ok(Json(Done {
        signal: Some(id),
        ..Done::with(run)
    }))
}

async fn rerun(State(desk): Sagas, Path(given): Path<String>, body: Body) -> Answer<Done> {
    let asked: Rerun = ask::json(body).await?;
    let from = asked.from;
    let by = asked.by()?;
    let run = find::run(&*desk, &given).await?;
    let new = desk.rerun(&run, from, by.clone()).await?;
    note(&run, &by);
    Ok(Json(Done {
        of: Some(run),
        ..Done::with(new)
    }))
}

async fn upgrade(State(desk): Sagas, Path(given): Path<String>, body: Body) -> Answer<Done> {
    let asked: Renewal = ask::json(body).await?;
    let mode = if asked.rehearse {
        Upgrade::Rehearse
    } else {
        Upgrade::Apply
    };
    let by = asked.by()?;
    let run = find::run(&*desk, &given).await?;
    let revision = desk.upgrade(&run, mode, by.clone()).await?;
    if mode == Upgrade::Apply {
        note(&run, &by);
    }
    Ok(Json(Done {
        revision: Some(revision),
        ..Done::with(run)
    }))
}

async fn purge(State(desk): Sagas, Path(given): Path<String>) -> Answer<Done> {
    let run = find::run(&*desk, &given).await?;
    desk.purge(&run).await?;
    tracing::info!(%run, "a run is forgotten");
    Ok(Json(Done::with(run)))
}

/// The journal has it as well; the log is where people look who do not know the run.
fn note(run: &RunId, by: &By) {
    tracing::info!(%run, verb = by.verb, who = by.who, why = by.why, "somebody acted on a run");
}

// === impl Done ===

impl Done {
    const fn with(run: RunId) -> Self {
        Self {
            run,
            signal: None,
            of: None,
            revision: None,
        }
    }
}
