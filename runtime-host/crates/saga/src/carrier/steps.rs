//! Steps and undo entries: which attempts are made, and what follows from how they landed.

use std::{collections::HashSet, sync::Arc};

use skald_core::{
    call::CallError,
    saga::{
        Command, Direction, Outcome, Parked, Phase, Record, State, Undone,
        policy::{Class, Policy},
    },
    value::Value,
};
use tokio::{task::JoinError, time::Instant};

use super::Carrier;
use crate::{
    attempt::{self, Landed, Verdict, fly},
    sagas::Ground,
};

/// Steps of a run that was read which must not be sent twice: whoever carried it before may have sent them. What it is
/// parked on is a person's to decide.
pub(super) fn unknown(state: &State, ground: &Ground) -> HashSet<u32> {
    let asked = match state.parked() {
        Some((Parked::StepUnknown { ordinal, .. } | Parked::StepFailed { ordinal, .. }, _)) => {
            Some(*ordinal)
        }
        Some(_) | None => None,
    };
    let is_once = |ordinal: &u32| match state.command(*ordinal) {
        Some(Command::Step(step)) => {
            ground.policy(&state.started().component, step).class == Class::WriteOnce
        }
        Some(_) | None => false,
    };
    let open = state.open().iter().copied();
    open.filter(|ordinal| Some(*ordinal) != asked && is_once(ordinal))
        .collect()
}

impl Carrier {
    /// Makes an attempt, unless one is under way or it is too early; answers when it is not.
    pub(super) fn dispatch(&mut self, ordinal: u32, direction: Direction) -> Option<Instant> {
        if self.flying.contains_key(&ordinal) {
            return None;
        }
        let next = self.tries.get(&ordinal).and_then(|tries| tries.next);
        if let Some(next) = next.filter(|next| *next > Instant::now()) {
            return Some(next);
        }
        let life = self.run.book.lock().life;
        let request = self.state(|state| {
            let step = state.step(ordinal)?;
            let policy = self.ground.policy(&state.started().component, step);
            let started = state.started();
            Some(attempt::request(
                started,
                (ordinal, direction),
                step,
                (policy.timeout, life),
            ))
        });
        let request = request?;
        let calls = Arc::clone(&self.ground.calls);
        let flight = self.flights.spawn(fly(calls, request, ordinal, direction));
        self.flying.insert(ordinal, (flight.id(), direction));
        None
    }

    /// A step that is not under way while the run rolls back: nobody will know whether it took effect.
    pub(super) fn settle(&mut self, ordinal: u32) -> bool {
        if self.flying.contains_key(&ordinal) {
            return false;
        }
        let error = self.last_error(ordinal, "the run rolled back before its end was known");
        self.completed(ordinal, Outcome::Abandoned { error })
    }

    pub(super) fn completed(&mut self, ordinal: u32, outcome: Outcome) -> bool {
        self.tries.remove(&ordinal);
        let by = None;
        let added = self.add(Record::Completed {
            ordinal,
            outcome,
            by,
        });
        self.wake_guest();
        added
    }

    /// An attempt has landed.
    pub(super) fn landed(&mut self, landed: Landed) {
        let Landed {
            ordinal,
            direction,
            answer,
        } = landed;
        self.flying.remove(&ordinal);
        if self.state(|state| state.end().is_some()) {
            return;
        }
        match (direction, answer) {
            (Direction::Forward, Ok(answer)) => self.stepped(ordinal, answer),
            (Direction::Undo, Ok(answer)) => self.undone(ordinal, answer),
            (_, Err(error)) => self.failed(ordinal, direction, &error),
        }
    }

    /// Attempts of a run that a person has ended are of no use to anyone.
    pub(super) fn stop_flights(&mut self) {
        self.flights.abort_all();
        self.flying.clear();
    }

