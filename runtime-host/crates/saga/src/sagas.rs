//! All runs: who carries which, which ones wait, and how they are begun and found again.

mod desk;
pub(crate) mod load;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock, Weak},
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use skald_core::{
    call::{DynCall, Request},
    manifest::ComponentId,
    saga::{
        End, RunId, Stamped, Started, Step,
        journal::{Filter, Journal, Standing},
        play::Play,
        policy::Policy,
    },
    store::StoreError,
};
use skald_telemetry::tasks::{Shutdown, Tasks};
use tokio::{
    select,
    sync::{
        Notify, Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    time::sleep,
};

use crate::{
    Begun, Config, Start, StartError, VerbError,
    book::{Book, micros},
    carrier::{Carrier, Order},
    ledger,
    stage::Run,
};

/// How late a run that waits for a time can be when its wake-up was lost.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How many runs are read at once from the list.
const PAGE: usize = 256;

/// The coordinator. Clones are the same one.
#[derive(Clone)]
pub struct Sagas {
    ground: Arc<Ground>,
    tasks: Tasks,
}

/// What all carriers stand on.
pub(crate) struct Ground {
    pub(crate) config: Config,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) play: Arc<dyn Play>,
    pub(crate) calls: Arc<Calls>,
    /// For instances of code.
    pub(crate) places: Arc<Semaphore>,
    /// The runs that are carried, and the ways to their carriers.
    active: Mutex<HashMap<RunId, UnboundedSender<Order>>>,
    /// The runs that wait for a time.
    sleeping: Mutex<BTreeSet<(SystemTime, RunId)>>,
    /// Told when an earlier time is there.
    slept: Notify,
    /// Runs whose journals are damaged, and where.
    damaged: Mutex<HashMap<RunId, String>>,
}

/// The road that steps take; it is there once the mesh is.
#[derive(Default)]
pub(crate) struct Calls(OnceLock<Weak<dyn DynCall>>);

