//! The coordinator of sagas: carries every run to its end, through crashes, and lets people see and repair it.
//!
//! ```text
//!  start, verb, signal, timer ──► Sagas ──► a Carrier for each run at work
//!                                             │  reads what the journal asks for (core's `State`)
//!            Play ◄── the saga's code ────────┤
//!            Call ◄── steps and undo entries ─┤
//!         Journal ◄── one append a pass ──────┘
//! ```
//!
//! A carrier works in passes. Each one looks at the state for itself and does what is not under way, so lost, doubled and
//! late wake-ups are the same case, and so is a restart.

mod attempt;
mod book;
mod carrier;
mod config;
mod error;
mod guard;
mod ledger;
mod rehearsal;
mod road;
mod sagas;
mod stage;
mod start;

pub use config::{Clock, Config};
pub use error::{StartError, VerbError};
pub use guard::Guard;
pub use rehearsal::{Rehearsed, rehearse};
pub use road::Road;
pub use sagas::Sagas;
pub use start::{Begun, Start};
