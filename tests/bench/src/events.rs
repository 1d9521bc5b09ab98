//! Events: how many a second are published and handled, durably both times, against what the same store does alone.
//!
//! On Redis the comparison is with bare commands on the same server, `XADD`, `XREADGROUP` and `XACK`, and in a note with
//! the two commits that an event takes; in a file it is with these two. The handler writes one key. Messages, tasks at
//! once, and keys are the same.

mod alone;
mod bare;
mod burst;
mod counted;
mod crowd;
mod ground;
mod guest;
mod handler;
mod message;
mod meter;
pub(crate) mod nodes;
mod scene;
mod waiting;

use std::{num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use skald_core::{call::DynCall, store::Store};
use skald_telemetry::tasks::Tasks;
use tempfile::tempdir;
use test_redis::{Options, Server};
use tokio::time::Instant;

use self::{
    bare::Bare,
    crowd::{Reached, Turn, reach},
    ground::Ground,
    handler::Handler,
    meter::{Keeper, Meter},
    scene::{AT_ONCE, Scene},
    waiting::Waiting,
};
use crate::{
    report::{Goal, Line, Report},
    sample::Sample,
};

/// The threads that do the work.
const THREADS: &str = "bench-events";

/// Rounds in which everything is measured once.
const ROUNDS: u32 = 3;

/// Keys, each with one event on its way at a time.
const CROWDS: [u32; 3] = [1, 32, 256];

/// How long the last tasks have to end.
const END: Duration = Duration::from_secs(5);

/// What part of the ceiling is to be reached.
const GOAL: f64 = 0.6;

/// Who handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A unit of work that writes one key.
    Unit,
    /// A component of the shop.
    Guest,
}

/// One row of the table, round by round.
#[derive(Default)]
struct Cell {
    rates: Sample,
    /// What it is compared with.
    ceilings: Sample,
    /// The two commits alone.
    commits: Sample,
    medians: Sample,
    lates: Sample,
    ceiling_medians: Sample,
    ceiling_lates: Sample,
    host: Sample,
    keeper: Sample,
    ceiling_host: Sample,
    ceiling_keeper: Sample,
    heads: Sample,
    reads: Sample,
}

/// Measures and reports.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let runtime = crate::bare::runtime(THREADS, None)?;
    let mut last = Cell::default();
    for (kind, crowd) in [
        (Kind::Unit, CROWDS[0]),
        (Kind::Unit, CROWDS[1]),
        (Kind::Unit, CROWDS[2]),
        (Kind::Guest, CROWDS[1]),
    ] {
        let cell = runtime.block_on(Cell::on_redis(kind, crowd))?;
        cell.tell(report, ("Redis", kind), crowd);
        if kind == Kind::Unit {
            last = cell;
        }
    }
    let rate = (last.ceilings.median(), "bare commands one by one");
    runtime.block_on(burst_on_redis(report, rate))?;
    for crowd in CROWDS {
        last = runtime.block_on(Cell::in_a_file(crowd))?;
        last.tell(report, ("embedded", Kind::Unit), crowd);
    }
    let data = tempdir()?;
    let ground = Ground::embedded(data.path())?;
    let rate = (last.ceilings.median(), "the store alone with single events");
    let tasks = Tasks::new();
    runtime.block_on(async {
        burst::measure(report, "embedded", ground, rate, &tasks).await?;
        tasks.drain(END).await;
        anyhow::Ok(())
    })?;
    drop(runtime);
    nodes::measure(report, &server()?)
}

async fn burst_on_redis(report: &mut Report, rate: (f64, &str)) -> Result<()> {
    let (server, tasks) = (server()?, Tasks::new());
    let ground = Ground::redis(&server.url(), ("burst", message::TOPIC), &tasks).await?;
    burst::measure(report, "Redis", ground, rate, &tasks).await?;
    tasks.drain(END).await;
    Ok(())
}

/// A server that flushes what it answers. It does not begin to write its file anew in the midst of a round.
fn server() -> Result<Server> {
    let options = Options::default().with("auto-aof-rewrite-percentage", "0");
    Ok(Server::start(options)?)
}

// === impl Cell ===

impl Cell {
    async fn on_redis(kind: Kind, crowd: u32) -> Result<Self> {
        let (server, tasks) = (server()?, Tasks::new());
        let url = server.url();
        let ground = Ground::redis(&url, ("scene", message::TOPIC), &tasks).await?;
        let calls = match kind {
            Kind::Unit => unit(&ground.handler),
            Kind::Guest => guest::connect(&ground.handler, &tasks)?,
        };
        let stage = Stage::open(ground, calls, crowd, &tasks);
        let bare = Bare::open(&url, crowd, &tasks).await?;
        let alone = alone::turn(&Ground::redis(&url, ("alone", alone::TOPIC), &tasks).await?);
        let keeper = Keeper::Process(server.pid());
        let mut cell = Self::default();
        // The first round only warms up.
        for round in 0..=ROUNDS {
            let meter = stage.meter(keeper);
            let events = reach(crowd, stage.turn(), &meter).await?;
            let meter = Meter { keeper, log: None };
            let ceiling = reach(crowd, bare.turn(), &meter).await?;
            let commits = reach(crowd, Arc::clone(&alone), &meter).await?;
            if round > 0 {
                cell.add(&events, &ceiling, &commits);
            }
        }
        // The server is there until everybody has ended.
        tasks.drain(END).await;
        Ok(cell)
    }

