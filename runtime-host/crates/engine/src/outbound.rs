//! Guests' outgoing HTTP: granted hosts only, over pooled connections; other components by `http://<id>.spin.internal`.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header::HeaderName, uri::Scheme};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Legacy, connect::HttpConnector},
    rt::TokioExecutor,
};
use skald_core::{
    call::{CallError, Input, Reply, Request as CallRequest},
    context::{Cause, Context},
    manifest::ComponentId,
};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

use crate::state::{Shared, Slot};

/// How long a server outside may take to answer if the guest does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How much a guest may send to another component in one request.
const LARGEST_BODY: usize = 16 << 20;

/// The domain under which the application's components are found.
const INTERNAL: &str = ".spin.internal";

/// Headers that only the host may set on the way to a component.
const HOST_PREFIXES: [&str; 2] = ["skald-", "spin-"];

static PRINCIPAL: HeaderName = HeaderName::from_static("skald-principal");
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The connections to servers outside, shared by all components.
pub(crate) type Client = Legacy<HttpsConnector<HttpConnector>, WasiBody>;

pub(crate) fn client() -> Client {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Legacy::builder(TokioExecutor::new()).build(connector)
}

/// What an instance's outgoing requests go through.
pub(crate) struct Hooks {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
}

impl Hooks {
    pub(crate) const fn new(shared: Arc<Shared>, slot: Arc<Slot>) -> Self {
        Self { shared, slot }
    }
}

type Sent = Result<
    (
        Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for Hooks {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        static FILTER: std::sync::LazyLock<ForbiddenHeaderFilter> =
            std::sync::LazyLock::new(|| Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name)));
        Arc::clone(&FILTER)
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        sent: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        // Whether the guest read the answer to its end is of no use here.
        drop(sent);
        let shared = Arc::clone(&self.shared);
        let context = self.slot.context();
        Box::new(async move {
            if !is_granted(&shared.spec.outbound, &origin(request.uri())) {
                tracing::warn!(component = %shared.spec.id, url = %request.uri(), "allowed_outbound_hosts does not list it");
                return Err(Error::HttpRequestDenied);
            }
            let Ok(_place) = shared.outgoing.acquire().await else {
                return Err(Error::ConnectionLimitReached);
            };
            let most = patience(options.unwrap_or_default());
            let answer = async {
                match internal(request.uri()) {
                    Some(target) => call_component(&shared, target, request, context).await,
                    None => call_server(&shared.client, request).await,
                }
            };
            let response = tokio::time::timeout(most, answer)
                .await
                .unwrap_or(Err(Error::HttpResponseTimeout))?;
            let nothing_left: Box<dyn Future<Output = Result<(), Error>> + Send> =
                Box::new(async { Ok(()) });
            Ok((response, nothing_left))
        })
    }
}

/// How long the guest waits for an answer, from whoever it asked.
fn patience(options: RequestOptions) -> Duration {
    options
        .first_byte_timeout
        .or(options.connect_timeout)
        .unwrap_or(DEFAULT_TIMEOUT)
}

async fn call_server(
    client: &Client,
    request: Request<WasiBody>,
) -> Result<Response<WasiBody>, Error> {
    match client.request(request).await {
        Err(error) if error.is_connect() => Err(Error::ConnectionRefused),
        Err(error) => Err(Error::InternalError(Some(error.to_string()))),
        Ok(response) => Ok(response.map(|body| body.map_err(Error::from).boxed_unsync())),
    }
}

/// A request to another component is a call like any other; only its form is HTTP's.
async fn call_component(
    shared: &Shared,
    target: ComponentId,
    request: Request<WasiBody>,
    context: Context,
) -> Result<Response<WasiBody>, Error> {
    let Some(calls) = shared.calls.get() else {
        return Err(Error::DestinationUnavailable);
    };
    let (mut parts, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await;
    let body = body
        .map_err(|_| Error::HttpRequestBodySize(Some(LARGEST_BODY as u64)))?
        .to_bytes();
    vouch(&mut parts.headers, &context);
    let cause = Cause::Component(Arc::from(shared.spec.id.as_str()));
    let request = CallRequest {
        target,
        input: Input::Http(Request::from_parts(parts, body)),
        context: Context {
            once: None,
            cause,
            ..context
        },
    };
    match spawned(async move { calls.call_boxed(request).await }).await {
        Ok(Reply::Http(response)) => Ok(response.map(full)),
        Ok(Reply::Handled | Reply::Value(_)) => Err(Error::HttpProtocolError),
        Err(error) => Err(transport_error(&error)),
    }
}

/// Replaces what only the host may say about a request.
fn vouch(headers: &mut HeaderMap, context: &Context) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_host_header(name))
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
    if let Some(principal) = context
        .principal
        .as_ref()
        .and_then(|principal| principal.0.parse().ok())
    {
        headers.insert(&PRINCIPAL, principal);
    }
    if let Ok(trace) = context.trace.to_string().parse() {
        headers.insert(&TRACEPARENT, trace);
    }
}

