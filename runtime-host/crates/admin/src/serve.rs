//! Accepts connections and answers one request on each, until told to stop.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use skald_telemetry::{
    reception::Reception,
    tasks::{Shutdown, Tasks},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{Config, Desks, routes};

/// A few people and their scripts.
const CONNECTIONS: usize = 64;
/// How long the header of a request may take.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// How long a request and its answer may take together: the export of a long journal over a slow line.
const CONVERSATION: Duration = Duration::from_secs(300);
/// How long requests may take to end when the host stops.
const DRAIN: Duration = Duration::from_secs(5);

/// The admin API of one host.
pub struct Admin {
    router: Router,
}

// === impl Admin ===

impl Admin {
    /// An API over these.
    pub fn new(config: &Config, desks: Desks) -> Self {
        Self {
            router: routes::router(desks, config.access.clone()),
        }
    }

    /// Serves until `shutdown` is said; then nobody new is let in, and running requests may end.
    ///
    /// The listener is the caller's, so that the address is known, and taken, before anything is told of it.
    pub async fn serve(self, listener: TcpListener, shutdown: Shutdown) {
        let connections = Tasks::new();
        let reception = Reception {
            name: "admin connection",
            what: "an admin connection",
            places: CONNECTIONS,
        };
        let converse = |stream| converse(self.router.clone(), stream);
        reception
            .receive(listener, shutdown, &connections, converse)
            .await;
        connections.drain(DRAIN).await;
    }
}

/// One request: a connection that is kept would have to be watched for idling, and nobody asks so often.
async fn converse(router: Router, stream: TcpStream) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(CONVERSATION, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "an admin connection broke");
        }
        Err(_) => tracing::debug!("an admin connection took too long and was closed"),
    }
}
