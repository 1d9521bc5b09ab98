//! What all carriers stand on, and who carries which run.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use skald_core::{
    call::Later,
    saga::{
        Record, RunId, Stamped, Started, Step,
        journal::{Append, Journal, Summary},
        owners::Other,
        play::Play,
        policy::Policy,
    },
    store::StoreError,
};
use tokio::sync::{
    Notify, Semaphore,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::{
    Config, StartError, VerbError,
    book::{Book, micros},
    carrier::Order,
    ledger,
    stage::Run,
};

/// How late a run that waits for a time can be when its wake-up was lost.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How long after a journal could not be read it is tried again.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// What all carriers stand on.
pub(crate) struct Ground {
    pub(crate) config: Config,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) play: Arc<dyn Play>,
    /// The road that steps take; it is there once the mesh is.
    pub(crate) calls: Arc<Later>,
    /// For instances of code.
    pub(crate) places: Arc<Semaphore>,
    /// The runs that are carried, and the ways to their carriers.
    pub(super) active: Mutex<HashMap<RunId, UnboundedSender<Order>>>,
    /// The runs that wait for a time.
    pub(super) sleeping: Mutex<BTreeSet<(SystemTime, RunId)>>,
    /// Told when an earlier time is there.
    pub(super) slept: Notify,
    /// Runs whose journals are damaged, and where.
    pub(super) damaged: Mutex<HashMap<RunId, String>>,
    /// Runs whose journals have lost their end, and how many entries they had.
    pub(super) regressed: Mutex<HashMap<RunId, u64>>,
    /// The newest epoch of this node.
    epoch: AtomicU64,
}

/// Takes a carrier off the list when it goes, also when it panics.
pub(super) struct Leaving {
    ground: Arc<Ground>,
    run: RunId,
    is_well: bool,
}

// === impl Leaving ===

impl Leaving {
    pub(super) fn new(ground: &Arc<Ground>, run: &RunId) -> Self {
        Self {
            ground: Arc::clone(ground),
            run: run.clone(),
            is_well: false,
        }
    }

    /// It has come to its end by itself.
    pub(super) fn well(mut self) {
        self.is_well = true;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.ground.leave(&self.run);
        if !self.is_well {
            // Nobody else would take the run up before the next start of the host.
            self.ground
                .sleep_until((self.ground.config.clock)() + READ_PAUSE, self.run.clone());
        }
    }
}

// === impl Ground ===

