//! One pass: what follows by itself is recorded, what was asked is made durable, and then it is done.

use std::time::{Duration, SystemTime};

use skald_core::{
    call::CallError,
    saga::{Action, Command, Direction, Outcome, journal::AppendError},
};
use tokio::time::Instant;

use super::{Carrier, LONGEST_WAIT, Passed, STORE_PAUSE, guest::Guest};
use crate::book::micros;

/// How long code that computes keeps what it has asked for waiting.
const PATIENCE: Duration = Duration::from_millis(10);

/// What one round over the actions came to.
#[derive(Default)]
struct Round {
    /// When the next timer fires.
    timer: Option<u64>,
    /// When the next attempt is made.
    attempt: Option<Instant>,
}

impl Carrier {
    /// One pass. It looks for itself, so that it can be made at any time.
    pub(super) async fn pass(&mut self) -> Passed {
        loop {
            self.heed_stop();
            let actions = self.state(skald_core::saga::State::actions);
            self.admit(&actions);
            if let Some(until) = self.until_quiet() {
                return Passed::Wait(until);
            }
            if self.is_concluded() || self.follow(&actions) {
                continue;
            }
            if !self.run.book.lock().has_unwritten() {
                return self.do_all(&actions);
            }
            // Nobody outside has seen anything yet; once it is durable it may be done.
            if let Err(passed) = self.store().await {
                return passed;
            }
        }
    }

    /// Lets the code play if it is wanted, and go if not.
    fn admit(&mut self, actions: &[Action]) {
        if Self::wants_code(actions) {
            self.play();
        } else if matches!(self.guest, Guest::Playing { .. } | Guest::Allowed(_)) {
            self.guest.leave();
        }
    }

    /// Records what the end of the code comes to; says whether it has come to anything.
    fn is_concluded(&mut self) -> bool {
        let Some(record) = self.conclude() else {
            return false;
        };
        self.guest = Guest::Away;
        self.add(record)
    }

    /// Does what is durable.
    fn do_all(&mut self, actions: &[Action]) -> Passed {
        if self.is_outlived() {
            // What the journal said was acknowledged by others than those who keep it now. It is read again.
            self.discard();
            return Passed::Stale((self.ground.config.clock)());
        }
        if self.state(|state| state.end().is_some()) {
            self.acks.ended(&self.run.book.lock().state);
            return Passed::Over;
        }
        let round = self.act(actions);
        self.rest(&round)
    }

    /// When what the code has asked so far is made durable and done, if that is later: most code asks for more soon.
    fn until_quiet(&mut self) -> Option<Instant> {
        if self.is_quiet() {
            self.busy_since = None;
            return None;
        }
        self.quiet_since = None;
        let now = Instant::now();
        let since = *self.busy_since.get_or_insert(now);
        let most = self.ground.config.thinking;
        if since + most <= now && matches!(self.guest, Guest::Playing { .. }) {
            self.busy_since = None;
            self.crashed(&CallError::TimedOut(most));
            return None;
        }
        let until = since + PATIENCE;
        (until > now).then_some(until)
    }

    /// Records what follows from what is there; says whether anything did.
    fn follow(&mut self, actions: &[Action]) -> bool {
        let now = micros(&self.ground.config.clock);
        let mut has_recorded = false;
        for action in actions {
            match action {
                Action::Record(record) => {
                    has_recorded |= self.add(record.as_ref().clone());
                    self.wake_guest();
                }
                Action::Timer(ordinal, due) if *due <= now => {
                    let is_wait = |command: &Command| matches!(command, Command::Wait { .. });
                    let outcome = match self.state(|state| state.command(*ordinal).map(is_wait)) {
                        Some(true) => Outcome::TimedOut,
                        Some(false) | None => Outcome::Fired,
                    };
                    has_recorded |= self.completed(*ordinal, outcome);
                }
                Action::Settle(ordinal) => has_recorded |= self.settle(*ordinal),
                Action::Dispatch(ordinal) if self.unknown.contains(ordinal) => {
                    self.park_unknown(*ordinal);
                    return true;
                }
                Action::Play | Action::Timer(..) | Action::Dispatch(_) | Action::Undo(_) => {}
            }
        }
        has_recorded
    }

