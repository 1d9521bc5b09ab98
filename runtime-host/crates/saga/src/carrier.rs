//! The task that carries one run: pass by pass, it does what the state asks for and is not under way.

mod guest;
mod orders;
mod passes;
mod steps;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use skald_core::saga::{Direction, Record, State, journal::AppendError};
use skald_telemetry::tasks::Shutdown;
use tokio::{
    select,
    sync::mpsc::UnboundedReceiver,
    task::{Id, JoinSet},
    time::{Instant, sleep_until},
};

pub(crate) use self::orders::{Ack, Order};
use self::{
    guest::{Guest, Turn},
    orders::Acks,
};
use crate::{
    attempt::{Landed, Tries},
    ledger::{self, Code},
    sagas::Ground,
    stage::Run,
};

/// A journal that could not be written is not tried again at once; a line of log each second can still be read.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The wall clock is looked at this often at least: it may be set while a timer is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Carries one run until it has ended or has nothing to do for a while.
pub(crate) struct Carrier {
    run: Arc<Run>,
    ground: Arc<Ground>,
    orders: UnboundedReceiver<Order>,
    guest: Guest,
    /// How often the code has crashed in a row, and after how many commands.
    crashes: (u32, u32),
    flights: JoinSet<Landed>,
    /// The attempts that are under way, by what they are of.
    flying: HashMap<u32, (Id, Direction)>,
    /// Steps that must not be sent twice, and may have been sent.
    unknown: HashSet<u32>,
    tries: HashMap<u32, Tries>,
    acks: Acks,
    /// Since when there is nothing to do for the code.
    quiet_since: Option<Instant>,
    /// Since when the code has been busy.
    busy_since: Option<Instant>,
    /// Whether the journal's length was remarked upon.
    has_warned: bool,
}

/// What a pass came to.
enum Passed {
    /// Wait for something to happen, until then at most.
    Wait(Instant),
    /// Nothing happens for a while: the run can be put away.
    Rest,
    /// The run has ended, or is another's.
    Over,
    /// The journal is not as it is known here: the run has to be read again, not before then.
    Stale(SystemTime),
}

// === impl Carrier ===

impl Carrier {
    pub(crate) fn new(
        run: Arc<Run>,
        ground: Arc<Ground>,
        orders: UnboundedReceiver<Order>,
        ack: Option<Ack>,
    ) -> Self {
        let unknown = steps::unknown(&run.book.lock().state, &ground);
        // Who carried it before has said so already.
        let has_warned = run.book.lock().state.records() >= ground.config.long_history;
        Self {
            run,
            ground,
            orders,
            guest: Guest::due(Instant::now()),
            crashes: (0, 0),
            flights: JoinSet::new(),
            flying: HashMap::new(),
            unknown,
            tries: HashMap::new(),
            acks: Acks::new(ack),
            quiet_since: None,
            busy_since: None,
            has_warned,
        }
    }

    /// Carries the run until it has ended, can be put away, or the host stops.
    pub(crate) async fn carry(&mut self, shutdown: &Shutdown) {
        while !shutdown.is_said() {
            let due = match self.pass().await {
                Passed::Wait(until) => {
                    self.wait(until, shutdown).await;
                    continue;
                }
                Passed::Rest => self.state(|state| ledger::due(state, Code::Waits)),
                Passed::Over => None,
                Passed::Stale(due) => Some(due),
            };
            if self.ground.release(&self.run.id, due, &mut self.orders) {
                return;
            }
            // Something was asked for meanwhile.
            self.take_orders();
        }
        self.land().await;
    }

    /// Waits until something happens.
    async fn wait(&mut self, until: Instant, shutdown: &Shutdown) {
        select! {
            biased;
            () = shutdown.wait() => {}
            Some(order) = self.orders.recv() => self.obey(order),
            Some(landed) = self.flights.join_next() => match landed {
                Ok(landed) => self.landed(landed),
                Err(error) => self.broke_off(&error),
            },
            turn = self.guest.turn(&self.ground) => match turn {
                Turn::Ended(ended) => self.guest_ended(ended),
                Turn::Admitted(permit) => self.guest.allow(permit),
            },
            () = self.run.asked.notified() => {}
            () = sleep_until(until) => {}
        }
    }

    /// Adds a record that follows from what is there. One that cannot is a mistake of ours: a person has to know.
    fn add(&self, record: Record) -> bool {
        let added = self.run.book.lock().add(record);
        self.run.ended.notify_one();
        if let Err(invalid) = &added {
            tracing::error!(run = %self.run.id, %invalid, "a record was not made");
        }
        added.is_ok()
    }

    /// Looks at the state.
    fn state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.run.book.lock().state)
    }

    /// Makes durable what is not, and tells those who wait for it.
    async fn write(&mut self) -> Result<(), AppendError> {
        let code = self.code();
        let unwritten = self.run.book.lock().unwritten(self.ground.epoch(), code);
        let unwritten = unwritten.map_err(|error| {
            AppendError::from(skald_core::store::StoreError::Unavailable(
                error.to_string(),
            ))
        })?;
        let (append, life) = (unwritten.append.clone(), self.ground.journal.life());
        self.ground.journal.append(append).await?;
        self.run.book.lock().written(&unwritten, life);
        self.ground.remember(&unwritten.append);
        self.tell_durable();
        self.remark(unwritten.append.entry.len());
        Ok(())
    }

    /// Says when an entry is large, and once that the journal grows long.
    fn remark(&mut self, bytes: usize) {
        let (records, component) =
            self.state(|state| (state.records(), state.started().component.clone()));
        let limit = self.ground.config.payload;
        if bytes > limit / 2 {
            tracing::warn!(run = %self.run.id, %component, bytes, limit, "what a saga passes grows large; at the limit the run is parked");
        }
        if self.has_warned || records < self.ground.config.long_history {
            return;
        }
        self.has_warned = true;
        tracing::warn!(
            run = %self.run.id,
            %component,
            records,
            limit = self.ground.config.history,
            "the journal grows long; at the limit the run is parked"
        );
    }

    /// The host stops: what is under way ends, and what came of it is kept.
    async fn land(&mut self) {
        self.guest.leave();
        while let Some(landed) = self.flights.join_next().await {
            if let Ok(landed) = landed {
                self.landed(landed);
            }
        }
        while self.run.book.lock().has_unwritten() {
            if let Err(error) = self.write().await {
                // The next start finds the run where it was, and sends the same steps with the same keys.
                tracing::warn!(run = %self.run.id, %error, "the last records of a run were not written");
                return;
            }
        }
    }
}
