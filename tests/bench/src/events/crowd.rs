//! As many tasks at once as asked for, each of which publishes, waits until that is handled, and begins again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use parking_lot::Mutex;
use skald_core::call::BoxFuture;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::meter::{Meter, Used};
use crate::sample::Sample;

/// Before it is looked at.
const BEFORE: Duration = Duration::from_millis(200);

/// While it is looked at.
const SPAN: Duration = Duration::from_millis(800);

/// Publishes for one key; answers with how long it took from there until it was handled.
pub(super) type Turn = Arc<dyn Fn(u32) -> BoxFuture<'static, Result<Duration>> + Send + Sync>;

/// What was reached.
pub(super) struct Reached {
    /// Events a second that were published and handled.
    pub(super) rate: f64,
    /// From published to handled, in milliseconds.
    pub(super) waits: Sample,
    /// Of an event.
    pub(super) used: Used,
}

/// What was reached while it was looked at.
#[derive(Default)]
struct Look {
    is_on: AtomicBool,
    is_enough: AtomicBool,
    waits: Mutex<Vec<f64>>,
}

/// Lets `crowd` tasks work, and looks at them.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(super) async fn reach(crowd: u32, turn: Turn, meter: &Meter) -> Result<Reached> {
    let look = Arc::new(Look::default());
    let mut tasks = JoinSet::new();
    for task in 0..crowd {
        tasks.spawn(repeat(Arc::clone(&turn), Arc::clone(&look), task));
    }
    sleep(BEFORE).await;
    let (before, start) = (meter.so_far(), Instant::now());
    look.is_on.store(true, Ordering::Relaxed);
    sleep(SPAN).await;
    look.is_on.store(false, Ordering::Relaxed);
    let took = start.elapsed();
    let used = meter.so_far().since(before);
    look.is_enough.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let waits = std::mem::take(&mut *look.waits.lock());
    let events = waits.len() as f64;
    Ok(Reached {
        rate: events / took.as_secs_f64(),
        waits: waits.into_iter().collect(),
        used: used.each(events),
    })
}

async fn repeat(turn: Turn, look: Arc<Look>, key: u32) -> Result<()> {
    while !look.is_enough.load(Ordering::Relaxed) {
        let wait = turn(key).await?;
        if look.is_on.load(Ordering::Relaxed) {
            look.waits.lock().push(wait.as_secs_f64() * 1e3);
        }
    }
    Ok(())
}
