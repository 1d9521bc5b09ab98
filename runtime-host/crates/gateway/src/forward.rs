//! Makes a client's request a component's: what only the host may say is taken out and said by the host.
//!
//! The client's header map is kept and changed in place. What does not change from request to request is prepared:
//! by route in [`Prepared`], by connection in [`Sender::client`].

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Uri, header,
    request::Parts,
    uri::{Authority, Scheme},
};
use skald_core::route::{Match, Pattern};

use crate::{
    failure::Failure,
    trace::{TRACEPARENT, Trace},
};

/// The verified subject, for components.
const PRINCIPAL: HeaderName = HeaderName::from_static("skald-principal");
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// What a route leads to, with the headers that are the same for all its requests.
#[derive(Debug)]
pub(crate) struct Prepared<T> {
    pub(crate) target: T,
    route: HeaderValue,
    prefix: HeaderValue,
    params: Vec<HeaderName>,
}

/// On whose behalf a request is sent to a component.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) principal: Option<&'a HeaderValue>,
    pub(crate) client: &'a HeaderValue,
}

// === impl Prepared ===

impl<T> Prepared<T> {
    pub(crate) fn new(pattern: &Pattern, target: T) -> Self {
        let names = pattern
            .as_str()
            .split('/')
            .filter_map(|segment| segment.strip_prefix(':'));
        Self {
            target,
            route: opaque(pattern.as_str()),
            prefix: opaque(pattern.prefix()),
            params: names.filter_map(param_header).collect(),
        }
    }
}

/// A pattern has no control characters, so the other branch is never taken.
fn opaque(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn param_header(name: &str) -> Option<HeaderName> {
    let name = format!(
        "spin-path-match-{}",
        name.to_ascii_lowercase().replace('_', "-")
    );
    HeaderName::try_from(name).ok()
}

/// Takes out what a client must not say to a component, and what is between the client and this hop only.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let named = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let named = named
        .flat_map(|names| names.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok());
    // A client may call any header one of this hop; those that say who and how long are not its to drop.
    let named =
        named.filter(|name| *name != header::CONTENT_LENGTH && *name != header::AUTHORIZATION);
    let mut doomed: Vec<HeaderName> = named.collect();
    doomed.extend(
        headers
            .keys()
            .filter(|name| is_not_for_components(name))
            .cloned(),
    );
    for name in doomed {
        headers.remove(name);
    }
}

fn is_not_for_components(name: &HeaderName) -> bool {
    let text = name.as_str();
    text.starts_with("skald-") || text.starts_with("spin-") || is_of_one_hop(text)
}

/// Headers about the connection, not the message (RFC 9110, 7.6.1).
pub(crate) fn is_of_one_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Makes the URI absolute and adds the headers by which a component knows its request, as Spin names them.
pub(crate) fn dress<T>(
    head: &mut Parts,
    found: &Match<'_, '_, Prepared<T>>,
    sender: &Sender<'_>,
) -> Result<(), Failure> {
    let full_url = absolute(head)?;
    let path_info = HeaderValue::from_str(found.path_info()).map_err(|_| Failure::UnclearPath)?;
    let prepared = found.value;
    let headers = &mut head.headers;
    headers.reserve(9 + prepared.params.len());
    headers.insert(FULL_URL, full_url);
    headers.insert(PATH_INFO, path_info);
    headers.insert(MATCHED_ROUTE, prepared.route.clone());
    headers.insert(RAW_COMPONENT_ROUTE, prepared.route.clone());
    headers.insert(COMPONENT_ROUTE, prepared.prefix.clone());
    headers.insert(BASE_PATH, HeaderValue::from_static("/"));
    headers.insert(CLIENT_ADDR, sender.client.clone());
    headers.insert(TRACEPARENT, sender.trace.parent.clone());
    for (name, (_, value)) in prepared.params.iter().zip(found.params()) {
        let value = HeaderValue::from_str(value).map_err(|_| Failure::UnclearPath)?;
        headers.insert(name.clone(), value);
    }
    if let Some(principal) = sender.principal {
        headers.insert(PRINCIPAL, principal.clone());
    }
    Ok(())
}

/// Gives the request its full URI. The URI's parts and the header with it share one piece of memory.
fn absolute(head: &mut Parts) -> Result<HeaderValue, Failure> {
    const SCHEME: &[u8] = b"http://";
    let mut parts = std::mem::take(&mut head.uri).into_parts();
    // Before HTTP/1.1 a request need not say whom it asks; the name is Spin's.
    let from_header = || {
        head.headers
            .get(header::HOST)
            .map_or(&b"localhost"[..], HeaderValue::as_bytes)
    };
    let host = parts
        .authority
        .as_ref()
        .map_or_else(from_header, |authority| authority.as_str().as_bytes());
    let path = parts
        .path_and_query
        .as_ref()
        .map_or("/", |path| path.as_str());
    let mut text = BytesMut::with_capacity(SCHEME.len() + host.len() + path.len());
    text.extend_from_slice(SCHEME);
    text.extend_from_slice(host);
    text.extend_from_slice(path.as_bytes());
    let host_end = SCHEME.len() + host.len();
    let text: Bytes = text.freeze();
    let authority = Authority::from_maybe_shared(text.slice(SCHEME.len()..host_end));
    // Credentials in a URL have no place in a request.
    let authority = authority
        .ok()
        .filter(|authority| !authority.as_str().contains('@'))
        .ok_or(Failure::BadHost)?;
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    head.uri = Uri::from_parts(parts).map_err(|_| Failure::UnclearPath)?;
    HeaderValue::from_maybe_shared(text).map_err(|_| Failure::UnclearPath)
}
