//! All paths, with who may use them and how failures are told around them.

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use serde::Serialize;
use skald_core::{node::Nodes, saga::desk::Desk};

use crate::{
    config::Access,
    door,
    events::{self, Events},
    failure::Failure,
    json::Json,
    nodes, problem, sagas,
};

/// What people can ask for, and act on.
pub struct Desks {
    /// The sagas, where the application has any.
    pub sagas: Option<Arc<dyn Desk>>,
    /// The events.
    pub events: Events,
    /// The nodes.
    pub nodes: Arc<dyn Nodes>,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// All paths.
pub(crate) fn router(desks: Desks, access: Access) -> Router {
    Router::new()
        .route("/admin/v1/health", get(health))
        .merge(sagas::routes(desks.sagas))
        .merge(events::routes(desks.events))
        .merge(nodes::routes(desks.nodes))
        .fallback(async || Failure::NoSuchPath)
        .method_not_allowed_fallback(async || Failure::WrongMethod)
        .layer(from_fn_with_state(access, door::pass))
        // Outermost, so that it tells also of those who are not let in.
        .layer(from_fn(problem::tell))
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}
