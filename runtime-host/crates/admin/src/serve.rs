//! Accepts connections and answers one request on each, until told to stop.

use std::{io, pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use skald_telemetry::tasks::{Shutdown, Tasks};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
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
/// A pause after a failed accept: the usual reason is that no file descriptor is free, and asking at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut stop = pin::pin!(shutdown.wait());
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let Ok((stream, place)) = accepted.inspect_err(note) else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let router = self.router.clone();
            connections.spawn("admin connection", async move {
                converse(router, stream).await;
                drop(place);
            });
        }
        drop(listener);
        connections.drain(DRAIN).await;
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

fn note(error: &io::Error) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(error, "an admin connection was not accepted");
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
