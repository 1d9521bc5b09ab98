//! Records at random: such that may follow a journal, and such that probably may not.

use super::model::{Fate, Model};
use crate::{
    saga::{
        Action, By, Cause, Command, End, Input, Outcome, Parked, Phase, Record, RunId, Stamped,
        Started, Step, Undone,
    },
    value::Value,
};

/// Numbers that something was decided by; zeros when they are used up, so that everything comes to an end.
#[derive(Clone, Debug)]
pub(super) struct Dice(std::vec::IntoIter<u16>);

impl Dice {
    pub(super) fn new(numbers: Vec<u16>) -> Self {
        Self(numbers.into_iter())
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.0.len() == 0
    }

    /// Less than `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % sides
    }

    pub(super) fn number(&mut self, sides: u32) -> u32 {
        u32::try_from(self.roll(sides as usize)).unwrap()
    }

    fn name(&mut self) -> String {
        ["north", "south"][self.roll(2)].to_owned()
    }
}

pub(super) fn started(at: u64) -> Stamped {
    let started = Started {
        run: RunId::from("run_1"),
        component: "checkout".to_owned(),
        revision: "sha256:1".to_owned(),
        key: "evt_1".to_owned(),
        subject: "order-1".to_owned(),
        input: Input::Message(b"{}".to_vec()),
        trace: String::new(),
        principal: None,
    };
    Stamped {
        at,
        record: Record::Started(started),
    }
}

/// A call that says nothing but its number.
pub(super) fn step(number: u32) -> Step {
    Step {
        target: "callee".to_owned(),
        interface: "test:callee/api@1.0.0".to_owned(),
        function: format!("f{number}"),
        arguments: vec![Value::U32(number)],
    }
}

pub(super) fn by(verb: &str) -> By {
    By {
        who: "ada".to_owned(),
        verb: verb.to_owned(),
        why: "because".to_owned(),
    }
}

pub(super) fn answer(number: u32) -> Outcome {
    Outcome::Returned(Some(Value::U32(number)))
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap()
}

/// Something the code could ask for.
fn command(dice: &mut Dice) -> Command {
    let scope = dice.number(6);
    match dice.roll(10) {
        0 => Command::Sleep {
            milliseconds: dice.number(5).into(),
        },
        1 => Command::Wait {
            signal: dice.name(),
            timeout_ms: [None, Some(3)][dice.roll(2)],
        },
        2 | 3 => Command::Open { name: dice.name() },
        4 | 5 => Command::Register {
            scope,
            undo: step(dice.number(4)),
        },
        6 => Command::Commit { scope },
        7 => Command::Rollback {
            scope,
            reason: dice.name(),
        },
        8 => Command::Status { text: dice.name() },
        _ => Command::Step(step(dice.number(4))),
    }
}

fn outcome(dice: &mut Dice) -> Outcome {
    match dice.roll(7) {
        0 | 1 => answer(dice.number(3)),
        2 => Outcome::Fired,
        3 => Outcome::Signal(dice.name().into_bytes()),
        4 => Outcome::TimedOut,
        5 => Outcome::RolledBack {
            skipped: dice.number(2),
        },
        _ => Outcome::Abandoned { error: dice.name() },
    }
}

fn cause(dice: &mut Dice) -> Cause {
    match dice.roll(3) {
        0 => Cause::Uncommitted,
        1 => Cause::Asked(by("rollback")),
        _ => Cause::Refused {
            error: dice.name(),
            answer: None,
        },
    }
}

fn undone(dice: &mut Dice) -> Undone {
    match dice.roll(2) {
        0 => Undone::Done,
        _ => Undone::Skipped(by("skip")),
    }
}

fn parked(dice: &mut Dice) -> Record {
    let (ordinal, error) = (dice.number(6), dice.name());
    let reason = Parked::StepUnknown { ordinal, error };
    Record::Parked { reason }
}

fn signalled(dice: &mut Dice, ids: u32) -> Record {
    Record::Signalled {
        id: dice.number(ids).to_string(),
        name: dice.name(),
        payload: dice.name().into_bytes(),
    }
}

