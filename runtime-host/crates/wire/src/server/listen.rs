//! Accepts connections and speaks HTTP/2 on them, until told to stop.

use std::{
    convert::Infallible,
    pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{rt::Executor, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use skald_telemetry::{
    reception::Reception,
    tasks::{Shutdown, Tasks},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::{Desk, Line, caller::Caller};
use crate::config::{Limits, Security};

/// How long a new connection may go without a call: whoever connects has one to make.
const FIRST_CALL: Duration = Duration::from_secs(10);

/// Gives the calls of a connection, which run as tasks of their own, an owner that drains them.
#[derive(Clone)]
struct Streams(Tasks);

pub(super) async fn serve(desk: Arc<Desk>, listener: TcpListener, shutdown: Shutdown) {
    let limits = desk.config.limits.clone();
    let connections = Tasks::new();
    let reception = Reception {
        name: "wire connection",
        what: "a connection of another node",
        places: limits.connections,
    };
    let welcome = |stream| welcome(Arc::clone(&desk), stream, connections.clone());
    reception
        .receive(listener, shutdown, &connections, welcome)
        .await;
    let drained = connections.drain(limits.drain).await;
    if !drained.unfinished.is_empty() {
        let unfinished = drained.unfinished.len();
        tracing::warn!(
            unfinished,
            "calls of other nodes were still running and were dropped"
        );
    }
}

/// Shakes hands, if that is asked for.
async fn welcome(desk: Arc<Desk>, stream: TcpStream, tasks: Tasks) {
    let Security::Tls(tls) = &desk.config.security else {
        let caller = Caller::new(&desk.config, None);
        return converse(desk, stream, caller, tasks).await;
    };
    let hands = timeout(desk.config.limits.connect, tls.acceptor().accept(stream)).await;
    let stream = match hands {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "a caller was turned away: its certificate is not of our authority"
            );
            return;
        }
        Err(_) => return tracing::debug!("a caller did not shake hands in time"),
    };
    let certificates = stream.get_ref().1.peer_certificates();
    let caller = Caller::new(&desk.config, certificates.and_then(<[_]>::first));
    converse(desk, stream, caller, tasks).await;
}

/// Answers the calls of one connection until it ends.
async fn converse<S>(desk: Arc<Desk>, stream: S, caller: Caller, tasks: Tasks)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let caller = Arc::new(caller);
    let has_begun = Arc::new(AtomicBool::new(false));
    let stop = tasks.shutdown();
    let protocol = protocol(&desk.config.limits, tasks.clone());
    let service = service_fn(|request| {
        has_begun.store(true, Ordering::Relaxed);
        let (desk, caller, tasks) = (Arc::clone(&desk), Arc::clone(&caller), tasks.clone());
        async move {
            let line = Line {
                caller: &caller,
                stop: tasks.shutdown(),
                tasks: &tasks,
            };
            Ok::<_, Infallible>(desk.answer(request, &line).await)
        }
    });
    let mut connection = pin::pin!(protocol.serve_connection(TokioIo::new(stream), service));
    let mut stop = pin::pin!(stop.wait());
    let mut look = pin::pin!(sleep(FIRST_CALL));
    let (mut is_stopping, mut has_looked) = (false, false);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => return note_end(ended),
            () = &mut stop, if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut look, if !has_looked => {
                has_looked = true;
                if !has_begun.load(Ordering::Relaxed) {
                    return tracing::debug!("a connection without calls was closed");
                }
            }
        }
    }
}

fn note_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        let error = &error as &dyn std::error::Error;
        tracing::debug!(error, "a connection of another node broke");
    }
}

fn protocol(limits: &Limits, owner: Tasks) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(Streams(owner));
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(limits.header_bytes)
        .max_concurrent_streams(limits.streams)
        // Callers whose time is up take back what they have asked, and under load many do so at once.
        .max_pending_accept_reset_streams(usize::try_from(limits.streams).ok())
        .adaptive_window(true)
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping_timeout);
    builder
}

// === impl Streams ===

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        self.0.spawn("wire stream", stream);
    }
}
