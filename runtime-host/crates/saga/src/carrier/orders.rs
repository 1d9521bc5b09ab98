//! What others ask of a run while it is carried, and how they hear that it is done.

use skald_core::{
    saga::{By, End, Parked, Record, RunId, Started, State, Verb, desk::Signal, view::Trying},
    store::StoreError,
};
use tokio::{sync::oneshot, time::Instant};

use super::Carrier;
use crate::{
    Begun,
    error::{StartError, VerbError},
    sagas::load::same,
};

/// Hears whether a run has begun; that is durable then.
pub(crate) type Ack = oneshot::Sender<Result<Begun, StartError>>;

type Reply = oneshot::Sender<Result<(), VerbError>>;

/// Something that is asked of a run. It is small, since each run that is carried has room for 32 of them.
pub(crate) enum Order {
    /// Look whether there is something to do.
    Wake,
    /// Begin; the key has begun this run before.
    Start(Box<Started>, Ack),
    /// Do this.
    Act(Box<(Verb, By)>, Reply),
    /// Take this.
    Signal(Box<Signal>, Reply),
    /// Tell what is tried.
    Look(oneshot::Sender<Vec<Trying>>),
    /// Tell of the end.
    Await(oneshot::Sender<End>),
}

/// Who waits for what to be durable.
pub(super) struct Acks {
    begun: Option<Ack>,
    again: Vec<Ack>,
    done: Vec<Reply>,
    ends: Vec<oneshot::Sender<End>>,
}

// === impl Order ===

