//! How fast a long run comes back: its journal is read and checked, and its code goes through it from the top.

use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use skald_core::{
    saga::{
        RunId,
        desk::{Desk as _, Signal},
        journal::Journal as _,
    },
    value::Value,
};
use skald_saga::{Rehearsed, rehearse};
use tempfile::tempdir;
use tokio::time::{Instant, sleep};

use super::stand::{self, Asked, Stand};
use crate::{
    report::{Goal, Line, Report},
    sample::Sample,
};

/// Steps of the run: two records each, and 10,000 are the most.
const STEPS: u32 = 4_900;

/// How often it comes back.
const ROUNDS: u32 = 8;

/// The code's instance is let go so soon, and the run put away.
const IDLE: Duration = Duration::from_millis(20);

/// Long enough that the run is put away.
const AWAY: Duration = Duration::from_millis(150);

/// Between two looks.
const LOOK: Duration = Duration::from_micros(500);

/// What a signal adds: that it came, that it was received, and the next wait.
const EACH: u32 = 3;

/// Makes a long run, wakes it again and again, and reports.
pub(super) async fn measure(report: &mut Report) -> Result<()> {
    let data = tempdir()?;
    let stand = Stand::connect(data.path(), 1, IDLE)?;
    let asked = Asked("linger", vec![Value::U32(STEPS), Value::U32(ROUNDS + 1)]);
    let run = stand::begin(&stand.sagas, "long".to_owned(), asked).await?;
    let first = 1 + 2 * STEPS + 1;
    records(&stand, &run, first).await;
    let mut rate = Sample::default();
    for round in 0..=ROUNDS {
        sleep(AWAY).await;
        let before = first + EACH * round;
        let start = Instant::now();
        signal(&stand, &run, round).await?;
        if round == ROUNDS {
            stand::complete(&stand.sagas, &run, STEPS).await?;
        } else {
            records(&stand, &run, before + EACH).await;
        }
        if round > 0 {
            rate.add(f64::from(before) / start.elapsed().as_secs_f64());
        }
    }
    let alone = alone(&stand, &run).await?;
    let value = rate.median();
    let goal = Goal::AtLeast {
        value,
        least: 50_000.0,
        unit: "records/s",
    };
    let line = Line::new(
        "saga: replay, from the disk",
        format!("{value:.0} records/s"),
    )
    .spread(rate.spread())
    .goal(goal);
    let note = format!(
        "a journal of {first} records comes back in {:.0} ms; code and state alone {alone:.0} records/s",
        f64::from(first) / value * 1e3
    );
    report.add(line.notes(note));
    Ok(())
}

/// The same journal, which is in memory already, played to its end.
async fn alone(stand: &Stand, run: &RunId) -> Result<f64> {
    let entries = stand.store.entries(run, 0, usize::MAX >> 1).await?;
    let (records, _) = skald_core::saga::codec::read(&entries)?;
    let mut rate = Sample::default();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let rehearsed = stand.rehearse(records.clone()).await;
        ensure!(rehearsed == Rehearsed::Fits, "{rehearsed:?}");
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        rate.add(records.len() as f64 / start.elapsed().as_secs_f64());
    }
    Ok(rate.median())
}

impl Stand {
    async fn rehearse(&self, records: Vec<skald_core::saga::Stamped>) -> Rehearsed {
        let current = self.play.current(&"bench".into()).unwrap_or_default();
        rehearse(&*self.play, &current, records).await
    }
}

/// Waits until the run has so many records.
async fn records(stand: &Stand, run: &RunId, least: u32) {
    while stand.journal.counts().records(run) < least {
        sleep(LOOK).await;
    }
}

async fn signal(stand: &Stand, run: &RunId, round: u32) -> Result<()> {
    let signal = Signal {
        id: round.to_string(),
        name: "go".to_owned(),
        payload: Bytes::new(),
    };
    Ok(stand.sagas.signal(run, signal).await?)
}
