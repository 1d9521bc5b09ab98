//! Which nodes there are.

use std::{sync::Arc, time::SystemTime};

use axum::{Router, extract::State, routing::get};
use skald_core::{
    node::{Health, Node, Nodes},
    saga::record::micros,
};
use skald_telemetry::clock;

use crate::{
    json::{Answer, Json},
    query::{Given, Words},
    view,
};

/// The path of the nodes.
pub(crate) fn routes(nodes: Arc<dyn Nodes>) -> Router {
    Router::new()
        .route("/admin/v1/nodes", get(list))
        .with_state(nodes)
}

async fn list(State(nodes): State<Arc<dyn Nodes>>, query: Given) -> Answer<view::Page<view::Node>> {
    Words::known(query, &[])?;
    let (alive, now) = (nodes.nodes().await?, clock::now());
    let items = alive.into_iter().map(|node| seen(node, now)).collect();
    Ok(Json(view::Page { items, next: None }))
}

fn seen(node: Node, now: SystemTime) -> view::Node {
    let age = now.duration_since(node.started_at).unwrap_or_default();
    view::Node {
        node: node.id,
        address: node.address,
        admin: node.admin,
        health: match node.health {
            Health::Starting => "starting",
            Health::Ready => "ready",
            Health::Draining => "draining",
        }
        .to_owned(),
        load: node.load,
        components: node
            .components
            .into_iter()
            .map(|served| view::Served {
                component: served.component,
                revision: served.revision,
            })
            .collect(),
        epochs: node.epochs,
        started_at: micros(node.started_at),
        up_seconds: age.as_secs(),
        version: node.version,
    }
}