impl Order {
    /// Nobody carries the run, for this reason.
    pub(crate) fn refuse(self, error: &VerbError) {
        match self {
            Self::Wake => {}
            // Whoever begins looks for the run again, and whoever waits for the end too.
            Self::Start(..) | Self::Look(_) | Self::Await(_) => {}
            Self::Act(_, reply) | Self::Signal(_, reply) => {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

// === impl Acks ===

impl Acks {
    pub(super) const fn new(begun: Option<Ack>) -> Self {
        Self {
            begun,
            again: Vec::new(),
            done: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Whether nobody waits for the run any more.
    pub(super) fn is_empty(&mut self) -> bool {
        self.ends.retain(|waiter| !waiter.is_closed());
        self.begun.is_none()
            && self.again.is_empty()
            && self.done.is_empty()
            && self.ends.is_empty()
    }

    /// All that was asked so far is durable. Whoever has gone away meanwhile does not hear it.
    pub(super) fn durable(&mut self, run: &RunId) {
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(Ok(Begun::New(run.clone())));
        }
        for again in self.again.drain(..) {
            let _ = again.send(Ok(Begun::Before(run.clone())));
        }
        for reply in self.done.drain(..) {
            let _ = reply.send(Ok(()));
        }
    }

    /// The run could not be begun, if that is what is waited for.
    pub(super) fn begin_failed(&mut self, error: &StoreError) -> bool {
        let Some(begun) = self.begun.take() else {
            return false;
        };
        let _ = begun.send(Err(error.clone().into()));
        for again in self.again.drain(..) {
            let _ = again.send(Err(error.clone().into()));
        }
        true
    }

    /// Another owner has the run: nothing of what was asked was done here.
    pub(super) fn lost(&mut self) {
        self.begun = None;
        self.again.clear();
        self.done.clear();
        self.ends.clear();
    }

    /// The run has ended.
    pub(super) fn ended(&mut self, state: &State) {
        self.durable(state.run());
        if let Some(end) = state.end() {
            for waiter in self.ends.drain(..) {
                let _ = waiter.send(end.clone());
            }
        }
    }
}

// === impl Carrier ===

impl Carrier {
    /// Takes what was asked while nobody listened.
    pub(super) fn take_orders(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            self.obey(order);
        }
    }

    pub(super) fn obey(&mut self, order: Order) {
        match order {
            Order::Wake => {}
            Order::Start(started, ack) => self.started_again(&started, ack),
            Order::Act(act, reply) => {
                let (verb, by) = *act;
                self.act_on(&verb, by, reply);
            }
            Order::Signal(signal, reply) => self.signalled(*signal, reply),
            Order::Look(reply) => {
                let _ = reply.send(self.trying());
            }
            // An end is told once it is durable, which the next pass sees to.
            Order::Await(reply) => self.acks.ends.push(reply),
        }
    }

    fn act_on(&mut self, verb: &Verb, by: By, reply: Reply) {
        // A run that tries something again and again is not parked, and can be told to try it now.
        if *verb == Verb::Retry && self.hurry() {
            let _ = reply.send(Ok(()));
            return;
        }
        let (decided, parked) = self.state(|state| {
            let parked = state.parked().map(|(reason, _)| reason.clone());
            (state.decide(verb, by), parked)
        });
        match decided {
            Err(refusal) => {
                let _ = reply.send(Err(refusal.into()));
            }
            Ok(records) if records.is_empty() => {
                let _ = reply.send(Ok(()));
            }
            Ok(records) => {
                tracing::info!(run = %self.run.id, verb = verb.name(), "an operator acts on a saga");
                if !records.into_iter().all(|record| self.add(record)) {
                    let why = "the run is not where this can be done".to_owned();
                    let _ = reply.send(Err(VerbError::Invalid(why)));
                    return;
                }
                self.begin_anew(verb, parked.as_ref());
                if self.state(|state| state.end().is_some()) {
                    self.stop_flights();
                }
                self.acks.done.push(reply);
            }
        }
    }

    /// After a person has acted, what failed before counts no longer, and the code may have something to do.
    fn begin_anew(&mut self, verb: &Verb, parked: Option<&Parked>) {
        self.crashes = (0, 0);
        if let Some(Parked::StepUnknown { ordinal, .. } | Parked::StepFailed { ordinal, .. }) =
            parked
        {
            self.unknown.remove(ordinal);
        }
        for tries in self.tries.values_mut() {
            tries.attempts = 0;
            tries.next = None;
        }
        if matches!(verb, Verb::Upgrade { .. }) {
            self.play_again();
        } else if parked.is_some() {
            self.wake_guest();
        }
    }

    /// Makes what waits for its next attempt due; says whether there was any.
    fn hurry(&mut self) -> bool {
        let mut is_any = false;
        for tries in self.tries.values_mut() {
            is_any |= tries.next.take().is_some();
        }
        is_any && self.state(|state| state.parked().is_none())
    }

    fn signalled(&mut self, signal: Signal, reply: Reply) {
        let (has_ended, is_known) =
            self.state(|state| (state.end().is_some(), state.has_signal(&signal.id)));
        // Whoever did not hear that it was taken sends it again, and must not be told otherwise.
        if has_ended && !is_known {
            let _ = reply.send(Err(skald_core::saga::Refusal::HasEnded.into()));
            return;
        }
        if !is_known {
            if self.run.book.lock().is_full() {
                let why = "the journal is full; roll the run back or fail it".to_owned();
                let _ = reply.send(Err(VerbError::Invalid(why)));
                return;
            }
            self.add(Record::Signalled {
                id: signal.id,
                name: signal.name,
                payload: signal.payload.to_vec(),
            });
        }
        self.acks.done.push(reply);
        self.tell_durable();
    }

    fn started_again(&mut self, started: &Started, ack: Ack) {
        match self.state(|state| same(state.started(), started)) {
            Ok(_) => {
                self.acks.again.push(ack);
                self.tell_durable();
            }
            Err(conflict) => {
                let _ = ack.send(Err(conflict));
            }
        }
    }

    /// What was said before is durable already, if those who keep the journal now are those who said so.
    pub(super) fn tell_durable(&mut self) {
        let is_durable = !self.run.book.lock().has_unwritten();
        if is_durable && !self.is_outlived() {
            self.acks.durable(&self.run.id);
        }
    }

    /// Whether the journal was last seen in a life of the store that is over.
    pub(super) fn is_outlived(&self) -> bool {
        self.run.book.lock().life != self.ground.journal.life()
    }

    fn trying(&self) -> Vec<Trying> {
        let now = Instant::now();
        let trying = self.tries.iter().map(|(ordinal, tries)| Trying {
            ordinal: *ordinal,
            attempts: tries.attempts,
            error: tries.error.clone(),
            next: tries
                .next
                .filter(|_| !self.flying.contains_key(ordinal))
                .map(|next| next.saturating_duration_since(now)),
        });
        let mut trying: Vec<Trying> = trying.collect();
        trying.sort_by_key(|one| one.ordinal);
        trying
    }
}
