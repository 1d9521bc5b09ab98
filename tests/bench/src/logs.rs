//! The logs of the rooms that are measured: at `info`, as a host has them, with spans beside that can be switched on.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use tracing::{Level, Metadata, level_filters::LevelFilter, subscriber::set_global_default};
use tracing_subscriber::{
    Layer as _, filter::filter_fn, fmt::layer, layer::SubscriberExt as _, registry,
};

/// Whether spans below `info` are made and their fields recorded.
static RECORDS_SPANS: AtomicBool = AtomicBool::new(false);

/// Lines go to standard error, which is not part of the result.
pub(crate) fn init() -> Result<()> {
    let wanted = filter_fn(is_wanted).with_max_level_hint(LevelFilter::DEBUG);
    let lines = layer()
        .json()
        .with_writer(std::io::stderr)
        .with_filter(wanted);
    // Not `init`: it would also listen to the crate `log` down to `debug`, where wasmtime says much at each call. In
    // a host at `info` nobody listens to that.
    set_global_default(registry().with(lines))?;
    Ok(())
}

/// Switches the recording of spans on or off. No line is written for them either way.
pub(crate) fn record_spans(wanted: bool) {
    RECORDS_SPANS.store(wanted, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

fn is_wanted(metadata: &Metadata<'_>) -> bool {
    let is_recorded_span = metadata.is_span()
        && *metadata.level() <= Level::DEBUG
        && RECORDS_SPANS.load(Ordering::Relaxed);
    *metadata.level() <= Level::INFO || is_recorded_span && metadata.target().starts_with("skald")
}
