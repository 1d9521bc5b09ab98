//! Compares what the runs did with what the model says.

use anyhow::{Result, bail, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    draw::COUNTERS,
    hosts::Hosts,
    load::Load,
    model::{self, Kept},
    watch::{Row, story},
};

/// How many runs are looked at at once.
const AT_ONCE: usize = 8;

/// How many differences are shown.
const SHOWN: usize = 3;

/// What came of the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How many there were.
    pub runs: usize,
    /// How many got through.
    pub completed: usize,
    /// How many were rolled back.
    pub rolled_back: usize,
    /// How many calls changed counters.
    pub effects: usize,
    /// How many additions were left in the end.
    pub kept: usize,
}

/// What the counters have to be.
struct Counters(Vec<u32>);

/// One run as it was found.
struct Found {
    effects: usize,
    outcome: Result<Vec<Kept>, String>,
    is_rolled_back: bool,
}

/// Every run has ended as it must and did what it must, and the counters say the same.
pub(super) async fn judge(hosts: &Hosts, load: &Load, rows: &[Row]) -> Result<Verdict> {
    ensure!(
        rows.len() == load.begun().len(),
        "seed {}: {} runs were begun and {} are there",
        load.seed,
        load.begun().len(),
        rows.len(),
    );
    let looks = stream::iter(rows).map(|row| async move {
        let found = look(hosts, load, row).await?;
        anyhow::Ok((row, found))
    });
    let found: Vec<(&Row, Found)> = looks.buffer_unordered(AT_ONCE).try_collect().await?;
    let mut verdict = Verdict::default();
    let mut counters = Counters(vec![0; COUNTERS as usize]);
    let mut differences = Vec::new();
    for (row, found) in found {
        verdict.add(&found);
        match found.outcome {
            Ok(kept) => kept.iter().for_each(|kept| counters.add(kept)),
            Err(why) => differences.push((row, why)),
        }
    }
    if !differences.is_empty() {
        return tell(hosts, load, &differences).await.map(|()| verdict);
    }
    counters.compare(hosts, load).await?;
    Ok(verdict)
}

// === impl Verdict ===

impl Verdict {
    fn add(&mut self, found: &Found) {
        self.runs += 1;
        self.completed += usize::from(!found.is_rolled_back);
        self.rolled_back += usize::from(found.is_rolled_back);
        self.effects += found.effects;
        self.kept += found.outcome.as_ref().map_or(0, Vec::len);
    }
}

// === impl Counters ===

impl Counters {
    fn add(&mut self, kept: &Kept) {
        if let Some(counter) = self.0.get_mut(kept.key as usize) {
            *counter = counter.wrapping_add(kept.amount);
        }
    }

    async fn compare(&self, hosts: &Hosts, load: &Load) -> Result<()> {
        let path = format!("/counters/{COUNTERS}");
        let counted = hosts.client().get(&path).await?.is(200)?.json()?;
        ensure!(
            counted == serde_json::json!(self.0),
            "seed {}: the logs are as they should be, and the counters are not: {counted}, not {:?}",
            load.seed,
            self.0
        );
        Ok(())
    }
}

async fn look(hosts: &Hosts, load: &Load, row: &Row) -> Result<Found> {
    let Some(program) = load.program_of(&row.key) else {
        bail!("nobody began {row:?}");
    };
    let answer = hosts.client().get(&format!("/logs/{}", row.key)).await?;
    let log: Vec<String> = serde_json::from_slice(&answer.is(200)?.body)?;
    let expected = model::expect(&program);
    let standing = if expected.is_rolled_back {
        "rolled-back"
    } else {
        "completed"
    };
    let outcome = if row.standing == standing {
        expected.compare(&log)
    } else {
        Err(format!("it is {} and should be {standing}", row.standing))
    };
    let outcome = outcome.map_err(|why| {
        format!("{why}\n  expected: {expected:?}\n  log: {log:?}\n  program: {program:?}")
    });
    Ok(Found {
        effects: log.len(),
        outcome,
        is_rolled_back: expected.is_rolled_back,
    })
}

/// Shows the first few differences, each with all there is to know of its run.
async fn tell(hosts: &Hosts, load: &Load, differences: &[(&Row, String)]) -> Result<()> {
    let mut told = format!(
        "seed {}: {} runs are not as they should be\n",
        load.seed,
        differences.len()
    );
    for (row, why) in differences.iter().take(SHOWN) {
        told.push_str(&format!("- {why}\n  story: {}\n", story(hosts, row).await?));
    }
    bail!(told)
}