    async fn in_a_file(crowd: u32) -> Result<Self> {
        let (data, bare_data, tasks) = (tempdir()?, tempdir()?, Tasks::new());
        let open = |folder: &Path| Ground::embedded(folder);
        let ground = open(data.path())?;
        let calls = unit(&ground.handler);
        let stage = Stage::open(ground, calls, crowd, &tasks);
        let alone = alone::turn(&open(bare_data.path())?);
        let keeper = Keeper::Writer;
        let mut cell = Self::default();
        for round in 0..=ROUNDS {
            let events = reach(crowd, stage.turn(), &stage.meter(keeper)).await?;
            let meter = Meter { keeper, log: None };
            let commits = reach(crowd, Arc::clone(&alone), &meter).await?;
            if round > 0 {
                cell.add(&events, &commits, &commits);
            }
        }
        tasks.drain(END).await;
        Ok(cell)
    }

    fn add(&mut self, events: &Reached, ceiling: &Reached, commits: &Reached) {
        self.rates.add(events.rate);
        self.ceilings.add(ceiling.rate);
        self.commits.add(commits.rate);
        self.medians.add(events.waits.median());
        self.lates.add(events.waits.quantile(0.99));
        self.ceiling_medians.add(ceiling.waits.median());
        self.ceiling_lates.add(ceiling.waits.quantile(0.99));
        self.host.add(events.used.host);
        self.keeper.add(events.used.keeper);
        self.ceiling_host.add(ceiling.used.host);
        self.ceiling_keeper.add(ceiling.used.keeper);
        self.heads.add(events.used.heads);
        self.reads.add(events.used.reads);
    }

    fn tell(&self, report: &mut Report, (store, kind): (&str, Kind), crowd: u32) {
        let noun = if crowd == 1 { "key" } else { "keys" };
        let by = match kind {
            Kind::Unit => "",
            Kind::Guest => ", by a component",
        };
        let ratio = |other: &Sample| self.rates.paired(other, |events, other| events / other);
        let line = Line::new(
            format!("events: {store}, {crowd} {noun}{by}"),
            format!("{:.0} events/s", self.rates.median()),
        );
        let line = line
            .spread(self.rates.spread())
            .ratio(ratio(&self.ceilings).median());
        let line = match kind {
            Kind::Unit => line.goal(Goal::Share(GOAL)),
            Kind::Guest => line,
        };
        report.add(line.notes(format!(
            "p50 {:.2} ms, p99 {:.2} ms, processor {:.0} + {:.0} µs, {:.2} heads and {:.2} reads an event; {} {:.0} events/s, p50 {:.2} ms, p99 {:.2} ms, processor {:.0} + {:.0} µs{}",
            self.medians.median(),
            self.lates.median(),
            self.host.median(),
            self.keeper.median(),
            self.heads.median(),
            self.reads.median(),
            if store == "Redis" { "bare" } else { "store alone" },
            self.ceilings.median(),
            self.ceiling_medians.median(),
            self.ceiling_lates.median(),
            self.ceiling_host.median(),
            self.ceiling_keeper.median(),
            if store == "Redis" {
                format!("; commits alone {:.0} events/s", self.commits.median())
            } else {
                String::new()
            },
        )));
    }
}

fn unit(store: &Arc<dyn Store>) -> Arc<dyn DynCall> {
    Arc::new(Handler(Arc::clone(store)))
}

/// A scene, and those who wait for their events.
struct Stage {
    scene: Scene,
    waiting: Arc<Waiting>,
}

// === impl Stage ===

impl Stage {
    /// With as many handlers at once as there are keys, where these are more than by default.
    fn open(ground: Ground, calls: Arc<dyn DynCall>, keys: u32, tasks: &Tasks) -> Self {
        let waiting = Waiting::new(keys);
        let told = Arc::clone(&waiting);
        let seen = Arc::new(move |payload: &Bytes| told.tell(payload));
        let keys = NonZeroUsize::new(keys as usize).unwrap_or(AT_ONCE);
        let at_once = keys.max(AT_ONCE);
        let scene = Scene::open(ground, (calls, seen), Arc::new(|_| true), at_once, tasks);
        Self { scene, waiting }
    }

    fn meter(&self, keeper: Keeper) -> Meter {
        let log = Some(Arc::clone(&self.scene.log));
        Meter { keeper, log }
    }

    /// Publishes an event, and waits until it is handled.
    fn turn(&self) -> Turn {
        let (publisher, waiting) = (Arc::clone(&self.scene.publisher), Arc::clone(&self.waiting));
        Arc::new(move |key| {
            let (publisher, told) = (Arc::clone(&publisher), waiting.expect(key));
            Box::pin(async move {
                let payload = message::payload(key, 0);
                let change = message::publishing(message::TOPIC, [payload].into_iter());
                publisher
                    .commit(change, skald_telemetry::clock::now())
                    .await?;
                let published = Instant::now();
                let handled = told.await.context("the deliveries have ended")?;
                Ok(handled.saturating_duration_since(published))
            })
        })
    }
}
