//! `WithSpan`: one span for each call, with what was asked as fields, and a line about how it ended.
//!
//! Failures are logged where they are handled, at the edges; here they are only measured. At the usual level
//! the span is switched off and costs one comparison.

use std::{error::Error, fmt};

use skald_core::{
    call::{Call, CallError, Input, Reply, Request},
    context::Cause,
};
use tokio::time::Instant;
use tracing::{Instrument, Span};

/// Says what was asked and how it ended.
pub(crate) struct WithSpan<C> {
    inner: C,
}

/// What a call asks for, in words.
struct Asked<'a>(&'a Input);

/// What made a call, in words.
struct Because<'a>(&'a Cause);

// === impl WithSpan ===

impl<C> WithSpan<C> {
    pub(crate) const fn new(inner: C) -> Self {
        Self { inner }
    }
}

impl<C: Call> Call for WithSpan<C> {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        let context = &request.context;
        let span = tracing::debug_span!(
            "mesh.call",
            component = %request.target,
            asked = %Asked(&request.input),
            cause = %Because(&context.cause),
            trace_id = format_args!("{:032x}", context.trace.trace_id),
            span_id = format_args!("{:016x}", context.trace.span_id),
        );
        let start = (!span.is_disabled()).then(Instant::now);
        let result = self.inner.call(request).instrument(span.clone()).await;
        if let Some(start) = start {
            report(&span, start, &result);
        }
        result
    }
}

fn report(span: &Span, start: Instant, result: &Result<Reply, CallError>) {
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| match result {
        Ok(Reply::Http(response)) => {
            tracing::debug!(micros, status = response.status().as_u16(), "answered");
        }
        Ok(reply @ (Reply::Handled | Reply::Value(_))) => {
            tracing::debug!(micros, refused = !reply.keeps_effects(), "answered");
        }
        Err(error) => {
            let (code, blame) = (error.code(), error.blame());
            tracing::debug!(micros, code, ?blame, error = error as &dyn Error, "failed");
        }
    });
}

// === impl Asked ===

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // The query may hold what does not belong in logs.
            Input::Http(request) => write!(f, "{} {}", request.method(), request.uri().path()),
            Input::Message(_) => f.write_str("message"),
            Input::Function(function) => write!(f, "{}#{}", function.interface, function.name),
        }
    }
}

// === impl Because ===

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cause::Request => f.write_str("request"),
            Cause::Event(sequence) => write!(f, "event {sequence}"),
            Cause::Component(id) => write!(f, "component {id}"),
            Cause::Saga(run) => write!(f, "saga {run}"),
            Cause::Host => f.write_str("host"),
        }
    }
}

#[cfg(test)]
mod tests;
