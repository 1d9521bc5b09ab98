//! The guest `caller`, and the rooms it makes its calls through.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use skald_core::{
    call::{DynCall, Input, Reply, Request},
    context::{Cause, Context},
    manifest::{Component, ComponentId, Isolation},
};
use skald_telemetry::ids;
use tokio::{runtime::Runtime, task::JoinSet, time::Instant};

use crate::{machine, rooms::Rooms, sample::Sample};

/// Calls that the guest makes in a row. The request to it costs 30 µs or so, and so less than 0.1 µs for each of them.
const ROW: u32 = 500;

/// The name of the threads that make calls.
pub(crate) const THREADS: &str = "bench-mesh";

/// What was reached in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throughput {
    pub(crate) per_second: f64,
    /// On a processor for one call, in microseconds.
    pub(crate) busy: f64,
    /// Share of the time that was spent ready but without a processor, because others had them.
    pub(crate) queued: f64,
}

/// `caller` and `callee`, connected.
pub(crate) struct Caller<'a> {
    rooms: Rooms,
    runtime: &'a Runtime,
}

// === impl Caller ===

impl<'a> Caller<'a> {
    /// Both are atomic, as the components of the shop are; `isolation` is that of the one that is called.
    pub(crate) fn connect(runtime: &'a Runtime, isolation: Isolation) -> Result<Self> {
        let _inside = runtime.enter();
        let rooms = Rooms::connect(&e2e::places::guest("mesh"), |component: &mut Component| {
            component.settings.atomic = true;
            if component.id == ComponentId::from("callee") {
                component.settings.isolation = isolation;
            }
        })?;
        Ok(Self { rooms, runtime })
    }

    /// How long a call took, in microseconds, `rows` times over a row of calls.
    pub(crate) fn times(&self, rows: u32) -> Result<Sample> {
        let calls = Arc::clone(&self.rooms.calls);
        // In a task, and so on a worker thread, as every call in a host.
        let task = self.runtime.spawn(async move {
            let mut times = Vec::new();
            for _ in 0..rows {
                times.push(row(&*calls).await?.as_secs_f64() * 1e6 / f64::from(ROW));
            }
            Ok(times.into_iter().collect())
        });
        self.runtime.block_on(task)?
    }

    /// What so many callers reach when they make calls at once.
    pub(crate) fn throughput(&self, callers: u32, rows: u32) -> Result<Throughput> {
        let before = machine::usage(THREADS);
        let per_second = self.per_second(callers, rows)?;
        let usage = machine::usage(THREADS).since(before);
        Ok(Throughput {
            per_second,
            busy: usage.busy.as_secs_f64() * 1e6 / f64::from(callers * rows * ROW),
            queued: usage.queued.as_secs_f64() / (usage.busy + usage.queued).as_secs_f64(),
        })
    }

    fn per_second(&self, callers: u32, rows: u32) -> Result<f64> {
        self.runtime.block_on(async {
            let start = Instant::now();
            let mut tasks = JoinSet::new();
            for _ in 0..callers {
                let calls = Arc::clone(&self.rooms.calls);
                tasks.spawn(several(calls, rows));
            }
            while let Some(ended) = tasks.join_next().await {
                ended??;
            }
            Ok(f64::from(callers * rows * ROW) / start.elapsed().as_secs_f64())
        })
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.rooms.tasks.stop();
    }
}

async fn several(calls: Arc<dyn DynCall>, rows: u32) -> Result<()> {
    for _ in 0..rows {
        row(&*calls).await?;
    }
    Ok(())
}

/// One request to the guest, which makes a row of calls.
async fn row(calls: &dyn DynCall) -> Result<Duration> {
    let uri = format!("http://bench/run?call=reserve&n={ROW}");
    let request = Request {
        target: ComponentId::from("caller"),
        input: Input::Http(http::Request::get(uri).body(Bytes::new())?),
        context: Context::root(ids::new_trace(), Cause::Request),
    };
    let start = Instant::now();
    let reply = calls.call_boxed(request).await?;
    let took = start.elapsed();
    let Reply::Http(response) = reply else {
        bail!("the caller answered with something else than a response")
    };
    let expected = format!("{ROW}\n");
    ensure!(
        response.body() == expected.as_bytes(),
        "not all calls succeeded: {:?}",
        response.body()
    );
    Ok(took)
}
