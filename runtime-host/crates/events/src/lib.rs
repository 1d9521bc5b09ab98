//! Durable delivery of the event log to its subscribers: every event at least once, in order for each key,
//! in parallel over keys, tried again with growing pauses and then kept as a dead letter.
//!
//! It deliberately does not make an effect happen once: the handler's unit of work commits the inbox mark that
//! each delivery carries, and a second delivery of the same event does nothing. It knows no component, no engine
//! and no database; it sees the log and the calls through the ports of `core`.

mod attempt;
mod books;
mod deliveries;
mod delivery;
mod handle;
mod retention;
mod retry;
mod schedule;
mod shelf;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

pub use crate::{
    deliveries::{Deliveries, Share},
    retention::Retention,
};

/// How a subscriber is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Handlers at work at once; never more than one for a key.
    pub concurrency: NonZeroUsize,
    /// How often a handler may fail on an event; then the event becomes a dead letter.
    pub attempts: NonZeroU32,
    /// The first pause after a failure. Each later one is twice as long, before jitter.
    pub backoff: Duration,
    /// The longest pause, before jitter.
    pub max_backoff: Duration,
    /// How many keys with undone events are held, and about how many messages are kept in memory.
    pub window: NonZeroUsize,
}

// === impl Config ===

impl Config {
    /// A thousand messages are a MiB or so, and reading them takes one query.
    pub const WINDOW: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);
}
