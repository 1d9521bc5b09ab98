//! Settings of the coordinator.

use std::{
    collections::HashMap,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use skald_core::{
    manifest::ComponentId,
    saga::{
        owners::{Alone, Owners},
        policy::Policies,
    },
};
use skald_telemetry::clock;

use crate::{Guard, guard::NoGuard};

/// The time of day.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What the coordinator has to know.
#[derive(Clone)]
pub struct Config {
    /// The sagas, each with how its steps are tried.
    pub sagas: HashMap<ComponentId, Policies>,
    /// Which start of the host this is: larger than any before it on the same journals.
    pub epoch: u64,
    /// Who else carries runs.
    pub owners: Arc<dyn Owners>,
    /// What remembers how long journals were.
    pub guard: Arc<dyn Guard>,
    /// How many runs may have an instance of their code at once. What an instance has touched stays with the pool after it,
    /// while a run that waits for a place takes some kilobytes, and only as long as it waits.
    pub live: usize,
    /// How long code waits before its instance is let go; it is replayed when there is something to wait for no longer.
    pub idle: Duration,
    /// How long code may compute without waiting for anything; longer is a crash.
    pub thinking: Duration,
    /// How often code that crashed is replayed before the run is parked.
    pub crashes: u32,
    /// The most records a journal may have.
    pub history: u32,
    /// From how many records on it is said in the log.
    pub long_history: u32,
    /// The most bytes that one command, answer or input may have.
    pub payload: usize,
    /// What time it is.
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sagas: HashMap::new(),
            epoch: 1,
            owners: Arc::new(Alone),
            guard: Arc::new(NoGuard),
            live: 128,
            idle: Duration::from_secs(2),
            thinking: Duration::from_secs(10),
            crashes: 5,
            history: 10_000,
            long_history: 2_000,
            payload: 1 << 20,
            clock: Arc::new(clock::now),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("sagas", &self.sagas)
            .field("epoch", &self.epoch)
            .field("live", &self.live)
            .field("idle", &self.idle)
            .field("thinking", &self.thinking)
            .field("crashes", &self.crashes)
            .field("history", &self.history)
            .field("long_history", &self.long_history)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}
