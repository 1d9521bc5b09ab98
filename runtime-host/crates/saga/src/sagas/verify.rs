//! Whether journals are whole: what this node remembers of its own, against what the store has.

use std::time::Duration;

use skald_core::{saga::RunId, saga::journal::Standing, store::StoreError};
use tokio::time::sleep;

use super::Sagas;
use crate::carrier::Order;

/// Between two looks whether a run is parked by now.
const PAUSE: Duration = Duration::from_millis(50);

impl Sagas {
    /// Looks whether the store has all that this node has written of runs that have not ended. Those whose ends it has lost
    /// are parked when this answers.
    pub async fn verify(&self) -> Result<(), StoreError> {
        for (run, had) in self.ground.config.guard.open() {
            while !self.is_settled(&run, had).await? {
                self.send(&run, Order::Wake);
                sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    /// Whether a run needs no more looking after: its journal is whole, it waits for a person, or it is not this node's.
    async fn is_settled(&self, run: &RunId, had: u64) -> Result<bool, StoreError> {
        let last = had.saturating_sub(1);
        if !self.ground.journal.entries(run, last, 1).await?.is_empty() {
            return Ok(true);
        }
        let Some(summary) = self.ground.journal.find(run).await? else {
            // None of it is left that could go on; if its event comes again, it is parked by that.
            self.ground.config.guard.forget(run);
            return Ok(true);
        };
        let is_over = summary.standing == Standing::Parked || summary.standing.is_end();
        let is_others = self.ground.carried_elsewhere(&summary).is_some();
        Ok(is_over || is_others || self.ground.is_damaged(run))
    }
}
