//! All runs: who carries which, which ones wait, and how they are begun and found again.

mod desk;
mod ground;
pub(crate) mod load;
mod verify;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use skald_core::{
    call::DynCall,
    manifest::ComponentId,
    saga::{
        End, Input, RunId, Started,
        journal::{self, Journal, Standing, Summary},
        play::Play,
    },
    store::StoreError,
};
use skald_telemetry::tasks::{Shutdown, Tasks};
use tokio::{
    select,
    sync::{mpsc::UnboundedReceiver, oneshot},
    time::sleep,
};

pub(crate) use self::ground::Ground;
use self::ground::Leaving;
use crate::{
    Begun, Config, Start, StartError, VerbError,
    carrier::{Ack, Carrier, Order},
    stage::Run,
};

/// How long whoever waits for an end waits before asking again.
const AGAIN: Duration = Duration::from_secs(1);

/// The coordinator. Clones are the same one.
#[derive(Clone)]
pub struct Sagas {
    ground: Arc<Ground>,
    tasks: Tasks,
}

// === impl Sagas ===

impl Sagas {
    /// A coordinator whose runs are tasks of `tasks`.
    pub fn new(
        config: Config,
        journal: Arc<dyn Journal>,
        play: Arc<dyn Play>,
        tasks: &Tasks,
    ) -> Self {
        Self {
            ground: Arc::new(Ground::new(config, journal, play)),
            tasks: tasks.clone(),
        }
    }

    /// Tells where steps go. The coordinator does not keep the other side alive.
    pub fn connect(&self, calls: Weak<dyn DynCall>) {
        self.ground.calls.connect(calls);
    }

    /// Whether a component is a saga.
    pub fn is_saga(&self, component: &ComponentId) -> bool {
        self.ground.config.sagas.contains_key(component)
    }

    /// Takes up all runs that have not ended and are this node's, or fall to it: those with something to do at once, the
    /// others when it is time. To be called again when a node has died.
    pub async fn recover(&self) -> Result<(), StoreError> {
        // Those that are carried look for themselves: the store may have lost them, and then its list has them no more.
        let carried: Vec<RunId> = self.ground.active.lock().keys().cloned().collect();
        carried.iter().for_each(|run| self.send(run, Order::Wake));
        let standings = vec![Standing::Running, Standing::RollingBack];
        let owners = &self.ground.config.owners;
        let take_up = |summary: &Summary| {
            if owners.inherits(&summary.component, &summary.run) {
                self.take_up(summary);
            }
        };
        journal::each(&*self.ground.journal, standings, take_up).await
    }

    /// Wakes runs when their time has come, until told to stop.
    pub async fn keep_time(self, shutdown: Shutdown) {
        while !shutdown.is_said() {
            let (due, pause) = self.ground.due();
            for run in due {
                self.send(&run, Order::Wake);
            }
            select! {
                biased;
                () = shutdown.wait() => return,
                () = self.ground.slept.notified() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Begins a run, or finds the one that the key began before. Durable when it answers.
    pub async fn start(&self, start: Start) -> Result<Begun, StartError> {
        let size = match &start.input {
            Input::Message(payload) => payload.len(),
            Input::Function { arguments, .. } => {
                postcard::experimental::serialized_size(arguments).unwrap_or(usize::MAX)
            }
        };
        let limit = self.ground.config.payload;
        if size > limit {
            return Err(StartError::TooLarge { size, limit });
        }
        let revision = self
            .ground
            .play
            .current(&start.component)
            .filter(|_| self.is_saga(&start.component))
            .ok_or_else(|| StartError::NoSuchSaga(start.component.to_string()))?;
        let started = start.record(revision);
        loop {
            let (reply, begun) = oneshot::channel();
            match self.ground.enter(&started.run) {
                Some(orders) => self.spawn_start(Box::new(started.clone()), reply, orders),
                None => self.send(&started.run, Order::Start(Box::new(started.clone()), reply)),
            }
            if let Ok(begun) = begun.await {
                return begun;
            }
            // The run was put away between two words, or all are.
            if self.tasks.shutdown().is_said() {
                return Err(StartError::ShuttingDown);
            }
        }
    }

    /// Waits for a run's end.
    pub async fn end_of(&self, run: &RunId) -> Result<End, VerbError> {
        loop {
            let (reply, end) = oneshot::channel();
            self.send(run, Order::Await(reply));
            if let Ok(end) = end.await {
                return Ok(end);
            }
            // Whoever carried it does not any more; somebody else may.
            let summary = self.summary(run).await?;
            let is_others = self.ground.carried_elsewhere(&summary).is_some();
            let is_later = summary.epoch > self.ground.epoch() && !is_others;
            let is_lost = is_later && !summary.standing.is_end();
            if is_lost || self.tasks.shutdown().is_said() || self.ground.is_damaged(run) {
                return Err(self.ground.lost(run));
            }
            sleep(AGAIN).await;
        }
    }

    /// Asks something of a run; its carrier is made if it has none.
    fn send(&self, run: &RunId, order: Order) {
        let Some(orders) = self.ground.order(run, order) else {
            return;
        };
        let leaving = Leaving::new(&self.ground, run);
        let (ground, run) = (Arc::clone(&self.ground), run.clone());
        let shutdown = self.tasks.shutdown();
        self.tasks.spawn("run of a saga", async move {
            match ground.load(&run).await.map(Run::new) {
                Ok(run) => {
                    let mut carrier = Carrier::new(run, Arc::clone(&ground), orders, None);
                    carrier.carry(&shutdown).await;
                }
                Err(error) => ground.give_up(&run, &error, orders),
            }
            leaving.well();
        });
    }

    fn spawn_start(&self, started: Box<Started>, reply: Ack, orders: UnboundedReceiver<Order>) {
        let sagas = self.clone();
        let leaving = Leaving::new(&self.ground, &started.run);
        self.tasks.spawn("run of a saga", async move {
            sagas.begin(started, reply, orders).await;
            leaving.well();
        });
    }

    /// Begins a run and carries it, or tells who began it before.
    async fn begin(&self, started: Box<Started>, reply: Ack, mut orders: UnboundedReceiver<Order>) {
        let ground = &self.ground;
        let run = started.run.clone();
        let begun = match ground.begin(*started).await {
            Ok(load::Found::New(run)) => {
                let mut carrier = Carrier::new(run, Arc::clone(ground), orders, Some(reply));
                return carrier.carry(&self.tasks.shutdown()).await;
            }
            Ok(load::Found::Before(begun, summary)) => {
                self.take_up(&summary);
                begun
            }
            Err(error) => Err(error),
        };
        let _ = reply.send(begun);
        // What was asked meanwhile is for whoever carries the run from now on.
        orders.close();
        while let Ok(order) = orders.try_recv() {
            self.send(&run, order);
        }
    }

    /// Sees to it that a run which has not ended is carried: at once, or when it is time; by another node, if it is its.
    fn take_up(&self, summary: &Summary) {
        if self.ground.carried_elsewhere(summary).is_some() {
            return;
        }
        match (summary.standing, summary.due) {
            (Standing::Running | Standing::RollingBack, Some(due)) => {
                self.ground.sleep_until(due, summary.run.clone());
            }
            (Standing::Running | Standing::RollingBack, None) => {
                self.send(&summary.run, Order::Wake);
            }
            (
                Standing::Parked | Standing::Completed | Standing::RolledBack | Standing::Failed,
                _,
            ) => {}
        }
    }
}
