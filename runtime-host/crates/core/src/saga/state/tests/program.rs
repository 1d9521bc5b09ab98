//! Programs at random, and what runs them: the code of a saga without an engine.

use proptest::prelude::*;

use super::{play::Stage, records::step};
use crate::{
    saga::{Command, Outcome},
    value::Value,
};

/// One thing that code does.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Calls, and waits for the answer.
    Call(u32),
    /// Registers an undo in a scope that is open, then calls.
    Undoable(usize, u32),
    /// Begins a call.
    Start(u32),
    /// Begins a timer.
    Timer(u64),
    /// Waits for the first of what was begun.
    Join,
    /// Waits for one of what was begun, also again.
    Result(usize),
    Sleep(u64),
    Wait(&'static str, Option<u64>),
    Status(u32),
    /// A scope, and how it is left.
    Scope(Vec<Op>, Leave),
    /// One or the other, as the last answer is even or odd.
    Branch(Vec<Op>, Vec<Op>),
    /// What only newer code does.
    Patched(&'static str, Vec<Op>),
    /// Ends with an error where the last answer is odd.
    FailIfOdd,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Leave {
    Commit,
    RollBack,
    Open,
}

/// Whether the code asks for patches at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Old,
    New,
}

/// Why the code goes no further.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// It ended with an error.
    Failed,
    /// Its stage stopped it.
    Stopped,
}

/// One run through a program.
pub(super) struct Code<'a> {
    stage: &'a mut Stage,
    age: Age,
    tickets: Vec<u32>,
    joined: usize,
    scopes: Vec<u32>,
    last: u32,
}

impl<'a> Code<'a> {
    pub(super) fn run(program: &[Op], age: Age, stage: &'a mut Stage) -> Result<(), Halt> {
        let mut code = Self {
            stage,
            age,
            tickets: Vec::new(),
            joined: 0,
            scopes: Vec::new(),
            last: 0,
        };
        code.all(program)
    }

    fn all(&mut self, ops: &[Op]) -> Result<(), Halt> {
        ops.iter().try_for_each(|op| self.one(op))
    }

    fn one(&mut self, op: &Op) -> Result<(), Halt> {
        match op {
            Op::Call(number) => self.wait_for(&Command::Step(step(*number))),
            Op::Undoable(place, number) => {
                if !self.scopes.is_empty() {
                    let scope = self.scopes[place % self.scopes.len()];
                    let undo = step(*number);
                    self.stage.issue(&Command::Register { scope, undo })?;
                }
                self.wait_for(&Command::Step(step(*number)))
            }
            Op::Start(number) => self.begin(&Command::Step(step(*number))),
            Op::Timer(milliseconds) => self.begin(&sleep(*milliseconds)),
            Op::Join if self.joined < self.tickets.len() => {
                self.joined += 1;
                self.last = self.stage.join(&self.tickets)?;
                Ok(())
            }
            Op::Result(place) if !self.tickets.is_empty() => {
                self.outcome(self.tickets[place % self.tickets.len()])
            }
            Op::Join | Op::Result(_) => Ok(()),
            Op::Sleep(milliseconds) => self.wait_for(&sleep(*milliseconds)),
            Op::Wait(signal, timeout_ms) => {
                let (signal, timeout_ms) = ((*signal).to_owned(), *timeout_ms);
                self.wait_for(&Command::Wait { signal, timeout_ms })
            }
            Op::Status(number) => {
                let text = format!("{number} after {}", self.last);
                self.stage.issue(&Command::Status { text }).map(drop)
            }
            Op::Scope(body, leave) => self.scope(body, *leave),
            Op::Branch(even, odd) => self.all(if self.last.is_multiple_of(2) {
                even
            } else {
                odd
            }),
            Op::Patched(..) if self.age == Age::Old => Ok(()),
            Op::Patched(id, body) => match self.stage.patched(id)? {
                true => self.all(body),
                false => Ok(()),
            },
            Op::FailIfOdd if !self.last.is_multiple_of(2) => Err(Halt::Failed),
            Op::FailIfOdd => Ok(()),
        }
    }

    fn scope(&mut self, body: &[Op], leave: Leave) -> Result<(), Halt> {
        let name = "scope".to_owned();
        let scope = self.stage.issue(&Command::Open { name })?;
        self.scopes.push(scope);
        self.all(body)?;
        self.scopes.retain(|one| *one != scope);
        match leave {
            Leave::Commit => self.stage.issue(&Command::Commit { scope }).map(drop),
            Leave::RollBack => {
                let reason = "changed its mind".to_owned();
                self.wait_for(&Command::Rollback { scope, reason })
            }
            Leave::Open => Ok(()),
        }
    }

    fn begin(&mut self, command: &Command) -> Result<(), Halt> {
        let ticket = self.stage.issue(command)?;
        self.tickets.push(ticket);
        Ok(())
    }

    fn wait_for(&mut self, command: &Command) -> Result<(), Halt> {
        let ordinal = self.stage.issue(command)?;
        self.outcome(ordinal)
    }

    fn outcome(&mut self, ordinal: u32) -> Result<(), Halt> {
        self.last = match self.stage.outcome(ordinal)? {
            Outcome::Returned(Some(Value::U32(number))) => number,
            Outcome::RolledBack { skipped } => skipped,
            Outcome::TimedOut => 1,
            _ => 0,
        };
        Ok(())
    }
}

fn sleep(milliseconds: u64) -> Command {
    Command::Sleep { milliseconds }
}

/// Any program.
pub(super) fn program() -> impl Strategy<Value = Vec<Op>> {
    let signal = || prop_oneof![Just("north"), Just("south")];
    let leaf = prop_oneof![
        2 => (0..5_u32).prop_map(Op::Call),
        4 => (0..4_usize, 0..5_u32).prop_map(|(place, number)| Op::Undoable(place, number)),
        2 => (0..5_u32).prop_map(Op::Start),
        1 => (0..9_u64).prop_map(Op::Timer),
        3 => Just(Op::Join),
        1 => (0..5_usize).prop_map(Op::Result),
        1 => (0..9_u64).prop_map(Op::Sleep),
        1 => (signal(), proptest::option::of(0..9_u64)).prop_map(|(name, most)| Op::Wait(name, most)),
        1 => (0..5_u32).prop_map(Op::Status),
        1 => Just(Op::FailIfOdd),
    ];
    let leave = || {
        prop_oneof![
            Just(Leave::Commit),
            Just(Leave::RollBack),
            Just(Leave::Open)
        ]
    };
    let id = || prop_oneof![Just("one"), Just("two")];
    let op = leaf.prop_recursive(3, 24, 6, move |inner| {
        let ops = || proptest::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            4 => (ops(), leave()).prop_map(|(body, leave)| Op::Scope(body, leave)),
            1 => (ops(), ops()).prop_map(|(even, odd)| Op::Branch(even, odd)),
            1 => (id(), ops()).prop_map(|(id, body)| Op::Patched(id, body)),
        ]
    });
    proptest::collection::vec(op, 1..9)
}
