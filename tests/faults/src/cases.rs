//! The cases: each one a kind of fault, against all sagas that it can befall.

mod code;
mod crashes;
mod damage;
mod limits;
mod messages;
mod people;
mod replies;
mod times;
mod versions;

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
    Case { name: "cancel", about: "somebody cancels at every place, once and twice", run: people::cancel },
    Case { name: "verbs", about: "somebody retries, skips, fails or rolls back at every place", run: people::verbs },
    Case { name: "repairs", about: "every two verbs on runs that are parked for every reason", run: people::repairs },
    Case { name: "clock-jumps", about: "the clock jumps an hour on or back at every place, and hosts die", run: times::jumps },
    Case { name: "eviction", about: "instances are put away while they wait", run: times::eviction },
    Case { name: "two-owners", about: "a second host begins while the first goes on, at every place", run: times::two_owners },
    Case { name: "damaged-entries", about: "the last entry is cut at every byte, and its bits turned over", run: damage::entries },
    Case { name: "sizes", about: "payloads and histories over their limits", run: limits::sizes },
    Case { name: "crowd", about: "thousands of starts at once, with places for four", run: limits::crowd },
    Case { name: "poison", about: "runs that trap, spin or go over memory beside healthy ones", run: limits::poison },
    Case { name: "upgrades", about: "other code that fits, differs, or is gone", run: versions::upgrades },
    Case { name: "purge", about: "runs are forgotten at every place", run: versions::purge },
    Case { name: "rerun", about: "ended runs begin again from every command", run: versions::rerun },
    Case { name: "write-once", about: "steps whose callees do not know keys, and hosts that die", run: versions::write_once },
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