    /// Begins what is asked for and durable.
    fn act(&mut self, actions: &[Action]) -> Round {
        let mut round = Round::default();
        for action in actions {
            let next = match action {
                Action::Dispatch(ordinal) => self.dispatch(*ordinal, Direction::Forward),
                Action::Undo(ordinal) => self.dispatch(*ordinal, Direction::Undo),
                Action::Timer(_, due) => {
                    round.timer = Some(round.timer.map_or(*due, |first| first.min(*due)));
                    None
                }
                Action::Play | Action::Settle(_) | Action::Record(_) => None,
            };
            round.attempt = round.attempt.into_iter().chain(next).min();
        }
        round
    }

    async fn store(&mut self) -> Result<(), Passed> {
        let error = match self.write().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        match error {
            AppendError::Fenced { .. } => {
                // What is not written was not done either: the other owner does it.
                tracing::warn!(run = %self.run.id, %error, "a run is carried by another owner");
                self.discard();
                Err(Passed::Over)
            }
            AppendError::Conflict { expected } => {
                self.ground.note_regression(&self.run, expected);
                tracing::warn!(run = %self.run.id, %error, "a journal is not as it was left; it is read again");
                self.discard();
                Err(Passed::Stale(self.later()))
            }
            AppendError::Store(error) if self.acks.begin_failed(&error) => {
                // It may have begun without our hearing of it: then somebody has to carry it.
                self.discard();
                Err(Passed::Stale(self.later()))
            }
            AppendError::Store(error) => {
                // Nothing is lost: nothing that is not written has been done.
                tracing::warn!(run = %self.run.id, %error, "a run pauses: its journal cannot be written");
                self.guest_pauses();
                Err(Passed::Wait(Instant::now() + STORE_PAUSE))
            }
        }
    }

    fn later(&self) -> SystemTime {
        (self.ground.config.clock)() + STORE_PAUSE
    }

    /// Attempts that are under way are another's business now, and so is whatever was asked.
    fn discard(&mut self) {
        self.acks.lost();
        self.guest.leave();
        self.flights.detach_all();
        self.flying.clear();
    }

    /// What has an instance waits for the disk with it; what has none does not take one.
    fn guest_pauses(&mut self) {
        if let Guest::Due(from, _) = &mut self.guest {
            *from = (*from).max(Instant::now() + STORE_PAUSE);
        }
    }

    /// How long there is nothing to do, and whether the instance or the whole run can be put away meanwhile.
    fn rest(&mut self, round: &Round) -> Passed {
        let now = Instant::now();
        let since = *self.quiet_since.get_or_insert(now);
        let idle = since + self.ground.config.idle;
        // Whoever waits for people or for times gives its place to those who would work.
        let is_crowded = self.ground.places.available_permits() == 0 && self.flying.is_empty();
        let is_idle = idle <= now || is_crowded;
        if is_idle && self.is_quiet() && matches!(self.guest, Guest::Playing { .. }) {
            self.guest.leave();
        }
        let timer = round.timer.map(|due| {
            let pause =
                Duration::from_micros(due.saturating_sub(micros(&self.ground.config.clock)));
            now + pause.min(LONGEST_WAIT)
        });
        let is_waiting = self.flying.is_empty() && round.attempt.is_none();
        let is_long = timer.is_none_or(|timer| timer > now + self.ground.config.idle);
        let is_away = matches!(self.guest, Guest::Away);
        let may_go = is_away && is_waiting && is_long && self.acks.is_empty();
        let is_parked = self.state(|state| state.parked().is_some());
        if may_go && (is_idle || is_parked) && self.flights.is_empty() {
            return Passed::Rest;
        }
        let evict = (!is_idle).then_some(idle);
        let overrun = self
            .busy_since
            .map(|since| since + self.ground.config.thinking);
        let times = [timer, round.attempt, evict, overrun];
        let first = times.into_iter().flatten().min();
        Passed::Wait(first.unwrap_or(now + LONGEST_WAIT))
    }
}
