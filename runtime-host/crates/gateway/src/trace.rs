//! Which trace a request belongs to, as values and as headers, formatted once.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use skald_core::context::TraceContext;
use skald_telemetry::ids;

/// W3C Trace Context.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What a client quotes when it asks about a request.
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("trace-id");

/// The gateway's own span in the trace of a request.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    /// As calls carry it.
    pub(crate) context: TraceContext,
    /// As components see it.
    pub(crate) parent: HeaderValue,
    /// As the client sees it.
    pub(crate) id: HeaderValue,
}

/// Where the trace id stands in a `traceparent`.
const ID: std::ops::Range<usize> = 3..35;

// === impl Trace ===

impl Trace {
    /// Continues the trace of the client, or begins one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sent = headers
            .get(TRACEPARENT)
            .and_then(|value| value.to_str().ok())
            .and_then(TraceContext::parse);
        Self::new(sent.map_or_else(ids::new_trace, |context| context.child(ids::span_id())))
    }

    /// The headers of a span.
    pub(crate) fn new(context: TraceContext) -> Self {
        let text = Bytes::from(context.to_string());
        let id = text
            .get(ID)
            .map(|id| text.slice_ref(id))
            .unwrap_or_default();
        Self {
            context,
            parent: hexadecimal(text),
            id: hexadecimal(id),
        }
    }
}

fn hexadecimal(text: Bytes) -> HeaderValue {
    // Digits and dashes are a header value, so the other branch is never taken.
    HeaderValue::from_maybe_shared(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{TRACEPARENT, Trace};

    #[test]
    fn a_client_s_trace_continues_in_a_new_span() {
        let sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        let trace = Trace::of(&HeaderMap::from_iter([(
            TRACEPARENT,
            HeaderValue::from_static(sent),
        )]));
        assert_eq!(trace.id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(!trace.context.sampled);
        assert_ne!(trace.context.span_id, 0x00f0_67aa_0ba9_02b7);
        assert_eq!(trace.parent, trace.context.to_string().as_str());
    }

    #[test]
    fn a_request_without_a_trace_begins_one_that_is_recorded() {
        let bad = HeaderMap::from_iter([(TRACEPARENT, HeaderValue::from_static("00-0-0-00"))]);
        for headers in [HeaderMap::new(), bad] {
            let trace = Trace::of(&headers);
            assert!(trace.context.sampled && trace.context.trace_id != 0);
            assert_eq!(trace.id.len(), 32);
        }
    }
}
