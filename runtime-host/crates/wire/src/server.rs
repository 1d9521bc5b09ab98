//! Answers calls: functions of the local components, calls by other nodes, health and reflection.

mod caller;
mod health;
mod listen;
mod node;
mod reflection;
mod typed;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use skald_core::{
    call::{CallError, DynCall},
    context::Context,
};
use skald_telemetry::{
    ids,
    tasks::{Shutdown, Tasks},
};
use tokio::{net::TcpListener, time::Instant};

pub(crate) use self::{
    caller::{Caller, TOKEN},
    typed::{COMPONENT, CONTRACT},
};
use crate::{
    answer::Answer,
    config::{Config, ConfigError},
    contract::Contracts,
    envelope,
    frame::Frames,
    metadata,
    status::{Code, Status},
};

/// Code of a call that its caller may not make.
const NOT_ALLOWED: &str = "WIRE-003";

/// The answering side of the wire.
pub struct Server {
    desk: Arc<Desk>,
}

/// What every connection needs.
struct Desk {
    config: Config,
    contracts: Contracts,
    calls: Arc<dyn DynCall>,
}

/// What a connection knows beside the request.
struct Line<'a> {
    caller: &'a Caller,
    stop: Shutdown,
    /// Owns what goes on after the head of an answer.
    tasks: &'a Tasks,
}

// === impl Server ===

impl Server {
    /// A server for the components in `contracts`, and for no others: a call for another one is refused and not passed on,
    /// so that no call can wander between nodes.
    pub fn new(config: Config, contracts: Contracts, calls: Arc<dyn DynCall>) -> Self {
        Self {
            desk: Arc::new(Desk {
                config,
                contracts,
                calls,
            }),
        }
    }

    /// Serves until `shutdown` is said. Then nobody new is let in, and running calls may end for as long as the limits say.
    ///
    /// The listener is the caller's, so that the address is known, and taken, before anything is told of it.
    pub async fn serve(self, listener: TcpListener, shutdown: Shutdown) -> Result<(), ConfigError> {
        let address = listener.local_addr();
        let address = address.map_err(|error| ConfigError::NoAddress(error.to_string()))?;
        self.desk.config.security.check(address)?;
        listen::serve(self.desk, listener, shutdown).await;
        Ok(())
    }
}

// === impl Desk ===

impl Desk {
    async fn answer<B>(&self, request: Request<B>, line: &Line<'_>) -> Response<Answer>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        if let Some(status) = refusal(&request) {
            return refused(status);
        }
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let frames = Frames::new(body, self.config.limits.message_bytes);
        match path {
            reflection::PATH | reflection::PATH_ALPHA => {
                reflection::answer(&self.contracts, frames, line)
            }
            health::CHECK => Answer::unary(health::check(&self.contracts, frames, line).await),
            health::WATCH => health::watch(&self.contracts, frames, line).await,
            envelope::PATH => Answer::unary(self.call(&head.headers, frames, line).await),
            path => Answer::unary(self.function(path, &head.headers, frames, line).await),
        }
    }

    /// The context in which a node has sent its call.
    fn context_of_node(headers: &HeaderMap) -> Result<Context, Status> {
        let now = Instant::now().into_std();
        metadata::read(headers, now, ids::new_trace).map_err(malformed)
    }

    /// Answers may be as long as questions.
    fn fits(&self, message: Vec<u8>) -> Result<Vec<u8>, Status> {
        let most = self.config.limits.message_bytes;
        if message.len() <= most {
            return Ok(message);
        }
        let what = format!(
            "the answer has {} bytes; {most} are the most",
            message.len()
        );
        Err(Status::from(&CallError::OverLimit(what)))
    }
}

fn malformed(what: String) -> Status {
    Status::new(Code::InvalidArgument, what).because(crate::status::INVALID)
}

fn not_allowed(what: &str) -> Status {
    Status::new(Code::PermissionDenied, what).because(NOT_ALLOWED)
}

/// Why a request is none of gRPC's.
fn refusal<B>(request: &Request<B>) -> Option<StatusCode> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.map_or(&[][..], |value| value.as_bytes());
    let rest = content_type.strip_prefix(b"application/grpc");
    let is_grpc = rest.is_some_and(|rest| matches!(rest, [] | [b';', ..] | b"+proto"));
    if request.version() != Version::HTTP_2 {
        Some(StatusCode::HTTP_VERSION_NOT_SUPPORTED)
    } else if request.method() != Method::POST {
        Some(StatusCode::METHOD_NOT_ALLOWED)
    } else if !is_grpc {
        Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    } else {
        None
    }
}

fn refused(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::default());
    *response.status_mut() = status;
    response
}
