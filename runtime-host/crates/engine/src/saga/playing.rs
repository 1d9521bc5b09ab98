//! One play of a run: the stage, and which tickets the code holds.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use skald_core::{
    call::CallError,
    saga::{
        Command, Outcome,
        play::{Interrupted, Stage},
    },
};

use crate::error::Stop;

/// What an instance knows of the run that it plays.
pub(crate) struct Playing {
    stage: Arc<dyn Stage>,
    /// Which function each ticket belongs to.
    tickets: Mutex<HashMap<u32, Arc<str>>>,
    halt: Halt,
}

/// Whether the stage has stopped the play. The guest ends by an error of whatever form; this tells that it is none of
/// its own.
#[derive(Clone, Default)]
pub(crate) struct Halt(Arc<AtomicBool>);

impl Halt {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Playing {
    pub(crate) fn new(stage: Arc<dyn Stage>) -> Self {
        Self {
            stage,
            tickets: Mutex::default(),
            halt: Halt::default(),
        }
    }

    pub(crate) fn stage(&self) -> &dyn Stage {
        self.stage.as_ref()
    }

    pub(crate) fn halt(&self) -> Halt {
        self.halt.clone()
    }

    /// Asks for something, and does not wait for its end.
    pub(crate) fn issue(&self, command: Command) -> wasmtime::Result<u32> {
        self.through(self.stage.issue(command))
    }

    /// Asks for something and waits for its end.
    pub(crate) async fn perform(&self, command: Command) -> wasmtime::Result<Outcome> {
        let ordinal = self.issue(command)?;
        self.outcome(ordinal).await
    }

    pub(crate) async fn outcome(&self, ordinal: u32) -> wasmtime::Result<Outcome> {
        let outcome = self.stage.outcome(ordinal).await;
        self.through(outcome)
    }

    /// Begins a step; its ordinal is the ticket for its answer.
    pub(crate) fn start(&self, command: Command, function: Arc<str>) -> wasmtime::Result<u32> {
        let ticket = self.issue(command)?;
        self.tickets.lock().insert(ticket, function);
        Ok(ticket)
    }

    /// The end of a step that was begun. A ticket of another function would bring an answer of another type.
    pub(crate) async fn result(&self, ticket: u32, function: &str) -> wasmtime::Result<Outcome> {
        let is_known = self
            .tickets
            .lock()
            .get(&ticket)
            .is_some_and(|started| started.as_ref() == function);
        if !is_known {
            return Err(trap(format!("ticket {ticket} is none of {function}")));
        }
        self.outcome(ticket).await
    }

    /// What the stage answered; if it wants no more of the code, the code ends.
    pub(crate) fn through<T>(&self, answer: Result<T, Interrupted>) -> wasmtime::Result<T> {
        answer.map_err(|interrupted| {
            if matches!(interrupted, Interrupted::Stopped) {
                self.halt.0.store(true, Ordering::Release);
            }
            trap(interrupted.to_string())
        })
    }
}

/// Ends the guest, and says why in these words alone.
pub(crate) fn trap(why: String) -> wasmtime::Error {
    wasmtime::Error::new(Stop(CallError::Trapped(why)))
}

/// The journal holds an answer that does not fit what was asked.
pub(crate) fn unfit(outcome: &Outcome) -> wasmtime::Error {
    trap(format!("what was asked cannot have ended so: {outcome:?}"))
}