/// A record that need not make sense where it is.
pub(super) fn senseless(model: &Model, dice: &mut Dice) -> Record {
    let next = count(&model.commands());
    let any = dice.number(next + 2);
    match dice.roll(16) {
        0..4 => Record::Issued {
            ordinal: if dice.roll(5) == 0 { any } else { next },
            command: command(dice),
        },
        4..7 => Record::Completed {
            ordinal: any,
            outcome: outcome(dice),
            by: None,
        },
        7 => signalled(dice, 5),
        8 => Record::RollbackStarted { cause: cause(dice) },
        9 | 10 => Record::Undone {
            ordinal: model.pending().first().copied().unwrap_or(any),
            how: undone(dice),
        },
        11 => parked(dice),
        12 => Record::Resumed { by: by("resume") },
        13 => Record::OwnerChanged {
            epoch: dice.number(4).into(),
        },
        14 => match dice.roll(2) {
            0 => Record::RevisionChanged {
                revision: dice.name(),
                by: by("upgrade"),
            },
            _ => started(0).record,
        },
        _ => ended(model, dice),
    }
}

fn ended(model: &Model, dice: &mut Dice) -> Record {
    let end = match dice.roll(8) {
        0..4 => End::Completed { answer: None },
        4..7 => End::RolledBack {
            cause: match model.phase() {
                Phase::RollingBack(cause) if dice.roll(4) > 0 => cause,
                _ => cause(dice),
            },
            skipped: dice.number(2),
        },
        _ => End::Failed {
            by: by("fail"),
            left: count(&model.pending()),
        },
    };
    Record::Ended { end }
}

/// A record that may come next, or none where there is none.
pub(super) fn sensible(model: &Model, dice: &mut Dice) -> Option<Record> {
    let mut all: Vec<Record> = Vec::new();
    all.extend(model.actions().iter().filter_map(|one| follow(one, dice)));
    let ordinal = count(&model.commands());
    let open = (0..ordinal).filter(|one| model.fate(*one) == Some(Fate::Open));
    let mut commands = vec![
        command(dice),
        command(dice),
        Command::Step(step(dice.number(4))),
    ];
    for scope in open {
        let (undo, reason) = (step(dice.number(4)), dice.name());
        commands.push(Command::Register { scope, undo });
        commands.push(match dice.roll(3) {
            0 => Command::Commit { scope },
            _ => Command::Rollback { scope, reason },
        });
    }
    all.extend(
        commands
            .into_iter()
            .map(|command| Record::Issued { ordinal, command }),
    );
    all.push(signalled(dice, u32::MAX));
    all.push(if model.parked().is_some() {
        Record::Resumed { by: by("resume") }
    } else {
        parked(dice)
    });
    // Now and then, lest every journal is over at once.
    if dice.roll(8) == 0 {
        let epoch = model.epoch() + 1;
        all.push(Record::OwnerChanged { epoch });
        all.push(Record::RollbackStarted { cause: cause(dice) });
        all.push(ended(model, dice));
    }
    let at = model.last_at();
    all.retain(|record| {
        let record = record.clone();
        model.may_follow(&Stamped { at, record })
    });
    if all.is_empty() {
        return None;
    }
    let chosen = dice.roll(all.len());
    Some(all.swap_remove(chosen))
}

/// What becomes of an action.
fn follow(action: &Action, dice: &mut Dice) -> Option<Record> {
    let completed = |ordinal: u32, outcome: Outcome| Record::Completed {
        ordinal,
        outcome,
        by: None,
    };
    match action {
        Action::Play => None,
        Action::Dispatch(ordinal) => Some(completed(*ordinal, answer(dice.number(3)))),
        Action::Settle(ordinal) => {
            let error = dice.name();
            Some(completed(*ordinal, Outcome::Abandoned { error }))
        }
        Action::Timer(ordinal, _) => {
            let ends = [Outcome::Fired, Outcome::TimedOut];
            Some(completed(*ordinal, ends[dice.roll(2)].clone()))
        }
        Action::Undo(ordinal) => Some(Record::Undone {
            ordinal: *ordinal,
            how: undone(dice),
        }),
        Action::Record(record) => Some(record.as_ref().clone()),
    }
}
