//! Sagas: how many steps a second are durable, against what the store alone can commit; replay; sleeping runs.
//!
//! A step costs one append to the journal, and one commit of its callee if that writes, one after the other: what was
//! asked is durable before it is sent, and what was done before it is answered. So a step that only reads is measured
//! against appends alone, and one that writes against pairs of an append and a commit, each of the same size, by as many
//! tasks at once, on a store of its own.

mod ceiling;
mod replay;
pub(crate) mod sleepers;
mod stand;
mod throughput;
mod watched;

use std::time::Duration;

use anyhow::Result;
use tempfile::tempdir;

use self::{
    ceiling::Ceiling,
    stand::Stand,
    throughput::{Reached, reach},
};
use crate::{
    bare,
    report::{Goal, Line, Report},
    sample::Sample,
};

/// Rounds in which everything is measured once.
const ROUNDS: u32 = 5;

/// Steps of a run.
const STEPS: u32 = 20;

/// Runs at once.
const CROWDS: [u32; 3] = [1, 32, 256];

/// How long code may wait with its instance: as in a host.
const IDLE: Duration = Duration::from_secs(2);

/// What the steps of a run do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// They read.
    Read,
    /// Each writes one key.
    Write,
}

/// One cell of the table, round by round.
#[derive(Default)]
struct Cell {
    steps: Sample,
    bare: Sample,
    flushes: Sample,
    bare_flushes: Sample,
    median: Sample,
    late: Sample,
    per_run: Sample,
    /// On a processor for one step, in microseconds.
    host_busy: Sample,
    store_busy: Sample,
}

/// Measures and reports.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let runtime = bare::runtime(throughput::THREADS, None)?;
    let mut per_run = Sample::default();
    for (work, what) in [(Work::Read, "reading"), (Work::Write, "writing")] {
        for crowd in CROWDS {
            let cell = runtime.block_on(Cell::measure(work, crowd))?;
            cell.tell(report, what, crowd);
            per_run.add(cell.per_run.median());
        }
    }
    // Code that got no processor for a while after an answer is not waited for, which costs an append: that is a matter
    // of the load, so that the crowds differ.
    let appends = per_run.median();
    let goal = Goal::Exactly {
        value: appends,
        wanted: f64::from(STEPS + 1),
    };
    let what = format!("saga: appends of a run of {STEPS} steps");
    let note = format!("{:.3} in the worst crowd", per_run.quantile(1.0));
    report.add(
        Line::new(what, format!("{appends:.3}"))
            .goal(goal)
            .notes(note),
    );
    runtime.block_on(replay::measure(report))?;
    sleepers::measure(report)
}

// === impl Cell ===

impl Cell {
    async fn measure(work: Work, crowd: u32) -> Result<Self> {
        let (data, bare_data) = (tempdir()?, tempdir()?);
        let stand = Stand::connect(data.path(), 1, IDLE)?;
        let mut ceiling = Ceiling::open(bare_data.path(), work)?;
        let mut cell = Self::default();
        // The first round only warms up, and tells how large entries are.
        for round in 0..=ROUNDS {
            let saga = reach(crowd, stand.work(work, round)).await?;
            ceiling.entry = saga.entry;
            let bare = reach(crowd, ceiling.work(round)).await?;
            if round > 0 {
                cell.add(&saga, &bare);
            }
        }
        Ok(cell)
    }

    fn add(&mut self, saga: &Reached, bare: &Reached) {
        self.steps.add(saga.steps);
        self.bare.add(bare.steps);
        self.flushes.add(saga.flushes);
        self.bare_flushes.add(bare.flushes);
        self.median.add(saga.times.median());
        self.late.add(saga.times.quantile(0.99));
        self.per_run.add(saga.per_run);
        let [host, store] = saga.busy;
        self.host_busy.add(host);
        self.store_busy.add(store);
    }

    fn tell(&self, report: &mut Report, what: &str, crowd: u32) {
        let figure = format!("{:.0} steps/s", self.steps.median());
        let ratio = self.steps.paired(&self.bare, |saga, bare| saga / bare);
        let noun = if crowd == 1 { "run" } else { "runs" };
        let mut line = Line::new(format!("saga: {what} steps, {crowd} {noun}"), figure)
            .spread(self.steps.spread())
            .ratio(ratio.median());
        if crowd == CROWDS[2] {
            line = line.goal(Goal::Share(0.5));
        }
        report.add(line.notes(format!(
            "p50 {:.2} ms, p99 {:.2} ms, {:.0} flushes/s, processor {:.0} + {:.0} µs; store alone {:.0} steps/s, {:.0} flushes/s",
            self.median.median(),
            self.late.median(),
            self.flushes.median(),
            self.host_busy.median(),
            self.store_busy.median(),
            self.bare.median(),
            self.bare_flushes.median(),
        )));
    }
}
