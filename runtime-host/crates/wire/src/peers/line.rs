//! One connection to a node, opened when it is needed.

use std::{net::SocketAddr, pin, sync::Arc};

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
    rt::Executor,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use skald_telemetry::tasks::Tasks;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::{
    config::{Config, Security},
    frame::{Frames, frame},
    status::{Code, Status},
    tls::NODE_NAME,
};

/// A connection, or the place of one. Clones are the same one.
#[derive(Clone)]
pub(super) struct Line {
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    config: Config,
    tasks: Tasks,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sender: Option<Sender>,
    /// When connecting has failed last, and how: whoever has waited for that need not try it again.
    failed: Option<(Instant, String)>,
}

type Sender = SendRequest<Full<Bytes>>;

/// What came back.
pub(super) enum Received {
    Message(Bytes),
    Status(Status),
}

/// Why nothing came back.
pub(super) enum Failure {
    /// The other side has surely not begun.
    NotSent(String),
    /// It may have.
    Unknown(String),
}

/// Runs what a connection does beside its calls.
#[derive(Clone)]
struct Background(Tasks);

// === impl Line ===

impl Line {
    pub(super) fn new(address: SocketAddr, config: Config, tasks: Tasks) -> Self {
        let state = Mutex::default();
        Self {
            shared: Arc::new(Shared {
                address,
                config,
                tasks,
                state,
            }),
        }
    }

    /// Sends one message and waits for what comes back.
    pub(super) async fn ask(
        &self,
        path: &str,
        headers: HeaderMap,
        message: &[u8],
    ) -> Result<Received, Failure> {
        let shared = &self.shared;
        let request = shared.request(path, headers, frame(message))?;
        let response = match shared.send(request.clone()).await {
            // The connection may have been closed since it was used last, and a new one may well open.
            Err(Failure::NotSent(_)) => shared.send(request).await?,
            sent => sent?,
        };
        let (head, body) = response.into_parts();
        if head.status != StatusCode::OK {
            return Err(Failure::Unknown(format!(
                "it answered HTTP {}",
                head.status
            )));
        }
        if let Some(Err(status)) = Status::read(&head.headers) {
            return Ok(Received::Status(status));
        }
        receive(body, shared.config.limits.message_bytes).await
    }
}

/// The message and how the call ended.
async fn receive(body: Incoming, most: usize) -> Result<Received, Failure> {
    let mut frames = Frames::new(body, most);
    let message = match frames.next().await {
        // More than is read was answered, and that will be so the next time.
        Err(status) if status.code == Code::ResourceExhausted => {
            return Ok(Received::Status(status));
        }
        Err(status) => return Err(Failure::Unknown(status.message)),
        Ok(message) => message,
    };
    match frames.next().await {
        Err(status) => return Err(Failure::Unknown(status.message)),
        Ok(Some(_)) => return Err(Failure::Unknown("it answered twice".to_owned())),
        Ok(None) => {}
    }
    match (message, frames.status()) {
        (_, Some(Err(status))) => Ok(Received::Status(status)),
        (Some(message), Some(Ok(()))) => Ok(Received::Message(message)),
        (None, Some(Ok(()))) => Err(Failure::Unknown("it answered nothing".to_owned())),
        (_, None) => Err(Failure::Unknown(
            "it did not say how the call ended".to_owned(),
        )),
    }
}

// === impl Shared ===

impl Shared {
    fn request(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let scheme = match self.config.security {
            Security::Tls(_) => "https",
            Security::Machine | Security::Token(_) => "http",
        };
        let request = Request::post(format!("{scheme}://{NODE_NAME}{path}"))
            .header(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/grpc"),
            )
            .header(header::TE, HeaderValue::from_static("trailers"))
            .body(Full::new(body));
        let mut request = request.map_err(|error| Failure::NotSent(error.to_string()))?;
        request.headers_mut().extend(headers);
        Ok(request)
    }

    async fn send(
        self: &Arc<Self>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut sender = self.sender().await.map_err(Failure::NotSent)?;
        match sender.try_send_request(request).await {
            Ok(response) => Ok(response),
            Err(mut error) => {
                let was_kept = error.take_message().is_some();
                let error = error.into_error();
                let what = skald_core::call::chain(&error);
                if was_kept || was_turned_away(&error) {
                    Err(Failure::NotSent(what))
                } else {
                    Err(Failure::Unknown(what))
                }
            }
        }
    }

    /// The connection, a new one if need be.
    async fn sender(self: &Arc<Self>) -> Result<Sender, String> {
        if self.tasks.shutdown().is_said() {
            return Err("this node stops".to_owned());
        }
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        match &state.sender {
            Some(sender) if !sender.is_closed() => return Ok(sender.clone()),
            Some(_) | None => state.sender = None,
        }
        if let Some((at, what)) = &state.failed
            && *at >= asked
        {
            return Err(what.clone());
        }
        // Connecting is rare, and much larger than all that waits for it.
        let opened = timeout(self.config.limits.connect, Box::pin(self.open())).await;
        let opened = opened.unwrap_or_else(|_| {
            Err(format!(
                "no connection within {:?}",
                self.config.limits.connect
            ))
        });
        match opened {
            Ok(sender) => {
                state.sender = Some(sender.clone());
                Ok(sender)
            }
            Err(what) => {
                state.failed = Some((Instant::now(), what.clone()));
                Err(what)
            }
        }
    }

    async fn open(self: &Arc<Self>) -> Result<Sender, String> {
        let stream = TcpStream::connect(self.address).await;
        let stream = stream.map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        match &self.config.security {
            Security::Machine | Security::Token(_) => self.shake_hands(stream).await,
            Security::Tls(tls) => {
                let stream = tls.connector().connect(tls.name().clone(), stream).await;
                self.shake_hands(stream.map_err(|error| error.to_string())?)
                    .await
            }
        }
    }

    async fn shake_hands<S>(self: &Arc<Self>, stream: S) -> Result<Sender, String>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let limits = &self.config.limits;
        let shaken = http2::Builder::new(Background(self.tasks.clone()))
            .timer(TokioTimer::new())
            .max_header_list_size(limits.header_bytes)
            .adaptive_window(true)
            .keep_alive_interval(limits.ping)
            .keep_alive_timeout(limits.ping_timeout)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) = shaken.map_err(|error| error.to_string())?;
        let (stop, shared) = (self.tasks.shutdown(), Arc::downgrade(self));
        self.tasks.spawn("connection to a node", async move {
            let mut connection = pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.wait() => {
                    // It ends with the calls that are under way, once nobody can make new ones.
                    if let Some(shared) = shared.upgrade() {
                        shared.state.lock().await.sender = None;
                    }
                    connection.await
                }
            };
            if let Err(error) = ended {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "a connection to a node broke");
            }
        });
        Ok(sender)
    }
}

/// Whether the other side says that it has not looked at the call: it refused the stream, or it was leaving already.
///
/// Of a connection that the other side leaves, only the streams after the last one it has looked at end with its farewell;
/// the others end with the connection.
fn was_turned_away(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<h2::Error>() {
            let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
            return error.is_remote() && (is_refused || error.is_go_away());
        }
        source = cause.source();
    }
    false
}

// === impl Background ===

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Background {
    fn execute(&self, task: F) {
        self.0.spawn("connection to a node", task);
    }
}
