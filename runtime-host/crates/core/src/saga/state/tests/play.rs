//! A stage for programs, and the world around it: live, by dice, or as it was before.

use std::collections::VecDeque;

use super::{
    program::{Age, Code, Halt, Op},
    records::{Dice, answer, by, started},
};
use crate::{
    saga::{
        Action, Cause, Command, End, Issue, Outcome, Parked, Phase, Record, Script, Stamped, State,
        Undone, verb::Verb,
    },
    value::Value,
};

/// Where records come from that the code does not make.
#[derive(Clone, Debug)]
pub(super) enum World {
    /// Anything that can happen.
    Live(Dice),
    /// What happened before, in that order.
    Again(VecDeque<Stamped>),
}

/// What one play of a program stands on.
pub(super) struct Stage {
    pub(super) state: State,
    pub(super) records: Vec<Stamped>,
    script: Script,
    world: World,
    /// What the code has seen since it began, with the time it was then.
    pub(super) seen: Vec<(String, u64)>,
}

impl Stage {
    /// On what the journal says so far.
    pub(super) fn new(records: &[Stamped], world: World) -> Self {
        let state = State::fold(records.iter().cloned()).unwrap();
        Self {
            script: Script::new(&state),
            state,
            records: records.to_vec(),
            world,
            seen: Vec::new(),
        }
    }

    pub(super) fn begin(world: World) -> Self {
        Self::new(&[started(1_000)], world)
    }

    /// Plays until the run has ended, again and again if the code is stopped.
    pub(super) fn finish(&mut self, program: &[Op], age: Age) {
        loop {
            while self.state.parked().is_some() {
                self.happen();
            }
            if *self.state.phase() != Phase::Forward {
                break;
            }
            self.script = Script::new(&self.state);
            self.seen.clear();
            match Code::run(program, age, self) {
                Ok(()) => {
                    assert_eq!(self.script.finish(&self.state), None);
                    self.ended_well();
                }
                Err(Halt::Failed) => {
                    let error = "odd".to_owned();
                    let answer = None;
                    self.roll_back(Cause::Refused { error, answer });
                }
                Err(Halt::Stopped) => {}
            }
        }
        while self.state.end().is_none() {
            self.happen();
        }
    }

    fn ended_well(&mut self) {
        let is_waiting = |state: &State| {
            let steps = state
                .open()
                .iter()
                .filter(|one| state.step(**one).is_some());
            state.parked().is_none() && *state.phase() == Phase::Forward && steps.count() > 0
        };
        while is_waiting(&self.state) {
            self.happen();
        }
        if self.state.parked().is_some() || *self.state.phase() != Phase::Forward {
            return;
        }
        if self.state.pending_undos().next().is_some() {
            self.roll_back(Cause::Uncommitted);
        } else {
            let end = End::Completed { answer: None };
            self.note(Record::Ended { end });
        }
    }

    fn roll_back(&mut self, cause: Cause) {
        self.note(Record::RollbackStarted { cause });
    }

    /// A record that follows from what the code did: in a replay, the rest of the world is as far as it was then.
    fn note(&mut self, record: Record) {
        while let World::Again(rest) = &mut self.world {
            match rest.pop_front() {
                Some(next) if next.record == record => return self.add(next),
                Some(next) => self.take(next),
                // A parked run is asked nothing by its code, and whatever else stopped it is recorded.
                None => panic!("{record:?} was not recorded before"),
            }
            let is_stopped = self.state.parked().is_some() || *self.state.phase() != Phase::Forward;
            if is_stopped {
                return;
            }
        }
        let at = self.state.updated_at();
        self.add(Stamped { at, record });
    }

    /// What happened next before, which was not the code's doing.
    fn take(&mut self, next: Stamped) {
        let is_of_the_code = matches!(next.record, Record::Issued { .. });
        assert!(!is_of_the_code, "the code did not ask again: {next:?}");
        self.add(next);
    }

    fn add(&mut self, stamped: Stamped) {
        let actions = self.state.apply(stamped.clone()).unwrap();
        assert_eq!(actions, self.state.actions());
        self.records.push(stamped);
    }

    /// The code asks.
    pub(super) fn issue(&mut self, command: &Command) -> Result<u32, Halt> {
        if self.script.is_live(&self.state) {
            self.meanwhile()?;
        }
        let ordinal = match self.script.issue(&self.state, command).unwrap() {
            Issue::Replayed(ordinal) => ordinal,
            Issue::New(ordinal) => {
                self.note(Record::Issued {
                    ordinal,
                    command: command.clone(),
                });
                self.go_on()?;
                self.script.pass(&self.state);
                ordinal
            }
            Issue::Mismatch(mismatch) => panic!("{mismatch:?}"),
        };
        self.saw(format!("{ordinal}: {command}"));
        Ok(ordinal)
    }

    /// The code waits for an end.
    pub(super) fn outcome(&mut self, ordinal: u32) -> Result<Outcome, Halt> {
        loop {
            if let Some(outcome) = self.script.outcome(&self.state, ordinal).unwrap() {
                self.saw(format!("{ordinal} ended: {outcome:?}"));
                return Ok(outcome);
            }
            self.wait()?;
        }
    }

    /// The code waits for the first end.
    pub(super) fn join(&mut self, tickets: &[u32]) -> Result<u32, Halt> {
        loop {
            if let Some(first) = self.script.join(&self.state, tickets).unwrap() {
                self.saw(format!("of {tickets:?} came {first}"));
                return Ok(first);
            }
            self.wait()?;
        }
    }

