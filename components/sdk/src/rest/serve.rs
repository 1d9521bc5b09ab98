//! The bridge from spin-sdk's asynchronous handler to plain functions.

use bytes::Bytes;
use spin_sdk::http::{
    FullBody, HeaderMap, HeaderName, HeaderValue, Request as Incoming, StatusCode,
    body::IncomingBodyExt as _,
};

use super::{Problem, Request, Response, answer};

/// What a handler gives back to spin-sdk.
pub type Outgoing = (StatusCode, HeaderMap, FullBody<Bytes>);

/// Reads the request whole, runs `routes`, and hands the answer back with its length.
pub async fn serve(
    incoming: Incoming,
    routes: impl FnOnce(&Request) -> Result<Response, Problem>,
) -> Outgoing {
    let response = match read(incoming).await {
        Ok(request) => answer(&request, routes),
        Err(refusal) => refusal,
    };
    write(response)
}

async fn read(incoming: Incoming) -> Result<Request, Response> {
    let (head, body) = incoming.into_parts();
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    // A header that is not text is none of those we read.
    let headers: Vec<(&str, &str)> = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let request = Request::received(head.method.as_str(), target, &headers)?;
    match body.bytes().await {
        Ok(body) => Ok(request.with_body(body)),
        Err(error) => {
            let problem = Problem::bad_request(format!("the body did not arrive: {error}"));
            Err(problem.into_response(request.trace_id()).with_length())
        }
    }
}

fn write(response: Response) -> Outgoing {
    let mut headers = HeaderMap::new();
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, headers, FullBody::new(Bytes::from(response.body)))
}
