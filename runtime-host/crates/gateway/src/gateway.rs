//! The way of a request, from outside to inside: read [`Gateway::answer`] and [`Gateway::carry`] from top to bottom.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Uri, header, request::Parts};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use skald_core::{
    call::{self, CallError, DynCall, Input, Reply},
    context::{Cause, Context, Once},
    manifest::ComponentId,
    route::Routes,
};
use skald_telemetry::tasks::Shutdown;
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::Instant,
};

use crate::{
    auth::{Authenticator, Verified},
    body,
    config::{ComponentTarget, Config, Limits, Target},
    failure::Failure,
    forward::{self, Prepared, Sender},
    health, idempotency, path,
    prefer::{Wait, Waiting},
    problem, respond,
    trace::Trace,
};

/// Answers requests from outside, most of them with what a component says.
pub struct Gateway {
    pub(crate) routes: Routes<Prepared<Target>>,
    pub(crate) limits: Limits,
    application: String,
    auth: Option<Authenticator>,
    ready: watch::Receiver<bool>,
    calls: Arc<dyn DynCall>,
    pub(crate) waiting: Waiting,
    /// Room for bodies, in KiB.
    bodies: Semaphore,
}

/// All bodies together: a quarter GiB, whoever sends them and however slowly.
const ROOM_KIB: usize = 256 << 10;
/// When a client without room may come again.
const ROOM_AGAIN: Duration = Duration::from_secs(1);

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its address, for `spin-client-addr`.
    pub(crate) address: HeaderValue,
    /// The word that the gateway stops.
    pub(crate) stop: Shutdown,
}

/// What is known of a request as soon as it is there, and still needed when it is gone to a component.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) host: Option<HeaderValue>,
    pub(crate) trace: Trace,
    pub(crate) started: Instant,
    pub(crate) peer: &'a Peer,
}

// === impl Gateway ===

impl Gateway {
    /// A gateway that makes its calls through `calls`.
    pub fn new(config: Config, calls: Arc<dyn DynCall>) -> Self {
        let routes = config.routes.into_iter().map(|(pattern, target)| {
            let prepared = Prepared::new(&pattern, target);
            (pattern, prepared)
        });
        Self {
            routes: Routes::build(routes.collect()),
            limits: config.limits,
            application: config.application,
            auth: config
                .auth
                .map(|auth| Authenticator::new(auth, Arc::clone(&calls))),
            ready: config.ready,
            calls,
            waiting: Waiting::default(),
            bodies: Semaphore::new(ROOM_KIB),
        }
    }

