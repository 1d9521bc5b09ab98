//! As many runs at once as asked for, one after the other in each task, looked at for a while in their midst.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use skald_core::{call::BoxFuture, value::Value};
use skald_saga::Sagas;
use skald_store::Embedded;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    STEPS, Work,
    stand::{self, Asked, Stand},
    watched::Counts,
};
use crate::{machine, sample::Sample};

/// The name of the threads that do the work, and of the store's.
pub(super) const THREADS: &str = "bench-saga";
const WRITER: &str = "skald-store";

/// Before it is looked at.
const BEFORE: Duration = Duration::from_millis(150);

/// While it is looked at.
const SPAN: Duration = Duration::from_millis(500);

/// Something that is done by many tasks, again and again.
pub(super) struct Load {
    pub(super) store: Embedded,
    pub(super) counts: Arc<Counts>,
    /// One run under this key.
    pub(super) run: Arc<dyn Fn(String) -> BoxFuture<'static, Result<()>> + Send + Sync>,
    pub(super) round: u32,
}

/// What was reached.
pub(super) struct Reached {
    /// A second.
    pub(super) steps: f64,
    /// A second.
    pub(super) flushes: f64,
    /// Of a step, in milliseconds.
    pub(super) times: Sample,
    /// Appends of a run.
    pub(super) per_run: f64,
    /// Bytes of an entry.
    pub(super) entry: usize,
    /// On a processor for one step, in microseconds: the host's threads, and the store's.
    pub(super) busy: [f64; 2],
}

impl Stand {
    /// Runs of so many steps.
    pub(super) fn work(&self, work: Work, round: u32) -> Load {
        let sagas = self.sagas.clone();
        Load {
            store: self.store.clone(),
            counts: Arc::clone(self.journal.counts()),
            run: Arc::new(move |key| Box::pin(run(sagas.clone(), work, key))),
            round,
        }
    }
}

/// One run, from its start to its end.
async fn run(sagas: Sagas, work: Work, key: String) -> Result<()> {
    let steps = Value::U32(STEPS);
    let asked = match work {
        Work::Read => Asked("look", vec![steps]),
        Work::Write => Asked("put", vec![Value::String(key.clone()), steps]),
    };
    let run = stand::begin(&sagas, key, asked).await?;
    stand::complete(&sagas, &run, STEPS).await
}

/// Lets `crowd` tasks work, and looks at them.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "counts far below 2^52, and sizes of entries"
)]
pub(super) async fn reach(crowd: u32, load: Load) -> Result<Reached> {
    let load = Arc::new(load);
    let is_enough = Arc::new(AtomicBool::new(false));
    let begin = load.counts.so_far();
    let mut tasks = JoinSet::new();
    for task in 0..crowd {
        tasks.spawn(repeat(Arc::clone(&load), Arc::clone(&is_enough), task));
    }
    sleep(BEFORE).await;
    load.counts.begin_times();
    let (before, flushes, start) = (load.counts.so_far(), load.store.flushes(), Instant::now());
    let usage = [THREADS, WRITER].map(machine::usage);
    sleep(SPAN).await;
    let [host, writer] = [THREADS, WRITER].map(machine::usage);
    let took = start.elapsed().as_secs_f64();
    let appended = load.counts.so_far().since(before);
    let flushed = load.store.flushes() - flushes;
    let times = load.counts.end_times();
    is_enough.store(true, Ordering::Relaxed);
    let mut runs = 0;
    while let Some(ended) = tasks.join_next().await {
        runs += ended??;
    }
    let [host_before, writer_before] = usage;
    let each = |used: machine::Usage| used.busy.as_secs_f64() * 1e6 / appended.steps as f64;
    let busy = [host.since(host_before), writer.since(writer_before)].map(each);
    let all = load.counts.so_far().since(begin);
    Ok(Reached {
        steps: appended.steps as f64 / took,
        flushes: flushed as f64 / took,
        times,
        per_run: all.appends as f64 / f64::from(runs),
        entry: (all.bytes / all.appends.max(1)) as usize,
        busy,
    })
}

/// One run after the other until it is enough; answers with how many.
async fn repeat(load: Arc<Load>, is_enough: Arc<AtomicBool>, task: u32) -> Result<u32> {
    let mut runs = 0;
    while !is_enough.load(Ordering::Relaxed) {
        (load.run)(format!("{}-{task}-{runs}", load.round)).await?;
        runs += 1;
    }
    Ok(runs)
}
