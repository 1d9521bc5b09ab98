//! Accepts connections and speaks HTTP/1.1 and HTTP/2 on them, until told to stop.

use std::{
    convert::Infallible,
    pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use http::HeaderValue;
use hyper::{rt::Executor, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use skald_telemetry::{
    reception::Reception,
    tasks::{Shutdown, Tasks},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use crate::{
    config::Limits,
    gateway::{Gateway, Peer},
};

type Protocols = auto::Builder<Streams>;

/// Requests at once on one HTTP/2 connection; browsers ask for about this many.
const STREAMS: u32 = 128;
/// How often an idle HTTP/2 connection is asked whether somebody is still there.
const PING: Duration = Duration::from_secs(30);

/// Gives the requests of an HTTP/2 connection, which run as tasks of their own, an owner that drains them.
#[derive(Clone)]
struct Streams(Tasks);

/// One connection's service and what is known of its other end.
struct Line {
    gateway: Arc<Gateway>,
    peer: Peer,
    /// Requests whose header has come.
    begun: AtomicU64,
    /// Those that are not answered yet.
    running: AtomicU32,
}

/// One of them, until it is answered or given up.
struct Running<'a>(&'a Line);

/// What has come of a connection since it was last looked at.
enum Silence {
    /// It is used.
    Broken,
    /// Nobody asks, and everything was answered; or the answer is not taken.
    Kept,
    /// Nobody has ever asked.
    Total,
}

// === impl Gateway ===

impl Gateway {
    /// Serves until `shutdown` is said. Then nobody new is let in, running requests may end for as long as
    /// [`Limits::drain`] says, and each connection closes after the answer it is at.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: Shutdown) {
        let connections = Tasks::new();
        let protocols = Arc::new(protocols(&self.limits, connections.clone()));
        let reception = Reception {
            name: "connection",
            what: "a connection",
            places: self.limits.connections,
        };
        let converse = |stream| {
            let line = Arc::new(Line::new(&self, &stream, connections.shutdown()));
            converse(line, stream, Arc::clone(&protocols))
        };
        reception
            .receive(listener, shutdown, &connections, converse)
            .await;
        let drained = connections.drain(self.limits.drain).await;
        if !drained.unfinished.is_empty() {
            tracing::warn!(
                connections = drained.unfinished.len(),
                "requests were still running and were dropped"
            );
        }
    }
}

fn protocols(limits: &Limits, owner: Tasks) -> Protocols {
    let mut builder = auto::Builder::new(Streams(owner));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(limits.header_timeout);
    builder
}

/// Answers the requests of one connection until it ends.
async fn converse(line: Arc<Line>, stream: TcpStream, protocols: Arc<Protocols>) {
    let service = service_fn(|request| {
        let line = Arc::clone(&line);
        async move {
            let _running = line.begin();
            Ok::<_, Infallible>(line.gateway.answer(request, &line.peer).await)
        }
    });
    let mut connection = pin::pin!(protocols.serve_connection(TokioIo::new(stream), service));
    let mut stop = pin::pin!(line.peer.stop.wait());
    // Hyper counts the time of a header only from where it knows the protocol, never ends an idle HTTP/2 connection, and
    // waits for ever for a client that takes no answer. Each would hold its place, so that it is looked after here.
    let period = line.gateway.limits.header_timeout;
    let mut look = pin::pin!(sleep(period));
    let (mut is_stopping, mut is_leaving, mut begun) = (false, false, 0);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error = error.as_ref() as &dyn std::error::Error, "a connection broke");
                }
                return;
            }
            () = &mut stop, if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut look => {
                match line.silence(&mut begun) {
                    Silence::Broken => is_leaving = false,
                    Silence::Total => return,
                    // It was asked to leave a whole period ago.
                    Silence::Kept if is_leaving => return,
                    Silence::Kept => {
                        is_leaving = true;
                        connection.as_mut().graceful_shutdown();
                    }
                }
                look.as_mut().reset(Instant::now() + period);
            }
        }
    }
}

// === impl Streams ===

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        self.0.spawn("stream", stream);
    }
}

// === impl Line ===

impl Line {
    fn new(gateway: &Arc<Gateway>, stream: &TcpStream, stop: Shutdown) -> Self {
        let address = stream
            .peer_addr()
            .map(|address| address.to_string())
            .unwrap_or_default();
        // An address is a header value, so the other branch is never taken.
        let address =
            HeaderValue::try_from(address).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self {
            gateway: Arc::clone(gateway),
            peer: Peer { address, stop },
            begun: AtomicU64::new(0),
            running: AtomicU32::new(0),
        }
    }

    fn begin(&self) -> Running<'_> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// Whether it was silent since `before` requests had begun.
    fn silence(&self, before: &mut u64) -> Silence {
        let begun = self.begun.load(Ordering::Relaxed);
        let is_new = std::mem::replace(before, begun) != begun;
        match self.running.load(Ordering::Relaxed) {
            0 if begun == 0 => Silence::Total,
            0 if !is_new => Silence::Kept,
            _ => Silence::Broken,
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
