//! A call: one invocation of one exported function, whoever makes it, and the ways it can end.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use bytes::Bytes;
use thiserror::Error;

use crate::{context::Context, manifest::ComponentId, store::StoreError, value::Value};

/// A future that is boxed because its maker is behind a `dyn` port.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A call as a value: who is asked, what, and on whose behalf.
#[derive(Clone, Debug)]
pub struct Request {
    /// The component that is asked.
    pub target: ComponentId,
    /// What it is asked.
    pub input: Input,
    /// Principal, trace, deadline, cause.
    pub context: Context,
}

/// What a component can be asked.
#[derive(Clone, Debug)]
pub enum Input {
    /// An HTTP request with its whole body.
    Http(http::Request<Bytes>),
    /// A message of a topic.
    Message(Bytes),
    /// A function of an exported interface.
    Function(Function),
}

/// A call of a contract's function.
#[derive(Clone, Debug)]
pub struct Function {
    /// The interface as the component exports it: `shop:inventory/api@1.0.0`.
    pub interface: Arc<str>,
    /// The function's name in it.
    pub name: Arc<str>,
    /// One value for each parameter.
    pub arguments: Vec<Value>,
}

/// What a component answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An HTTP response with its whole body.
    Http(http::Response<Bytes>),
    /// The message was handled.
    Handled,
    /// The function's result; none where it returns nothing.
    Value(Option<Value>),
}

impl Reply {
    /// Whether what the call wrote may be kept: a refusal changes nothing.
    pub fn keeps_effects(&self) -> bool {
        match self {
            Self::Http(response) => response.status().as_u16() < 400,
            Self::Handled => true,
            Self::Value(value) => !matches!(value, Some(Value::Result(Err(_)))),
        }
    }
}

/// The one way to ask a component; every wrapper of the mesh is one.
pub trait Call: Send + Sync + 'static {
    /// Makes the call and waits for its end.
    fn call(&self, request: &Request) -> impl Future<Output = Result<Reply, CallError>> + Send;

    /// [`Call::call`] for those who can give the request away.
    fn send(&self, request: Request) -> impl Future<Output = Result<Reply, CallError>> + Send {
        async move { self.call(&request).await }
    }
}

/// [`Call`] for those who cannot be generic over it.
pub trait DynCall: Send + Sync + 'static {
    /// Makes the call and waits for its end.
    fn call_boxed(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>>;
}

impl<C: Call> DynCall for C {
    fn call_boxed(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(self.send(request))
    }
}

/// A road that is built after those who take it, and is not kept alive by them.
#[derive(Default)]
pub struct Later(OnceLock<Weak<dyn DynCall>>);

impl Later {
    /// Tells where the road begins. Only the first word counts; the host says just one.
    pub fn connect(&self, calls: Weak<dyn DynCall>) {
        let _ = self.0.set(calls);
    }

    /// The road, while it is there.
    pub fn get(&self) -> Option<Arc<dyn DynCall>> {
        self.0.get()?.upgrade()
    }
}

impl DynCall for Later {
    fn call_boxed(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            match self.get() {
                Some(calls) => calls.call_boxed(request).await,
                None => Err(CallError::ShuttingDown),
            }
        })
    }
}

/// Whose fault a failed call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The caller asked for something that cannot be.
    Caller,
    /// The component misbehaved.
    Component,
    /// The host, its disk, or its limits.
    Host,
}

/// Why a call has no answer. A refusal by the component is an answer, not one of these.
#[derive(Clone, Debug, Error)]
pub enum CallError {
    /// No component of that name is deployed.
    #[error("no component is named \"{0}\"")]
    NoSuchComponent(ComponentId),
    /// The component does not export what was asked for.
    #[error("{component} does not export {export}")]
    NoSuchExport {
        /// The component that was asked.
        component: ComponentId,
        /// The interface, or interface and function.
        export: String,
    },
    /// Too many calls are running or waiting.
    #[error("{component} has too many calls at once; try again in {retry_after:?}")]
    Overloaded {
        /// The component that was asked.
        component: ComponentId,
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The breaker is open.
    #[error("{component} is failing; try again in {retry_after:?}")]
    Broken {
        /// The component that was asked.
        component: ComponentId,
        /// When the next probe is let through.
        retry_after: Duration,
    },
    /// No answer in time; the guest was interrupted.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The guest stopped itself or broke a rule of wasm.
    #[error("the component trapped: {0}")]
    Trapped(String),
    /// The guest wanted more of something than its manifest gives it.
    #[error("the component went over its limit: {0}")]
    OverLimit(String),
    /// A message handler answered with an error.
    #[error("the handler failed: {0}")]
    HandlerFailed(String),
    /// Others kept changing what this call had read.
    #[error("the data kept changing under the call ({attempts} attempts)")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// An idempotency key was used before with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// A call with the same idempotency key is still running.
    #[error("a request with this idempotency key is still running")]
    KeyRunning,
    /// The store did not do its part.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The engine could not make an instance or convert a value.
    #[error("the engine failed: {0}")]
    Engine(String),
    /// The host is draining.
    #[error("the host is shutting down")]
    ShuttingDown,
}

impl CallError {
    /// A stable code with a page in `docs/errors/`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchComponent(_) => "CALL-001",
            Self::NoSuchExport { .. } => "CALL-002",
            Self::Overloaded { .. } => "CALL-003",
            Self::Broken { .. } => "CALL-004",
            Self::TimedOut(_) => "CALL-005",
            Self::Trapped(_) => "CALL-006",
            Self::OverLimit(_) => "CALL-007",
            Self::HandlerFailed(_) => "CALL-008",
            Self::Conflict { .. } => "CALL-009",
            Self::KeyReused => "CALL-010",
            Self::KeyRunning => "CALL-011",
            Self::Store(_) => "CALL-012",
            Self::Engine(_) => "CALL-013",
            Self::ShuttingDown => "CALL-014",
        }
    }

    /// Whose fault it is.
    pub const fn blame(&self) -> Blame {
        match self {
            Self::NoSuchComponent(_)
            | Self::NoSuchExport { .. }
            | Self::KeyReused
            | Self::KeyRunning => Blame::Caller,
            Self::Broken { .. }
            | Self::TimedOut(_)
            | Self::Trapped(_)
            | Self::OverLimit(_)
            | Self::HandlerFailed(_) => Blame::Component,
            Self::Overloaded { .. }
            | Self::Conflict { .. }
            | Self::Store(_)
            | Self::Engine(_)
            | Self::ShuttingDown => Blame::Host,
        }
    }

    /// Whether the component surely did nothing, so that anyone may try again.
    pub const fn is_before_effect(&self) -> bool {
        match self {
            Self::NoSuchComponent(_)
            | Self::NoSuchExport { .. }
            | Self::Overloaded { .. }
            | Self::Broken { .. }
            | Self::Conflict { .. }
            | Self::KeyReused
            | Self::KeyRunning
            | Self::ShuttingDown => true,
            Self::TimedOut(_)
            | Self::Trapped(_)
            | Self::OverLimit(_)
            | Self::HandlerFailed(_)
            | Self::Store(_)
            | Self::Engine(_) => false,
        }
    }

    /// When the callee asks to be tried again, if it says so.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after, .. } | Self::Broken { retry_after, .. } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }
}

/// An error's whole chain of causes on one line, for logs and for a caller's caller.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