impl DynCall for Calls {
    fn call_boxed(
        &self,
        request: Request,
    ) -> skald_core::call::BoxFuture<'_, Result<skald_core::call::Reply, skald_core::call::CallError>>
    {
        Box::pin(async move {
            let calls = self.0.get().and_then(Weak::upgrade);
            match calls {
                Some(calls) => calls.call_boxed(request).await,
                None => Err(skald_core::call::CallError::ShuttingDown),
            }
        })
    }
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
        let ground = Ground {
            places: Arc::new(Semaphore::new(config.live)),
            config,
            journal,
            play,
            calls: Arc::default(),
            active: Mutex::default(),
            sleeping: Mutex::default(),
            slept: Notify::new(),
            damaged: Mutex::default(),
        };
        Self {
            ground: Arc::new(ground),
            tasks: tasks.clone(),
        }
    }

    /// Tells where steps go. The coordinator does not keep the other side alive.
    pub fn connect(&self, calls: Weak<dyn DynCall>) {
        // Only the first connection counts; the host makes just one.
        let _ = self.ground.calls.0.set(calls);
    }

    /// Whether a component is a saga.
    pub fn is_saga(&self, component: &ComponentId) -> bool {
        self.ground.config.sagas.contains_key(component)
    }

    /// Takes up all runs that have not ended: those with something to do at once, the others when it is time.
    pub async fn recover(&self) -> Result<(), StoreError> {
        let mut filter = Filter {
            standings: vec![Standing::Running, Standing::RollingBack],
            limit: PAGE,
            ..Filter::default()
        };
        loop {
            let page = self.ground.journal.list(&filter).await?;
            for summary in &page {
                match summary.due {
                    Some(due) => self.ground.sleep_until(due, summary.run.clone()),
                    None => self.send(&summary.run, Order::Wake),
                }
            }
            if page.len() < PAGE {
                return Ok(());
            }
            filter.after = page.last().map(|summary| summary.run.clone());
        }
    }

    /// Wakes runs when their time has come, until told to stop.
    pub async fn keep_time(self, shutdown: Shutdown) {
        while !shutdown.is_said() {
            let pause = self.wake_due();
            select! {
                biased;
                () = shutdown.wait() => return,
                () = self.ground.slept.notified() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Wakes whose time has come, and says how long it is until the next one's.
    fn wake_due(&self) -> Duration {
        let now = (self.ground.config.clock)();
        loop {
            let first = {
                let mut sleeping = self.ground.sleeping.lock();
                match sleeping.first() {
                    None => return LONGEST_SLEEP,
                    Some((due, _)) if *due > now => {
                        // The clock may be set: it is looked at again before long.
                        return due
                            .duration_since(now)
                            .unwrap_or_default()
                            .min(LONGEST_SLEEP);
                    }
                    Some(_) => sleeping.pop_first(),
                }
            };
            if let Some((_, run)) = first {
                self.send(&run, Order::Wake);
            }
        }
    }

    /// Begins a run, or finds the one that the key began before. Durable when it answers.
    pub async fn start(&self, start: Start) -> Result<Begun, StartError> {
        let size = match &start.input {
            skald_core::saga::Input::Message(payload) => payload.len(),
            skald_core::saga::Input::Function { arguments, .. } => {
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
            match self.enter(&started.run) {
                Some(orders) => self.spawn_start(started.clone(), reply, orders),
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
        let (reply, end) = oneshot::channel();
        self.send(run, Order::Await(reply));
        end.await.map_err(|_| self.ground.lost(run))
    }

    /// Takes the place of a run's carrier, if nobody has it.
    fn enter(&self, run: &RunId) -> Option<UnboundedReceiver<Order>> {
        let mut active = self.ground.active.lock();
        if active.contains_key(run) {
            return None;
        }
        let (sender, orders) = unbounded_channel();
        active.insert(run.clone(), sender);
        Some(orders)
    }

    /// Asks something of a run; its carrier is made if it has none.
    fn send(&self, run: &RunId, order: Order) {
        let mut active = self.ground.active.lock();
        if let Some(sender) = active.get(run) {
            // A carrier that has gone leaves under the same lock.
            let _ = sender.send(order);
            return;
        }
        let (sender, orders) = unbounded_channel();
        let _ = sender.send(order);
        active.insert(run.clone(), sender);
        drop(active);
        let (ground, run) = (Arc::clone(&self.ground), run.clone());
        let shutdown = self.tasks.shutdown();
        self.tasks.spawn("run of a saga", async move {
            match ground.load(&run).await {
                Ok(book) => {
                    let carrier = Carrier::new(Run::new(book), Arc::clone(&ground), orders, None);
                    Box::pin(carrier.carry(shutdown)).await;
                }
                Err(error) => tracing::error!(%run, %error, "a run cannot be carried"),
            }
            ground.leave(&run);
        });
    }

    fn spawn_start(
        &self,
        started: Started,
        reply: crate::carrier::Ack,
        orders: UnboundedReceiver<Order>,
    ) {
        let ground = Arc::clone(&self.ground);
        let shutdown = self.tasks.shutdown();
        self.tasks.spawn("run of a saga", async move {
            let run = started.run.clone();
            match ground.begin(started).await {
                Ok(load::Found::New(book)) => {
                    let carrier =
                        Carrier::new(Run::new(*book), Arc::clone(&ground), orders, Some(reply));
                    Box::pin(carrier.carry(shutdown)).await;
                }
                Ok(load::Found::Before(begun)) => {
                    let _ = reply.send(begun);
                }
                Err(error) => {
                    let _ = reply.send(Err(error));
                }
            }
            ground.leave(&run);
        });
    }
}

// === impl Ground ===

impl Ground {
    /// How a step of a component's runs is tried.
    pub(crate) fn policy(&self, component: &str, step: &Step) -> Policy {
        let policies = self.config.sagas.get(component);
        policies
            .map(|policies| policies.of(step))
            .unwrap_or_default()
    }

    /// A carrier goes, unless something was asked of it meanwhile. The run is woken again at `due`.
    pub(crate) fn release(
        &self,
        run: &RunId,
        due: Option<SystemTime>,
        orders: &mut UnboundedReceiver<Order>,
    ) -> bool {
        let mut active = self.active.lock();
        if !orders.is_empty() {
            return false;
        }
        active.remove(run);
        drop(active);
        if let Some(due) = due {
            self.sleep_until(due, run.clone());
        }
        true
    }

    /// A carrier has gone, however it went. What is asked of it from now on makes a new one.
    fn leave(&self, run: &RunId) {
        let mut active = self.active.lock();
        // Another may have taken the place already: its way is open, and the one of before is not.
        if active.get(run).is_some_and(UnboundedSender::is_closed) {
            active.remove(run);
        }
    }

    fn sleep_until(&self, due: SystemTime, run: RunId) {
        if due >= ledger::never() {
            return;
        }
        self.sleeping.lock().insert((due, run));
        self.slept.notify_one();
    }

    fn new_book(&self, started: Started) -> Result<Book, StartError> {
        let first = Stamped {
            at: micros(&self.config.clock),
            record: skald_core::saga::Record::Started(started),
        };
        Book::begin(first, &self.config)
            .map_err(|error| StartError::Store(StoreError::Corrupt(error.to_string())))
    }

    /// Why nobody answers for a run.
    fn lost(&self, run: &RunId) -> VerbError {
        match self.damaged.lock().get(run) {
            Some(damage) => VerbError::Damaged(damage.clone()),
            None => VerbError::ShuttingDown,
        }
    }
}
