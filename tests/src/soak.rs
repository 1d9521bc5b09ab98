//! The soak: a saga does whatever sagas can, drawn from a seed, while the host is killed again and again. In the end a
//! simple model says what must have come of it.
//!
//! The counters that the runs call do not notice a call that comes twice, and keep for each run a log of what it did to
//! them. So each step has to be there once, each undo once and in its order, and nothing else.

mod dice;
mod draw;
mod hosts;
mod judge;
mod load;
mod model;
pub mod program;
mod watch;

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

pub use self::judge::Verdict;
use self::{dice::Dice, hosts::Hosts, judge::judge, load::Load, watch::settle};

/// How a soak is done.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// What everything is drawn from.
    pub seed: u64,
    /// How long runs are begun.
    pub lasts: Duration,
    /// How long a host lives, give or take a half.
    pub life: Duration,
    /// How long the runs have to come to their ends once the last kill is over.
    pub patience: Duration,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// How often the host was killed.
    pub kills: u32,
    /// What came of the runs.
    pub verdict: Verdict,
}

// === impl Soak ===

impl Soak {
    /// Begins runs and kills hosts, then waits until all has ended and compares it with the model.
    pub async fn run(&self, tell: impl Fn(&str)) -> Result<Done> {
        tell(&format!("the soak of seed {}", self.seed));
        let hosts = Arc::new(Hosts::start().await?);
        let load = Arc::new(Load::new(self.seed, Arc::clone(&hosts)));
        let mut work = JoinSet::new();
        load.begin(&mut work);
        let mut signals = JoinSet::new();
        signals.spawn(Arc::clone(&load).send_signals());
        let kills = self.kill_now_and_then(&hosts, &load, &tell).await?;
        load.enough();
        while let Some(ended) = work.join_next().await {
            ended?;
        }
        tell(&format!(
            "{} runs were begun; waiting for their ends",
            load.begun().len()
        ));
        let rows = settle(&hosts, &load, self.patience).await?;
        signals.abort_all();
        let verdict = judge(&hosts, &load, &rows).await?;
        hosts.stop().await?;
        ensure!(kills > 0, "the host was never killed");
        Ok(Done { kills, verdict })
    }

    async fn kill_now_and_then(
        &self,
        hosts: &Hosts,
        load: &Load,
        tell: &impl Fn(&str),
    ) -> Result<u32> {
        let mut dice = Dice::new(self.seed, u64::MAX);
        let (end, mut kills) = (Instant::now() + self.lasts, 0);
        while Instant::now() < end {
            let half = self.life / 2;
            sleep(half + half.mul_f64(dice.share() * 2.0)).await;
            let took = hosts.replace().await?;
            kills += 1;
            tell(&format!(
                "kill {kills}: back after {} ms; {} runs begun, {} under way",
                took.as_millis(),
                load.begun().len(),
                load.under_way(),
            ));
        }
        Ok(kills)
    }
}
