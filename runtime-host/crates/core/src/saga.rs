//! Sagas: runs of a component whose calls are journaled, replayed and undone.
//!
//! Two pure machines share the work. [`State`] is what the journal says: each record moves it on, and it says what has to
//! happen next, the same on every start. [`Script`] is where the code of the saga is in that journal: a replayed run is
//! answered from it until it is where it was, and whatever it asks otherwise than before is a mismatch.

pub mod codec;
pub mod command;
pub mod desk;
pub mod journal;
pub mod owners;
pub mod play;
pub mod policy;
pub mod record;
mod run_id;
mod script;
mod state;
pub mod verb;
pub mod view;

pub use self::{
    command::{Command, Outcome, Step},
    record::{By, Cause, End, Input, Parked, Record, Stamped, Started, Undone},
    run_id::{Direction, RunId, label_key, step_key},
    script::{Issue, Misuse, Script},
    state::{Action, Invalid, Phase, State, Undo},
    verb::{Refusal, Verb},
};
