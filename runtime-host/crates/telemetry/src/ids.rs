//! Ids of traces and spans, as W3C Trace Context wants them: random and not zero.

use skald_core::context::TraceContext;

use crate::random::bits;

/// A new span id; never 0.
pub fn span_id() -> u64 {
    loop {
        let id = bits();
        if id != 0 {
            return id;
        }
    }
}

/// A new trace id; never 0.
pub fn trace_id() -> u128 {
    (u128::from(span_id()) << 64) | u128::from(bits())
}

/// The start of a trace that nobody upstream has begun.
pub fn new_trace() -> TraceContext {
    TraceContext {
        trace_id: trace_id(),
        span_id: span_id(),
        sampled: true,
    }
}

#[cfg(test)]
mod tests {
    use skald_core::context::TraceContext;

    #[test]
    fn a_new_trace_is_a_valid_traceparent() {
        let trace = super::new_trace();
        assert_eq!(TraceContext::parse(&trace.to_string()), Some(trace));
    }
}
