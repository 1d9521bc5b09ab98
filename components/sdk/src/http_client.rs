//! Outgoing HTTP for functions that must not await: WASI 0.2, one request, its answer read whole.

use std::time::Duration;

use thiserror::Error;
use wasip2::{
    http::{
        outgoing_handler,
        types::{
            ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody,
            OutgoingRequest, RequestOptions, Scheme,
        },
    },
    io::streams::StreamError,
};

use crate::rest::Response;

/// The most that a stream takes at once by contract.
const CHUNK: usize = 4096;

/// More than any answer we ask for; a larger one is a mistake of the other side.
const MAX_BODY: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum TransportError {
    /// The address is not `http(s)://host/path`, or a method or header cannot be sent. Nothing was sent.
    #[error("the request cannot be sent: {0}")]
    Invalid(String),
    /// The connection failed or broke; the other side may or may not have acted.
    #[error("no answer: {0}")]
    Failed(String),
    /// No answer in time; the other side may or may not have acted.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
}

/// Sends a request and waits for the whole answer, whatever its status; `timeout` is for the connection and for each
/// wait in between.
pub fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    timeout: Duration,
) -> Result<Response, TransportError> {
    let request = request(method, url, headers, body.len())?;
    let outgoing = request.body().map_err(|()| invalid("no body"))?;
    let options = options(timeout)?;
    let pending = outgoing_handler::handle(request, Some(options))
        .map_err(|code| transport(&code, timeout))?;
    write(outgoing, body)?;
    let ready = pending.subscribe();
    let response = loop {
        match pending.get() {
            Some(Ok(Ok(response))) => break response,
            Some(Ok(Err(code))) => return Err(transport(&code, timeout)),
            Some(Err(())) => {
                return Err(TransportError::Failed(
                    "the answer was taken before".to_owned(),
                ));
            }
            None => ready.block(),
        }
    };
    read(&response)
}

fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    length: usize,
) -> Result<OutgoingRequest, TransportError> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        _ => return Err(invalid(url)),
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let fields = Fields::new();
    let length = length.to_string();
    for (name, value) in headers
        .iter()
        .copied()
        .chain([("content-length", length.as_str())])
    {
        fields
            .append(name, value.as_bytes())
            .map_err(|error| invalid(&format!("header {name:?}: {error}")))?;
    }
    let request = OutgoingRequest::new(fields);
    request
        .set_method(&word(method))
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| invalid(url))?;
    Ok(request)
}

fn options(timeout: Duration) -> Result<RequestOptions, TransportError> {
    let nanos = u64::try_from(timeout.as_nanos()).ok();
    let options = RequestOptions::new();
    options
        .set_connect_timeout(nanos)
        .and_then(|()| options.set_first_byte_timeout(nanos))
        .and_then(|()| options.set_between_bytes_timeout(nanos))
        .map_err(|()| invalid("a timeout"))?;
    Ok(options)
}

fn write(outgoing: OutgoingBody, body: &[u8]) -> Result<(), TransportError> {
    let stream = outgoing.write().map_err(|()| invalid("no body"))?;
    for chunk in body.chunks(CHUNK) {
        stream
            .blocking_write_and_flush(chunk)
            .map_err(|error| TransportError::Failed(format!("while sending: {error:?}")))?;
    }
    // The stream is a child of the body and has to go first.
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(|code| TransportError::Failed(code.to_string()))
}

fn read(response: &IncomingResponse) -> Result<Response, TransportError> {
    let broken = |what: &str| TransportError::Failed(format!("while receiving: {what}"));
    let mut answer = Response::new(response.status(), Vec::new());
    for (name, value) in response.headers().entries() {
        if let Ok(value) = String::from_utf8(value) {
            answer.headers.push((name.to_ascii_lowercase(), value));
        }
    }
    let incoming: IncomingBody = response.consume().map_err(|()| broken("no body"))?;
    let stream = incoming.stream().map_err(|()| broken("no stream"))?;
    loop {
        match stream.blocking_read(CHUNK as u64) {
            Ok(chunk) => answer.body.extend(chunk),
            Err(StreamError::Closed) => return Ok(answer),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(broken(&error.to_debug_string()));
            }
        }
        if answer.body.len() > MAX_BODY {
            return Err(broken("the answer is too large"));
        }
    }
}

fn word(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn transport(code: &ErrorCode, timeout: Duration) -> TransportError {
    match code {
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => TransportError::TimedOut(timeout),
        other => TransportError::Failed(other.to_string()),
    }
}

fn invalid(what: &str) -> TransportError {
    TransportError::Invalid(what.to_owned())
}