    pub(super) fn patched(&mut self, id: &str) -> Result<bool, Halt> {
        let is_patched = match self.script.patched(&self.state, id) {
            Some(is_patched) => is_patched,
            None => {
                let id = id.to_owned();
                self.issue(&Command::Patch { id })?;
                self.seen.pop();
                true
            }
        };
        self.saw(format!("{id} is {is_patched}"));
        Ok(is_patched)
    }

    fn saw(&mut self, what: String) {
        let now = self.script.now();
        assert!(self.seen.last().is_none_or(|(_, before)| *before <= now));
        assert!(now <= self.state.updated_at());
        self.seen.push((what, now));
    }

    /// Waits for the world; by then, all that was recorded of the code has been asked again.
    fn wait(&mut self) -> Result<(), Halt> {
        assert!(self.script.is_live(&self.state), "the replay is stuck");
        self.happen();
        self.go_on()
    }

    fn go_on(&self) -> Result<(), Halt> {
        match self.state.phase() {
            Phase::Forward if self.state.parked().is_none() => Ok(()),
            _ => Err(Halt::Stopped),
        }
    }

    /// The world does not wait for the code.
    fn meanwhile(&mut self) -> Result<(), Halt> {
        while let World::Live(dice) = &mut self.world {
            if dice.roll(3) == 0 {
                break;
            }
            if self.state.actions().len() > 1 {
                self.happen();
                self.go_on()?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// One thing happens.
    fn happen(&mut self) {
        let next = match &mut self.world {
            World::Again(rest) => vec![rest.pop_front().expect("the world goes on as before")],
            World::Live(dice) => live(&self.state, dice),
        };
        for one in next {
            self.take(one);
        }
    }
}

/// Anything that can happen now.
fn live(state: &State, dice: &mut Dice) -> Vec<Stamped> {
    let at = state.updated_at() + dice.roll(3) as u64;
    if state.parked().is_some() || dice.roll(50) == 1 {
        let verb = verb(dice);
        let records = state.decide(&verb, by(verb.name())).unwrap_or_default();
        let records = records.into_iter().map(|record| Stamped { at, record });
        return records.collect();
    }
    vec![unasked(state, at, dice)]
}

/// What people want, mostly that the run goes on.
fn verb(dice: &mut Dice) -> Verb {
    match dice.roll(14) {
        8 => Verb::Rollback,
        9 => Verb::Cancel,
        10 if dice.roll(4) == 0 => Verb::Fail,
        11 => Verb::Upgrade {
            revision: format!("sha256:{}", dice.roll(3)),
        },
        12 | 13 => Verb::Skip {
            answer: Some(Value::U32(dice.number(4))),
        },
        _ => Verb::Retry,
    }
}

/// What nobody asked for by hand.
fn unasked(state: &State, at: u64, dice: &mut Dice) -> Stamped {
    let stamped = |record: Record| Stamped { at, record };
    match dice.roll(50) {
        1..4 => {
            let name = ["north", "south"][dice.roll(2)].to_owned();
            return stamped(signalled(state, name));
        }
        4 => {
            let (attempts, error) = (3, "unreachable".to_owned());
            return stamped(park(Parked::Crashed { attempts, error }));
        }
        5 => {
            let epoch = state.epoch() + 1;
            return stamped(Record::OwnerChanged { epoch });
        }
        _ => {}
    }
    let mut actions = state.actions();
    actions.retain(|action| *action != Action::Play);
    if actions.is_empty() {
        let wanted = state
            .open()
            .iter()
            .find_map(|one| match state.command(*one) {
                Some(Command::Wait { signal, .. }) => Some(signal.clone()),
                _ => None,
            });
        let name = wanted.expect("something can happen");
        return stamped(signalled(state, name));
    }
    let chosen = dice.roll(actions.len());
    done(state, actions.swap_remove(chosen), at, dice)
}

/// What comes of an action.
fn done(state: &State, action: Action, at: u64, dice: &mut Dice) -> Stamped {
    let ended = |ordinal: u32, outcome: Outcome| Record::Completed {
        ordinal,
        outcome,
        by: None,
    };
    let (at, record) = match action {
        Action::Play => unreachable!("only the code plays"),
        Action::Dispatch(ordinal) | Action::Settle(ordinal) if dice.roll(12) == 1 => {
            let (attempts, error) = (3, "no route".to_owned());
            let reason = Parked::StepFailed {
                ordinal,
                attempts,
                error,
            };
            (at, park(reason))
        }
        Action::Dispatch(ordinal) => (at, ended(ordinal, answer(dice.number(4)))),
        Action::Settle(ordinal) if dice.roll(2) == 0 => (at, ended(ordinal, answer(0))),
        Action::Settle(ordinal) => {
            let error = "gone".to_owned();
            (at, ended(ordinal, Outcome::Abandoned { error }))
        }
        Action::Timer(ordinal, due) => {
            let outcome = match state.command(ordinal) {
                Some(Command::Wait { .. }) => Outcome::TimedOut,
                _ => Outcome::Fired,
            };
            (at.max(due), ended(ordinal, outcome))
        }
        Action::Undo(ordinal) if dice.roll(5) == 1 => {
            let (attempts, error) = (3, "no route".to_owned());
            let reason = Parked::UndoFailed {
                ordinal,
                attempts,
                error,
            };
            (at, park(reason))
        }
        Action::Undo(ordinal) => {
            let how = Undone::Done;
            (at, Record::Undone { ordinal, how })
        }
        Action::Record(record) => (at, *record),
    };
    Stamped { at, record }
}

fn park(reason: Parked) -> Record {
    Record::Parked { reason }
}

fn signalled(state: &State, name: String) -> Record {
    let id = format!("signal {}", state.records());
    let payload = id.clone().into_bytes();
    Record::Signalled { id, name, payload }
}
