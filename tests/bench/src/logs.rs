//! The logs of the rooms that are measured: at `info`, as a host has them, with spans beside that can be switched on.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use tracing::{Level, Metadata};
use tracing_subscriber::{Layer as _, filter::filter_fn, fmt::layer, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Whether spans below `info` are made and their fields recorded.
static RECORDS_SPANS: AtomicBool = AtomicBool::new(false);

/// Lines go to standard error, which is not part of the result.
pub(crate) fn init() -> Result<()> {
    let lines = layer().json().with_writer(std::io::stderr).with_filter(filter_fn(is_wanted));
    tracing_subscriber::registry().with(lines).try_init()?;
    Ok(())
}

/// Switches the recording of spans on or off. No line is written for them either way.
pub(crate) fn record_spans(wanted: bool) {
    RECORDS_SPANS.store(wanted, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

fn is_wanted(metadata: &Metadata<'_>) -> bool {
    let is_recorded_span = metadata.is_span() && *metadata.level() <= Level::DEBUG && RECORDS_SPANS.load(Ordering::Relaxed);
    *metadata.level() <= Level::INFO || is_recorded_span && metadata.target().starts_with("skald")
}
