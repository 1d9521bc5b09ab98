//! The calls that programs make.

use skald_core::{
    saga::{Command, Step},
    value::Value,
};

use crate::ledger::SERVICE;

/// A step, with an argument of so many bytes.
pub(super) fn step_of(step: u32, bytes: usize) -> Command {
    Command::Step(call_of(step, "do", bytes))
}

/// A call of a function for a step.
pub(super) fn call_of(step: u32, function: &str, bytes: usize) -> Step {
    Step {
        target: "service".to_owned(),
        interface: SERVICE.to_owned(),
        function: format!("{function}-{step}"),
        arguments: vec![Value::U32(step), Value::String("x".repeat(bytes))],
    }
}