impl Ground {
    pub(super) fn new(config: Config, journal: Arc<dyn Journal>, play: Arc<dyn Play>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(config.live)),
            epoch: AtomicU64::new(config.epoch),
            config,
            journal,
            play,
            calls: Arc::default(),
            active: Mutex::default(),
            sleeping: Mutex::default(),
            slept: Notify::new(),
            damaged: Mutex::default(),
            regressed: Mutex::default(),
        }
    }

    /// The epoch that this node writes in.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// An epoch of this node that is later than `epoch`. Runs that it carries already go on in it.
    pub(super) async fn epoch_after(&self, epoch: u64) -> Result<u64, VerbError> {
        if self.epoch() > epoch {
            return Ok(self.epoch());
        }
        let new = self.config.owners.new_epoch().await?;
        let Some(new) = new.filter(|new| *new > epoch) else {
            tracing::warn!(
                epoch,
                "runs are carried by a later host; this one should stop"
            );
            return Err(VerbError::ShuttingDown);
        };
        self.epoch.fetch_max(new, Ordering::Relaxed);
        Ok(self.epoch())
    }

    /// The other node that carries a run which has not ended.
    pub(super) fn carried_elsewhere(&self, summary: &Summary) -> Option<Other> {
        if summary.standing.is_end() {
            return None;
        }
        self.config.owners.other(summary.epoch)
    }

    /// Remembers, outside the store, how long a journal is that has not ended.
    pub(crate) fn remember(&self, written: &Append) {
        let Append {
            summary, sequence, ..
        } = written;
        if summary.standing.is_end() {
            self.config.guard.forget(&summary.run);
        } else {
            self.config.guard.note(&summary.run, *sequence);
        }
    }

    /// How long a journal was at least.
    pub(super) fn had(&self, run: &RunId) -> u64 {
        let noted = self.regressed.lock().remove(run);
        noted.max(self.config.guard.had(run)).unwrap_or(0)
    }

    /// A journal goes on before what this node has written: the store has lost what it had said was durable.
    pub(crate) fn note_regression(&self, run: &Run, expected: u64) {
        let had = run.book.lock().entries();
        if expected <= had {
            tracing::error!(run = %run.id, had, has = expected.saturating_sub(1), "the store has lost the end of a journal; the run is parked");
            self.regressed.lock().insert(run.id.clone(), had);
        }
    }

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

    /// Gives an order to a run's carrier. If it has none, the order is the first that the next one finds on its way,
    /// which is answered.
    pub(super) fn order(&self, run: &RunId, order: Order) -> Option<UnboundedReceiver<Order>> {
        let mut active = self.active.lock();
        let unheard = match active.get(run) {
            Some(sender) => sender.send(order).err().map(|unheard| unheard.0),
            None => Some(order),
        };
        // A carrier that has gone, however it went, hears nothing any more.
        let first = unheard?;
        let (sender, orders) = unbounded_channel();
        let _ = sender.send(first);
        active.insert(run.clone(), sender);
        Some(orders)
    }

    /// Takes the place of a run's carrier, if nobody has it.
    pub(super) fn enter(&self, run: &RunId) -> Option<UnboundedReceiver<Order>> {
        let mut active = self.active.lock();
        let is_carried = |sender: &UnboundedSender<Order>| !sender.is_closed();
        if active.get(run).is_some_and(is_carried) {
            return None;
        }
        let (sender, orders) = unbounded_channel();
        active.insert(run.clone(), sender);
        Some(orders)
    }

    /// A carrier has gone, however it went, and hears nothing any more.
    fn leave(&self, run: &RunId) {
        let mut active = self.active.lock();
        // Another may have taken the place already: its way is open, and the one of before is not.
        if active.get(run).is_some_and(UnboundedSender::is_closed) {
            active.remove(run);
        }
    }

    /// A run cannot be carried. Whoever has asked something of it hears so, and where it may pass it is tried again.
    pub(super) fn give_up(
        &self,
        run: &RunId,
        error: &VerbError,
        mut orders: UnboundedReceiver<Order>,
    ) {
        match error {
            VerbError::Store(_) => {
                tracing::warn!(%run, %error, "a run cannot be read; it is tried again");
                self.sleep_until((self.config.clock)() + READ_PAUSE, run.clone());
            }
            // A run that was purged while it was woken is no fault.
            VerbError::NoSuchRun(_) | VerbError::Elsewhere(_) | VerbError::ShuttingDown => {
                tracing::debug!(%run, %error, "a run is not carried");
            }
            VerbError::Refused(_)
            | VerbError::Invalid(_)
            | VerbError::Diverges(_)
            | VerbError::Damaged(_) => tracing::error!(%run, %error, "a run cannot be carried"),
        }
        orders.close();
        while let Ok(order) = orders.try_recv() {
            order.refuse(error);
        }
    }

    /// Wakes the run when its time has come.
    pub(super) fn sleep_until(&self, due: SystemTime, run: RunId) {
        if due >= ledger::never() {
            return;
        }
        self.sleeping.lock().insert((due, run));
        self.slept.notify_one();
    }

    pub(super) fn new_book(&self, started: Started) -> Result<Book, StartError> {
        let first = Stamped {
            at: micros(&self.config.clock),
            record: Record::Started(started),
        };
        Book::begin(first, &self.config)
            .map_err(|error| StartError::Store(StoreError::Corrupt(error.to_string())))
    }

    /// Whether the journal of a run was found to be damaged.
    pub(super) fn is_damaged(&self, run: &RunId) -> bool {
        self.damaged.lock().contains_key(run)
    }

    /// Why nobody answers for a run.
    pub(super) fn lost(&self, run: &RunId) -> VerbError {
        match self.damaged.lock().get(run) {
            Some(damage) => VerbError::Damaged(damage.clone()),
            None => VerbError::ShuttingDown,
        }
    }

    /// The runs whose time has come, and how long it is until the next one's.
    pub(super) fn due(&self) -> (Vec<RunId>, Duration) {
        let now = (self.config.clock)();
        let mut due = Vec::new();
        let mut sleeping = self.sleeping.lock();
        while let Some((at, run)) = sleeping.pop_first() {
            if at > now {
                let pause = at.duration_since(now).unwrap_or_default();
                sleeping.insert((at, run));
                // The clock may be set: it is looked at again before long.
                return (due, pause.min(LONGEST_SLEEP));
            }
            due.push(run);
        }
        (due, LONGEST_SLEEP)
    }
}
