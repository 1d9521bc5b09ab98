//! A world on one thread, with a time of its own: journals, services, and hosts that come and go.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use skald_core::{
    call::DynCall,
    manifest::ComponentId,
    saga::{
        By, Input, RunId, Verb,
        desk::{Desk, DeskError, Signal},
        journal::{Journal, Standing},
        policy::{Policies, Policy},
    },
};
use skald_saga::{Begun, Config, Sagas, Start, StartError};
use skald_telemetry::tasks::Tasks;
use tokio::{
    runtime::Builder,
    select,
    time::{Instant, sleep},
};

use crate::{
    Failure,
    actors::Actors,
    expect, invariants,
    ledger::{Ledger, SERVICE},
    points::Points,
    shapes::Shape,
    shelf::Shelf,
    shop::{self, Counter},
};

/// The component of most runs.
pub const SAGA: &str = "saga";

/// How long all runs may take to come to an end once faults have stopped.
pub const PATIENCE: Duration = Duration::from_secs(20 * 86_400);

/// How often a step is tried here.
pub const ATTEMPTS: u32 = 8;

/// All that outlives a host.
pub struct World {
    /// Where hosts die.
    pub points: Arc<Points>,
    /// The journals, in memory.
    pub shelf: Arc<Shelf>,
    /// What is called.
    pub ledger: Arc<Ledger>,
    /// The code.
    pub actors: Arc<Actors>,
    /// What time it is.
    pub clock: Arc<Clock>,
    /// Settings of hosts.
    pub config: Config,
    /// What was said to be durable.
    pub promises: Arc<Mutex<Promises>>,
    epoch: AtomicU64,
    /// Where hosts keep journals.
    pub journal: Arc<dyn Journal>,
}

/// What hosts have said to be durable.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    /// Runs that have begun.
    pub runs: BTreeSet<RunId>,
    /// Signals that were taken, by run.
    pub signals: BTreeSet<(RunId, String)>,
}

/// The time of day in a world: it goes on with the time of its hosts, and can be set.
pub struct Clock(Mutex<(SystemTime, Option<Instant>)>);

/// A host while it lives.
pub struct Host {
    /// The coordinator.
    pub sagas: Sagas,
    /// Its tasks.
    pub tasks: Tasks,
    /// Where hosts die.
    pub points: Arc<Points>,
    /// The journals.
    pub shelf: Arc<Shelf>,
    /// What was said to be durable.
    pub promises: Arc<Mutex<Promises>>,
}

// === impl Clock ===

impl Clock {
    fn new() -> Self {
        let begin = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Self(Mutex::new((begin, None)))
    }

    /// What time it is.
    pub fn now(&self) -> SystemTime {
        let (base, since) = *self.0.lock();
        base + since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// The same in milliseconds since 1970.
    pub fn millis(&self) -> u64 {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn begin(&self) {
        let mut clock = self.0.lock();
        clock.1 = Some(Instant::now());
    }

    fn end(&self) {
        let now = self.now();
        *self.0.lock() = (now, None);
    }

    /// Somebody sets it.
    pub fn jump(&self, by: Duration, is_back: bool) {
        let mut clock = self.0.lock();
        clock.0 = if is_back { clock.0 - by } else { clock.0 + by };
    }
}

// === impl World ===

impl World {
    /// A world with one saga.
    pub fn new(shape: &Shape) -> Self {
        let world = Self::bare(|shelf| Arc::clone(shelf) as Arc<dyn Journal>);
        world.stage(shape);
        world
    }

    /// The saga of most runs is this one, with what is around it.
    pub fn stage(&self, shape: &Shape) {
        self.ledger.replan(shape.plan.clone());
        self.actors.learn(SAGA, "r1", shape.program.clone());
        if let Some(setting) = &shape.shop {
            let clock = Arc::clone(&self.clock);
            self.ledger.open(Counter::open(setting, clock));
        }
    }

    /// A world whose hosts keep journals elsewhere.
    pub fn bare(journal: impl FnOnce(&Arc<Shelf>) -> Arc<dyn Journal>) -> Self {
        let points = Arc::new(Points::default());
        let shelf = Arc::new(Shelf::new(Arc::clone(&points)));
        let plan = crate::ledger::Plan::default();
        let ledger = Ledger::new(Arc::clone(&shelf), Arc::clone(&points), plan);
        let clock = Arc::new(Clock::new());
        let read = Arc::clone(&clock);
        let mut config = Config {
            clock: Arc::new(move || read.now()),
            ..Config::default()
        };
        config
            .sagas
            .insert(SAGA.into(), policies(Policy::default()));
        Self {
            journal: journal(&shelf),
            actors: Arc::new(Actors::new(Arc::clone(&points), Arc::clone(&shelf))),
            ledger: Arc::new(ledger),
            promises: Arc::default(),
            epoch: AtomicU64::new(0),
            points,
            shelf,
            clock,
            config,
        }
    }

    /// One more saga.
    pub fn learn(&mut self, component: &str, shape: &Shape) {
        let policies = policies(Policy::default());
        self.config.sagas.insert(component.into(), policies);
        self.actors.learn(component, "r1", shape.program.clone());
    }

    /// A host lives until `life` is over; nothing is answered if it dies before.
    pub fn live<T>(&self, life: impl AsyncFnOnce(&Host) -> T) -> Result<Option<T>, Failure> {
        self.points.revive();
        self.epoch.fetch_add(1, Ordering::Relaxed);
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| Failure::new(error.to_string()))?;
        let lived = runtime.block_on(async {
            self.clock.begin();
            let host = self.host();
            let lived = select! {
                biased;
                () = self.points.death() => None,
                lived = life(&host) => Some(lived),
            };
            self.clock.end();
            lived
        });
        // All tasks of the host are dropped where they are, as in a death.
        drop(runtime);
        Ok(lived)
    }

    /// Another coordinator on the same journals, in the life of a host.
    pub fn host(&self) -> Host {
        let tasks = Tasks::new();
        let sagas = Sagas::new(
            Config {
                epoch: self.epoch.load(Ordering::Relaxed),
                ..self.config.clone()
            },
            Arc::clone(&self.journal),
            Arc::clone(&self.actors) as Arc<dyn skald_core::saga::play::Play>,
            &tasks,
        );
        let calls: Arc<dyn DynCall> = Arc::clone(&self.ledger) as Arc<dyn DynCall>;
        sagas.connect(Arc::downgrade(&calls));
        tasks.spawn("time", sagas.clone().keep_time(tasks.shutdown()));
        Host {
            sagas,
            tasks,
            points: Arc::clone(&self.points),
            shelf: Arc::clone(&self.shelf),
            promises: Arc::clone(&self.promises),
        }
    }

    /// Hosts of other worlds have been here before.
    pub fn begin_at_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    /// A host that begins while others live.
    pub fn another_host(&self) -> Host {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        self.host()
    }

    /// Whether all that must always hold does.
    pub fn check(&self) -> Result<(), Failure> {
        invariants::check(self)
    }
}

/// Policies under which a step is tried often, and at once.
pub fn policies(policy: Policy) -> Policies {
    let policy = Policy {
        attempts: NonZeroU32::MIN.saturating_add(ATTEMPTS - 1),
        backoff: Duration::ZERO,
        timeout: Some(Duration::from_secs(5)),
        ..policy
    };
    let service = SERVICE
        .split_once('/')
        .map_or(SERVICE, |(package, _)| package);
    let shop = shop::SERVICES.map(|name| format!("shop:{name}"));
    let all = shop.into_iter().chain([service.to_owned()]);
    Policies::new(all.map(|name| (name, policy)))
}

// === impl Host ===

impl Host {
    /// Takes up what there is.
    pub async fn recover(&self) -> Result<(), Failure> {
        let recovered = self.sagas.recover().await;
        recovered.map_err(|error| Failure::new(format!("recovery failed: {error}")))
    }