    /// Answers a request, whatever happens to it.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: &Peer,
    ) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let visit = Visit::new(&head, peer);
        let is_ready = || *self.ready.borrow() && !peer.stop.is_said();
        let answered = match health::answer(&visit.method, visit.uri.path(), is_ready) {
            Some(health) => Ok(health),
            None => self.carry(&visit, head, body).await,
        };
        let response = answered
            .unwrap_or_else(|failure| problem::respond(&failure, &visit, &self.application));
        let response = respond::finish(response, &visit.method, &visit.trace);
        tracing::debug!(
            method = %visit.method,
            path = visit.uri.path(),
            status = response.status().as_u16(),
            took = ?visit.started.elapsed(),
            trace_id = visit.trace.id.to_str().unwrap_or(""),
            client = visit.peer.address.to_str().unwrap_or(""),
            "request"
        );
        response
    }

    /// Reads what the first token will need, so that no crowd at the door can keep it from being read.
    pub async fn prepare(&self) {
        if let Some(auth) = &self.auth {
            auth.prepare().await;
        }
    }

    /// Room for a body until its request is answered: as long as it says it is, or may be.
    fn room(
        &self,
        body: &Incoming,
        target: &ComponentTarget,
    ) -> Result<SemaphorePermit<'_>, Failure> {
        let longest = target.body_limit.as_u64();
        let asked = body.size_hint().upper().unwrap_or(longest).min(longest);
        let kib = u32::try_from(asked.div_ceil(1024)).unwrap_or(u32::MAX);
        self.bodies.try_acquire_many(kib).map_err(|_full| {
            CallError::Overloaded {
                component: target.id.clone(),
                retry_after: ROOM_AGAIN,
            }
            .into()
        })
    }

    /// Carries a request to whatever its route leads to.
    async fn carry(
        &self,
        visit: &Visit<'_>,
        mut head: Parts,
        body: Incoming,
    ) -> Result<Response<Bytes>, Failure> {
        let path = path::clear(visit.uri.path())?;
        let found = self.routes.find(path).ok_or(Failure::NoRoute)?;
        // Before anything reads the headers, so that nobody can tell us who they are.
        forward::strip(&mut head.headers);
        let visitor = match &self.auth {
            Some(auth) => auth.admit(&visit.method, path, &mut head.headers).await?,
            None => None,
        };
        let target = match &found.value.target {
            Target::Static(answer) => return Ok(answer.clone()),
            Target::Component(target) => target,
        };
        // After the token, so that only those who may come in cost memory; and not more of them than there is memory for.
        let _room = self.room(&body, target)?;
        let body = body::read(body, self.bounds(target, &head)).await?;
        let principal = visitor.as_ref().map(|visitor| &visitor.principal);
        let once = idempotency::once(target, &head, principal, &body)?;
        let wait = Wait::wanted(&head.headers);
        forward::dress(&mut head, &found, &visit.sender(visitor.as_ref()))?;
        let context = visit.context(visitor.as_ref(), once);
        let answer = self
            .call(target.id.clone(), Request::from_parts(head, body), context)
            .await?;
        Ok(match wait {
            Some(wait) => self.wait(answer, wait, visit, visitor.as_ref()).await,
            None => answer,
        })
    }

    /// Makes a call and tidies its answer.
    pub(crate) async fn call(
        &self,
        target: ComponentId,
        request: Request<Bytes>,
        context: Context,
    ) -> Result<Response<Bytes>, Failure> {
        let method = request.method().clone();
        let request = call::Request {
            target,
            input: Input::Http(request),
            context,
        };
        match self.calls.call_boxed(request).await? {
            Reply::Http(response) => Ok(respond::tidy(response, &method)?),
            Reply::Handled | Reply::Value(_) => Err(CallError::Engine(
                "a request was answered with something else than a response".to_owned(),
            )
            .into()),
        }
    }

    /// Whether a request needs no token.
    pub(crate) fn is_public(&self, method: &Method, path: &str) -> bool {
        self.auth
            .as_ref()
            .is_none_or(|auth| auth.is_public(method, path))
    }

    fn bounds(&self, target: &ComponentTarget, head: &Parts) -> body::Bounds {
        body::Bounds {
            longest: target.body_limit,
            slowest: self.limits.body_timeout,
            announced: head.headers.contains_key(header::EXPECT),
        }
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}

// === impl Visit ===

impl<'a> Visit<'a> {
    fn new(head: &Parts, peer: &'a Peer) -> Self {
        let named = head
            .uri
            .authority()
            .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        Self {
            method: head.method.clone(),
            uri: head.uri.clone(),
            host: named.or_else(|| head.headers.get(header::HOST).cloned()),
            trace: Trace::of(&head.headers),
            started: Instant::now(),
            peer,
        }
    }

    pub(crate) fn sender<'s>(&'s self, visitor: Option<&'s Verified>) -> Sender<'s> {
        Sender {
            trace: &self.trace,
            principal: visitor.map(|visitor| &visitor.header),
            client: &self.peer.address,
        }
    }

    pub(crate) fn context(&self, visitor: Option<&Verified>, once: Option<Once>) -> Context {
        Context {
            principal: visitor.map(|visitor| visitor.principal.clone()),
            trace: self.trace.context,
            // The deadline of a call is the component's, and the mesh knows it.
            deadline: None,
            once,
            cause: Cause::Request,
        }
    }
}

#[cfg(test)]
mod tests;
