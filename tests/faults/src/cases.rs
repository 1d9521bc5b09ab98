//! The cases: each one a kind of fault, against all sagas that it can befall.

mod code;
mod crashes;
mod messages;
mod replies;

use crate::Failure;

/// What a case is told.
pub struct Options {
    /// Where chance begins.
    pub seed: u64,
    /// Only so much as fits beside other tests.
    pub is_quick: bool,
    /// Hears how many worlds have been played.
    pub progress: Box<dyn Fn(u64)>,
}

/// A kind of fault.
pub struct Case {
    /// As it is asked for.
    pub name: &'static str,
    /// What goes wrong, and what has to hold.
    pub about: &'static str,
    /// Plays its worlds; answers how many there were.
    pub run: fn(&Options) -> Result<u64, Failure>,
}

/// All of them.
pub const ALL: &[Case] = &[
    Case { name: "crashes", about: "the host dies once, at every place of every shape", run: crashes::once },
    Case { name: "crashes-twice", about: "the host dies at every two places of small shapes", run: crashes::twice },
    Case { name: "doubled", about: "starts, signals and requests come several times, at once and late", run: messages::doubled },
    Case { name: "start-keys", about: "the same start key again, at once, and with another input", run: messages::start_keys },
    Case { name: "lost-replies", about: "the answer of each step is lost, or comes too late", run: replies::steps },
    Case { name: "journal-trouble", about: "each append is lost, refused, or has an unknown outcome", run: replies::appends },
    Case { name: "undo-fails", about: "undo entries fail once, five times, and for ever", run: replies::undos },
    Case { name: "broken-code", about: "code traps, spins, and runs out of memory before every command", run: code::breaks },
];

// === impl Options ===

impl Options {
    /// A seed, and all there is.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            is_quick: false,
            progress: Box::new(|_| ()),
        }
    }

    /// A seed, and what fits beside other tests.
    pub fn quick(seed: u64) -> Self {
        Self {
            is_quick: true,
            ..Self::new(seed)
        }
    }
}
