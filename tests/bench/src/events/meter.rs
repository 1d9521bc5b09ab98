//! How long the host and what keeps its data were on a processor.

use std::{fs, sync::Arc, time::Duration};

use super::{THREADS, counted::Counted};
use crate::machine;

/// The threads of the embedded store.
pub(super) const WRITER: &str = "skald-store";

/// Whom to ask.
pub(super) struct Meter {
    pub(super) keeper: Keeper,
    pub(super) log: Option<Arc<Counted>>,
}

/// What keeps the data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keeper {
    /// Another process.
    Process(u32),
    /// A thread of this one.
    Writer,
}

/// What was used: in all until some moment, or for each event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    /// On a processor, in microseconds: this program, and what keeps the data.
    pub(super) host: f64,
    pub(super) keeper: f64,
    /// How often the log was asked for its head, for events, and to move a cursor.
    pub(super) heads: f64,
    pub(super) reads: f64,
    pub(super) advances: f64,
}

// === impl Meter ===

impl Meter {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub(super) fn so_far(&self) -> Used {
        let busy = |threads| machine::usage(threads).busy;
        let keeper = match self.keeper {
            Keeper::Process(process) => of_process(process),
            Keeper::Writer => busy(WRITER),
        };
        let asked = self.log.as_ref().map(|log| log.so_far());
        let count = |of: fn(&super::counted::Asked) -> u64| asked.as_ref().map_or(0, of) as f64;
        Used {
            host: micros(busy(THREADS)),
            keeper: micros(keeper),
            heads: count(|asked| asked.heads),
            reads: count(|asked| asked.reads),
            advances: count(|asked| asked.advances),
        }
    }
}

// === impl Used ===

impl Used {
    /// What was used between an earlier moment and this one.
    pub(super) fn since(self, before: Self) -> Self {
        self.with(before, |now, before| now - before)
    }

    /// What was used for each event.
    pub(super) fn each(self, events: f64) -> Self {
        self.with(self, |all, _| all / events)
    }

    fn with(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            host: f(self.host, other.host),
            keeper: f(self.keeper, other.keeper),
            heads: f(self.heads, other.heads),
            reads: f(self.reads, other.reads),
            advances: f(self.advances, other.advances),
        }
    }
}

/// What a process's first thread has had, which in Redis is the one that works.
fn of_process(process: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/schedstat")).unwrap_or_default();
    let busy = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    busy.map_or(Duration::ZERO, Duration::from_nanos)
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
