//! What a gateway has to know before the first request.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, Uri, uri::PathAndQuery};
use skald_core::{
    manifest::{
        App, AuthSettings, ByteSize, ComponentId, ComponentSettings, HttpTarget, Route,
        StaticResponse,
    },
    route::{MethodPattern, Pattern},
};
use thiserror::Error;
use tokio::sync::watch;

/// What a gateway has to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The application's name, the realm of its tokens.
    pub application: String,
    /// The public routes and what each leads to.
    pub routes: Vec<(Pattern, Target)>,
    /// Whose tokens are accepted; without it every request is let in and nobody is known.
    pub auth: Option<Auth>,
    /// Bounds on what a client may take.
    pub limits: Limits,
    /// Whether the application can answer: what `/ready` says.
    pub ready: watch::Receiver<bool>,
}

/// What a route leads to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A component.
    Component(ComponentTarget),
    /// Always the same answer.
    Static(Response<Bytes>),
}

/// A component as a route knows it.
#[derive(Clone, Debug)]
pub struct ComponentTarget {
    /// Its name.
    pub id: ComponentId,
    /// The longest body of a request to it.
    pub body_limit: ByteSize,
    /// Requests that need an `Idempotency-Key`.
    pub idempotent: Vec<MethodPattern>,
}

/// Whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Auth {
    /// The `iss` of a token.
    pub issuer: String,
    /// The `aud` of a token.
    pub audience: String,
    /// Where the keys are published.
    pub jwks: Jwks,
    /// Requests that need no token. All others do.
    pub public: Vec<MethodPattern>,
}

/// The component that publishes the keys, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// The component.
    pub component: ComponentId,
    /// The path of the key set.
    pub path: PathAndQuery,
}

/// Bounds on what a client may take, so that one of them cannot starve the others.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From the first byte of a request to the end of its header; also how long a connection may idle.
    pub header_timeout: Duration,
    /// All header bytes of a request. Their number is hyper's default, 100, which keeps them on the stack.
    pub header_bytes: usize,
    /// From the end of the header to the end of the body.
    pub body_timeout: Duration,
    /// Connections at once; more wait in the listener's queue.
    pub connections: usize,
    /// How long running requests may take to end when the gateway stops.
    pub drain: Duration,
}

/// Why a manifest makes no gateway.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The keys of tokens are not published by a component of this application.
    #[error("`jwks` is `{0}`; write `http://<component>.spin.internal/<path>`")]
    Jwks(String),
    /// A route leads to a component that is not there.
    #[error("a route leads to `{0}`, which is not a component of the application")]
    UnknownComponent(ComponentId),
}

// === impl Config ===

impl Config {
    /// The gateway that a manifest asks for.
    pub fn of(app: &App, ready: watch::Receiver<bool>) -> Result<Self, ConfigError> {
        let mut routes = Vec::with_capacity(app.http.len());
        for trigger in &app.http {
            // A private route is for other components, and those do not come this way.
            let Route::Public(pattern) = &trigger.route else {
                continue;
            };
            routes.push((pattern.clone(), Target::of(app, &trigger.target)?));
        }
        let auth = app.settings.http.auth.as_ref().map(Auth::of).transpose()?;
        Ok(Self {
            application: app.name.clone(),
            routes,
            auth,
            limits: Limits::default(),
            ready,
        })
    }
}

// === impl Target ===

impl Target {
    fn of(app: &App, target: &HttpTarget) -> Result<Self, ConfigError> {
        match target {
            HttpTarget::Static(answer) => Ok(Self::Static(fixed(answer))),
            HttpTarget::Component(id) => match app.components.get(id) {
                Some(component) => Ok(Self::Component(ComponentTarget::of(
                    id,
                    &component.settings,
                ))),
                None => Err(ConfigError::UnknownComponent(id.clone())),
            },
        }
    }
}

fn fixed(answer: &StaticResponse) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(answer.body.clone()));
    *response.status_mut() = answer.status;
    response.headers_mut().clone_from(&answer.headers);
    response
}

// === impl ComponentTarget ===

impl ComponentTarget {
    fn of(id: &ComponentId, settings: &ComponentSettings) -> Self {
        Self {
            id: id.clone(),
            body_limit: settings.http.body_limit,
            idempotent: settings.http.idempotent.clone(),
        }
    }
}

// === impl Auth ===

impl Auth {
    fn of(settings: &AuthSettings) -> Result<Self, ConfigError> {
        Ok(Self {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            jwks: Jwks::parse(&settings.jwks)?,
            public: settings.public.clone(),
        })
    }
}

// === impl Jwks ===

impl Jwks {
    /// Reads `http://<component>.spin.internal/<path>`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = || ConfigError::Jwks(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let component = uri
            .host()
            .and_then(|host| host.strip_suffix(".spin.internal"))
            .ok_or_else(wrong)?;
        let path = uri.path_and_query().cloned().ok_or_else(wrong)?;
        if component.is_empty() || uri.scheme_str() != Some("http") {
            return Err(wrong());
        }
        Ok(Self {
            component: ComponentId::from(component),
            path,
        })
    }
}

// === impl Limits ===

impl Limits {
    /// What clients and proxies commonly keep an idle connection for, so that they seldom meet one that was just closed.
    /// A header itself is one packet or a few; who trickles it holds one of `CONNECTIONS` places this long.
    pub const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
    /// Several times what browsers with large cookies send.
    pub const HEADER_BYTES: usize = 64 * 1024;
    /// A MiB in this time is a slow phone.
    pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
    /// At about 20 KiB each this is well below what a small machine has.
    pub const CONNECTIONS: usize = 4096;
    /// The deadline of a call and then some, and inside the 30 s that Kubernetes gives.
    pub const DRAIN: Duration = Duration::from_secs(15);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Self::HEADER_TIMEOUT,
            header_bytes: Self::HEADER_BYTES,
            body_timeout: Self::BODY_TIMEOUT,
            connections: Self::CONNECTIONS,
            drain: Self::DRAIN,
        }
    }
}

#[cfg(test)]
mod tests;
