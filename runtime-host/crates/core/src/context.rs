//! What travels with a call: on whose behalf, in which trace, until when, and because of what.

use std::{fmt, sync::Arc, time::Instant};

use crate::event::Book;

/// What travels with a call.
#[derive(Clone, Debug)]
pub struct Context {
    /// The verified subject of the request that began all this, if any.
    pub principal: Option<Principal>,
    /// The trace this call belongs to, and the span that made it.
    pub trace: TraceContext,
    /// When an answer is no longer of use. The mesh sets it if the maker of the call did not.
    pub deadline: Option<Instant>,
    /// Makes the call's effect happen once, however often it is sent.
    pub once: Option<Once>,
    /// What made the call.
    pub cause: Cause,
}

impl Context {
    /// The context of a call nobody asked for: the start of a trace.
    pub const fn root(trace: TraceContext, cause: Cause) -> Self {
        Self {
            principal: None,
            trace,
            deadline: None,
            once: None,
            cause,
        }
    }
}

/// A verified subject, as the token names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal(pub Arc<str>);

/// What made a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A request from outside.
    Request,
    /// An event of the log.
    Event(u64),
    /// Another component.
    Component(Arc<str>),
    /// A run of a saga.
    Saga(Arc<str>),
    /// The host itself.
    Host,
}

/// Why a call must take effect once at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// A client's `Idempotency-Key`: the answer is kept and given again.
    Key(IdempotencyKey),
    /// An event: the mark is kept and the second delivery does nothing.
    Inbox(InboxMark),
    /// A step of a saga: the answer is kept and given again.
    Step(Arc<StepKey>),
}

/// Which step of which run a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepKey {
    /// The run.
    pub run: String,
    /// The same each time the step is sent, and no other step's.
    pub key: String,
    /// Whether it undoes something.
    pub undo: bool,
    /// The life of this node's store in which the journal says that the step was asked for. Other nodes count their own.
    pub life: Option<u32>,
}

/// A client's idempotency key, scoped so that clients cannot see each other's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Principal, method, path and key.
    pub scope: String,
    /// A digest of what was asked, so that a reused key is noticed.
    pub fingerprint: String,
}

/// An event was handled by a subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InboxMark {
    /// The subscriber's book.
    pub book: Book,
    /// The generation of the book that the delivery was begun in. In a later one it comes too late.
    pub generation: u64,
    /// The event's place in the partition.
    pub sequence: u64,
}

/// Trace and span ids as in W3C Trace Context.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// 16 bytes, not all zero.
    pub trace_id: u128,
    /// 8 bytes, not all zero: the span that is the parent of what comes next.
    pub span_id: u64,
    /// Whether somebody upstream records this trace.
    pub sampled: bool,
}

impl TraceContext {
    /// Reads a `traceparent` header; anything not exactly of version 00's form is ignored, as the standard asks.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lower_hex = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let sized = version.len() == 2 && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
        let closed = version != "00" || parts.next().is_none();
        if !sized
            || !closed
            || version == "ff"
            || ![version, trace, span, flags].into_iter().all(lower_hex)
        {
            return None;
        }
        let trace_id = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self {
            trace_id,
            span_id,
            sampled: flags & 1 == 1,
        })
    }

    /// The same trace, seen from a new span.
    #[must_use]
    pub const fn child(self, span_id: u64) -> Self {
        Self { span_id, ..self }
    }
}

/// The `traceparent` header.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id,
            self.span_id,
            u8::from(self.sampled)
        )
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceContext;

    #[test]
    fn a_traceparent_survives_the_round_trip() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(header).unwrap().to_string(), header);
    }

    #[test]
    fn malformed_headers_are_ignored() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }
}