    /// An attempt has no outcome. Whatever it did, its key is the same the next time.
    pub(super) fn broke_off(&mut self, error: &JoinError) {
        if error.is_cancelled() {
            return;
        }
        tracing::error!(run = %self.run.id, %error, "an attempt of a step broke off");
        let mut flying = self.flying.iter();
        let found = flying.find(|(_, (id, _))| *id == error.id());
        if let Some((ordinal, (_, direction))) = found.map(|(ordinal, flight)| (*ordinal, *flight))
        {
            let answer = Err(CallError::Engine("the attempt broke off".to_owned()));
            self.landed(Landed {
                ordinal,
                direction,
                answer,
            });
        }
    }

    /// A step that must not be sent twice was perhaps sent, by a host that is gone or while the run was parked.
    pub(super) fn park_unknown(&mut self, ordinal: u32) {
        let error = self.last_error(ordinal, "the host stopped while the call was under way");
        self.park(Parked::StepUnknown { ordinal, error });
    }

    /// What went wrong last with something that is not tried any more; without a failure, what kept it from its end.
    fn last_error(&mut self, ordinal: u32, otherwise: &str) -> String {
        let tries = self.tries.remove(&ordinal);
        tries
            .map(|tries| tries.error)
            .filter(|error| !error.is_empty())
            .unwrap_or_else(|| otherwise.to_owned())
    }

    fn stepped(&mut self, ordinal: u32, answer: Option<Value>) {
        let outcome = Outcome::Returned(answer);
        let reason = self.run.book.lock().too_large(ordinal, &outcome);
        match reason {
            // Whoever goes back gives up on the step, and whoever is parked asks for it again.
            Some(reason) if !self.state(State::goes_forward) => {
                self.tries.entry(ordinal).or_default().error = reason.to_string();
            }
            Some(reason) => self.park(reason),
            None => {
                self.completed(ordinal, outcome);
            }
        }
    }

    /// An undo must succeed: an error that its target means is looked at by a person, like one it does not mean.
    fn undone(&mut self, ordinal: u32, answer: Option<Value>) {
        if let Some(Value::Result(Err(refusal))) = answer {
            let attempts = self
                .tries
                .remove(&ordinal)
                .map_or(1, |tries| tries.attempts + 1);
            let refusal = refusal.map_or_else(String::new, |refusal| refusal.to_string());
            let error = format!("refused: {refusal}");
            if self.state(|state| state.parked().is_some()) {
                return;
            }
            self.park(Parked::UndoFailed {
                ordinal,
                attempts,
                error,
            });
            return;
        }
        self.tries.remove(&ordinal);
        let how = Undone::Done;
        self.add(Record::Undone { ordinal, how });
    }

    fn failed(&mut self, ordinal: u32, direction: Direction, error: &CallError) {
        let policy = self.policy(ordinal);
        let tries = self.tries.entry(ordinal).or_default();
        let verdict = tries.note(error, &policy, direction);
        let (attempts, error) = (tries.attempts, tries.error.clone());
        let (is_parked, is_back) = self.state(|state| {
            let is_back = matches!(state.phase(), Phase::RollingBack(_));
            (state.parked().is_some(), is_back)
        });
        // Whoever goes back gives up on the step in the next pass, and whoever is parked tries it when it goes on.
        if is_parked || (is_back && direction == Direction::Forward) {
            if verdict == Verdict::Unknown {
                self.unknown.insert(ordinal);
            }
            return;
        }
        let reason = match (verdict, direction) {
            (Verdict::Again(pause), _) => {
                tracing::debug!(run = %self.run.id, ordinal, attempts, ?pause, %error, "a step failed and is tried again");
                return;
            }
            (Verdict::Unknown, _) => Parked::StepUnknown { ordinal, error },
            (Verdict::GiveUp, Direction::Forward) => Parked::StepFailed {
                ordinal,
                attempts,
                error,
            },
            (Verdict::GiveUp, Direction::Undo) => Parked::UndoFailed {
                ordinal,
                attempts,
                error,
            },
        };
        self.tries.remove(&ordinal);
        self.park(reason);
    }

    fn policy(&self, ordinal: u32) -> Policy {
        self.state(|state| {
            let component = &state.started().component;
            let step = state.step(ordinal);
            step.map(|step| self.ground.policy(component, step))
        })
        .unwrap_or_default()
    }
}
