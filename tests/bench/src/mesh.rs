//! A service call A→B through the real mesh, engine and store, against one HTTP hop between two services.

use anyhow::Result;
use skald_core::manifest::Isolation;

use crate::{
    bare,
    caller::{Caller, THREADS},
    hop::Hop,
    logs,
    report::{Goal, Line, Report},
    sample::Sample,
};

/// Rounds in which everything is measured once.
const ROUNDS: u32 = 15;

/// Requests over HTTP in a round: about 80 ms of them.
const HOPS: u32 = 1_500;

/// Rows of calls in a round.
const ROWS: u32 = 20;

/// Medians of each round.
#[derive(Default)]
struct Rounds {
    hop: Sample,
    lean_hop: Sample,
    warm: Sample,
    fresh: Sample,
    recorded_warm: Sample,
    recorded_fresh: Sample,
    one_thread: Sample,
    two_threads: Sample,
    /// On a processor for one call, in microseconds.
    one_busy: Sample,
    two_busy: Sample,
    two_queued: Sample,
}

/// Runs the rounds and reports them.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let runtime = bare::runtime(THREADS, None)?;
    let mut hops = [Hop::open(None)?, Hop::open(Some(1))?];
    let warm = Caller::connect(&runtime, Isolation::Instance)?;
    let fresh = Caller::connect(&runtime, Isolation::Call)?;
    let mut rounds = Rounds::default();
    // The first round only warms up.
    rounds.go(&mut hops, &warm, &fresh)?;
    rounds = Rounds::default();
    for _ in 0..ROUNDS {
        rounds.go(&mut hops, &warm, &fresh)?;
    }
    rounds.tell(report);
    Ok(())
}

// === impl Rounds ===

impl Rounds {
    fn go(
        &mut self,
        [hop, lean_hop]: &mut [Hop; 2],
        warm: &Caller<'_>,
        fresh: &Caller<'_>,
    ) -> Result<()> {
        self.hop.add(hop.times(HOPS)?.median());
        self.lean_hop.add(lean_hop.times(HOPS)?.median());
        self.warm.add(warm.times(ROWS)?.median());
        self.fresh.add(fresh.times(ROWS)?.median());
        let (one, two) = (
            fresh.throughput(1, ROWS * 2)?,
            fresh.throughput(2, ROWS * 2)?,
        );
        self.one_thread.add(one.per_second);
        self.two_threads.add(two.per_second);
        self.one_busy.add(one.busy);
        self.two_busy.add(two.busy);
        self.two_queued.add(two.queued);
        logs::record_spans(true);
        let recorded = warm
            .times(ROWS)
            .and_then(|warm| Ok((warm, fresh.times(ROWS)?)));
        logs::record_spans(false);
        let (warm, fresh) = recorded?;
        self.recorded_warm.add(warm.median());
        self.recorded_fresh.add(fresh.median());
        Ok(())
    }

    fn tell(&self, report: &mut Report) {
        report.add(micros("mesh: HTTP hop, p50", &self.hop).notes("bare hyper twice, keep-alive"));
        let note = "both services with one thread: the least HTTP can cost";
        report.add(micros("mesh: HTTP hop, lean", &self.lean_hop).notes(note));
        self.tell_call(report, "service call, warm", &self.warm, 10.0);
        self.tell_call(report, "service call, fresh", &self.fresh, 5.0);
        self.tell_call(report, "warm, spans recorded", &self.recorded_warm, 10.0);
        self.tell_call(report, "fresh, spans recorded", &self.recorded_fresh, 5.0);
        self.tell_threads(report);
    }

    fn tell_call(&self, report: &mut Report, what: &str, call: &Sample, least: f64) {
        let times = |hop: &Sample| hop.paired(call, |hop, call| hop / call).median();
        let line = micros(&format!("mesh: {what}"), call)
            .ratio(times(&self.hop))
            .goal(Goal::Times(least));
        report.add(line.notes(format!(
            "{:.2}× against the lean hop",
            times(&self.lean_hop)
        )));
    }

    fn tell_threads(&self, report: &mut Report) {
        let figure = format!("{:.0} calls/s", self.two_threads.median());
        let ratio = self
            .two_threads
            .paired(&self.one_thread, |two, one| two / one)
            .median();
        let two = Line::new("mesh: fresh, two threads", figure).spread(self.two_threads.spread());
        let note = format!(
            "one: {:.0} calls/s; processor {:.1} µs and {:.1} µs; {:.0} % waited for one",
            self.one_thread.median(),
            self.two_busy.median(),
            self.one_busy.median(),
            self.two_queued.median() * 100.0
        );
        report.add(two.ratio(ratio).goal(Goal::Times(1.8)).notes(note));
    }
}

fn micros(what: &str, sample: &Sample) -> Line {
    Line::new(what, format!("{:.2} µs", sample.median())).spread(sample.spread())
}