    /// Begins a run.
    pub async fn start(&self, component: &str, key: &str) -> Result<RunId, StartError> {
        let begun = self.sagas.start(start(component, key)).await?;
        let (Begun::New(run) | Begun::Before(run)) = begun;
        self.promises.lock().runs.insert(run.clone());
        Ok(run)
    }

    /// Sends a signal. What comes after `=` is its payload.
    pub async fn signal(&self, run: &RunId, text: &str) -> Result<(), DeskError> {
        let (name, payload) = text.split_once('=').unwrap_or((text, text));
        let signal = Signal {
            id: format!("sending of {text}"),
            name: name.to_owned(),
            payload: payload.as_bytes().to_vec().into(),
        };
        let id = signal.id.clone();
        self.sagas.signal(run, signal).await?;
        self.promises.lock().signals.insert((run.clone(), id));
        Ok(())
    }

    /// Does something to a run.
    pub async fn act(&self, run: &RunId, verb: Verb) -> Result<(), DeskError> {
        let by = by(verb.name());
        self.sagas.act(run, verb, by).await
    }

    /// The only run, or the first.
    pub fn run(&self) -> Result<RunId, Failure> {
        let first = self.shelf.summaries().into_iter().next();
        first
            .map(|one| one.run)
            .ok_or_else(|| Failure::new("there is no run"))
    }

    /// Stops as hosts stop when they are told to; nothing may be left behind.
    pub async fn stop(&self) -> Result<(), Failure> {
        let drained = self.tasks.drain(Duration::from_secs(60)).await;
        expect(
            drained.panicked.is_empty() && drained.unfinished.is_empty(),
            || format!("a host stops badly: {drained:?}"),
        )
    }

    /// Waits until nothing happens any more by itself.
    pub async fn quiet(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let late: Vec<String> = self
                .shelf
                .summaries()
                .into_iter()
                .filter(|one| !one.standing.is_end() && one.standing != Standing::Parked)
                .map(|one| format!("{} is {}", one.run, one.standing.as_str()))
                .collect();
            if late.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new(format!(
                    "I10 liveness: after {PATIENCE:?} without faults {}",
                    late.join(", ")
                )));
            }
            select! {
                biased;
                () = self.shelf.change() => {}
                () = sleep(Duration::from_secs(3_600)) => {}
            }
        }
    }
}

/// The one who acts.
pub fn by(verb: &str) -> By {
    By {
        who: "somebody".to_owned(),
        verb: verb.to_owned(),
        why: String::new(),
    }
}

/// What begins a run.
pub fn start(component: &str, key: &str) -> Start {
    Start {
        component: ComponentId::from(component),
        key: key.to_owned(),
        subject: "subject".to_owned(),
        input: Input::Message(b"{}".to_vec()),
        trace: String::new(),
        principal: None,
    }
}
