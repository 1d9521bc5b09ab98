//! What is done to an answer before it leaves.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, header};
use http_body_util::Full;
use skald_core::call::CallError;

use crate::{
    forward::is_of_one_hop,
    trace::{TRACE_ID, Trace},
};

/// Takes out of a component's answer what belongs to the connection, which is the gateway's.
pub(crate) fn tidy(
    mut response: Response<Bytes>,
    method: &Method,
) -> Result<Response<Bytes>, CallError> {
    let status = response.status();
    if status.is_informational() {
        return Err(CallError::Engine(format!(
            "the component answered {status}, which is not a final answer"
        )));
    }
    let doomed: Vec<HeaderName> = response
        .headers()
        .keys()
        .filter(|name| is_of_one_hop(name.as_str()))
        .cloned()
        .collect();
    for name in doomed {
        response.headers_mut().remove(name);
    }
    // The length is counted, not believed; only an answer without a body may state that of another.
    if method != Method::HEAD {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    Ok(response)
}

/// Names the trace, and leaves the body out where HTTP has none.
pub(crate) fn finish(
    mut response: Response<Bytes>,
    method: &Method,
    trace: &Trace,
) -> Response<Full<Bytes>> {
    let length = response.body().len();
    let is_head = method == Method::HEAD;
    let headers = response.headers_mut();
    headers.insert(TRACE_ID, trace.id.clone());
    if is_head && length > 0 {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let status = response.status().as_u16();
    let has_no_body = is_head || status == 204 || status == 304;
    response.map(|body| {
        if has_no_body {
            Full::default()
        } else {
            Full::new(body)
        }
    })
}