/// What a failed call looks like to a guest that knows only HTTP.
fn transport_error(error: &CallError) -> Error {
    match error {
        CallError::TimedOut(_) => Error::HttpResponseTimeout,
        CallError::NoSuchComponent(_) => Error::DestinationNotFound,
        other if other.is_before_effect() => Error::DestinationUnavailable,
        _ => Error::ConnectionTerminated,
    }
}

/// Runs a call in a task of its own: a store's event loop cannot be entered from within another's.
#[expect(
    clippy::disallowed_methods,
    reason = "the task is owned by this future and ends with it"
)]
pub(crate) async fn spawned<F>(call: F) -> Result<Reply, CallError>
where
    F: Future<Output = Result<Reply, CallError>> + Send + 'static,
{
    struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);
    impl<T> Drop for AbortOnDrop<T> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let mut task = AbortOnDrop(tokio::spawn(call));
    match (&mut task.0).await {
        Ok(reply) => reply,
        Err(error) => Err(CallError::Engine(format!("the call's task ended: {error}"))),
    }
}

fn is_host_header(name: &HeaderName) -> bool {
    HOST_PREFIXES
        .iter()
        .any(|prefix| name.as_str().starts_with(prefix))
}

fn internal(uri: &Uri) -> Option<ComponentId> {
    uri.host()?.strip_suffix(INTERNAL).map(ComponentId::from)
}

fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme().unwrap_or(&Scheme::HTTPS);
    format!(
        "{scheme}://{}",
        uri.authority().map_or("", http::uri::Authority::as_str)
    )
}

/// Whether one of the patterns allows this `scheme://host[:port]`.
///
/// A pattern is `scheme://host[:port]`; `*` stands for any scheme, any host, any port, and `*.` for any subdomain.
pub(crate) fn is_granted(patterns: &[String], address: &str) -> bool {
    let Some(asked) = Place::parse(address) else {
        return false;
    };
    patterns
        .iter()
        .filter_map(|pattern| Place::parse(pattern))
        .any(|pattern| pattern.allows(&asked))
}

struct Place<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        // Credentials would make `http://good@evil` look like `good`.
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port == "*" || port.bytes().all(|b| b.is_ascii_digit()) => {
                (host, Some(port))
            }
            _ => (authority, None),
        };
        Some(Self { scheme, host, port })
    }

    fn port(&self) -> Option<&str> {
        self.port.or(match self.scheme {
            "http" => Some("80"),
            "https" => Some("443"),
            "redis" | "rediss" => Some("6379"),
            _ => None,
        })
    }

    fn allows(&self, asked: &Self) -> bool {
        let scheme = self.scheme == "*" || self.scheme == asked.scheme;
        let host = match self.host.strip_prefix("*.") {
            Some(domain) => asked
                .host
                .strip_suffix(domain)
                .is_some_and(|sub| sub.ends_with('.')),
            None => self.host == "*" || self.host.eq_ignore_ascii_case(asked.host),
        };
        let port = self.port == Some("*")
            || self.scheme == "*" && self.port.is_none()
            || self.port() == asked.port();
        scheme && host && port
    }
}

/// An HTTP body of bytes that are already there.
pub(crate) fn full(bytes: Bytes) -> WasiBody {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::is_granted;

    #[test]
    fn only_granted_places_can_be_reached() {
        let granted = |pattern: &str, address: &str| is_granted(&[pattern.to_owned()], address);
        assert!(granted(
            "http://psp.spin.internal",
            "http://psp.spin.internal"
        ));
        assert!(granted("https://*.example.com", "https://api.example.com"));
        assert!(granted("*://localhost:*", "redis://localhost:6379"));
        assert!(granted("redis://localhost:6379", "redis://localhost"));
        assert!(!granted("https://example.com", "http://example.com"));
        assert!(!granted("https://example.com", "https://example.com:8443"));
        assert!(!granted("https://*.example.com", "https://example.com"));
        assert!(!granted("https://*.example.com", "https://evilexample.com"));
        assert!(!granted(
            "https://example.com",
            "https://example.com@evil.com"
        ));
        assert!(!granted(
            "https://example.com",
            "https://example.com.evil.com"
        ));
    }
}
