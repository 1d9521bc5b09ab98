//! The cases: each one a kind of fault, against all sagas that it can befall.

mod chance;
mod code;
mod crashes;
mod damage;
mod disk;
mod limits;
mod messages;
mod people;
mod replies;
mod shop;
mod times;
mod versions;

use std::cell::Cell;

use crate::{
    Failure,
    shapes::Shape,
    story::{self, Ending},
    world::World,
};

/// What a case is told.
pub struct Options {
    /// Where chance begins.
    pub seed: u64,
    /// Only so much as fits beside other tests.
    pub is_quick: bool,
    /// Hears how many worlds have been played.
    pub progress: Box<dyn Fn(u64)>,
    worlds: Cell<u64>,
}

/// A shape, and how it comes out where nothing goes wrong.
struct Calm {
    shape: Shape,
    ending: Ending,
    world: World,
}

/// A kind of fault.
pub struct Case {
    /// As it is asked for.
    pub name: &'static str,
    /// What goes wrong, and what has to hold.
    pub about: &'static str,
    /// Why it says nothing of journals on Redis, if it does not: it is about what is beneath them.
    pub beneath: Option<&'static str>,
    /// Plays its worlds.
    pub run: fn(&Options) -> Result<(), Failure>,
}

/// Files are the embedded store's. What a Redis does whose file is torn or whose disk is full, its own checks and the weather
/// over the shop say.
const OF_FILES: Option<&str> = Some("its files are the embedded store's");

/// Bytes that change between the store and the coordinator look the same whatever the store is.
const OF_BYTES: Option<&str> = Some("it changes the bytes above the store");

/// All of them.
pub const ALL: &[Case] = &[
    Case {
        name: "crashes",
        about: "the host dies once, at every place of every shape",
        beneath: None,
        run: crashes::once,
    },
    Case {
        name: "crashes-twice",
        about: "the host dies at every two places of small shapes",
        beneath: None,
        run: crashes::twice,
    },
    Case {
        name: "doubled",
        about: "starts, signals and requests come several times, at once and late",
        beneath: None,
        run: messages::doubled,
    },
    Case {
        name: "start-keys",
        about: "the same start key again, at once, and with another input",
        beneath: None,
        run: messages::start_keys,
    },
    Case {
        name: "lost-replies",
        about: "the answer of each step is lost, or comes too late",
        beneath: None,
        run: replies::steps,
    },
    Case {
        name: "journal-trouble",
        about: "each append is lost, refused, or has an unknown outcome",
        beneath: None,
        run: replies::appends,
    },
    Case {
        name: "waiters",
        about: "whoever waits for an end hears of it once it is durable, whatever the journal does",
        beneath: None,
        run: replies::waiters,
    },
    Case {
        name: "undo-fails",
        about: "undo entries fail once, five times, and for ever",
        beneath: None,
        run: replies::undos,
    },
    Case {
        name: "broken-code",
        about: "code traps, spins, and runs out of memory before every command",
        beneath: None,
        run: code::breaks,
    },
    Case {
        name: "panics",
        about: "what runs the code panics before every command",
        beneath: None,
        run: code::panics,
    },
    Case {
        name: "cancel",
        about: "somebody cancels at every place, once and twice",
        beneath: None,
        run: people::cancel,
    },
    Case {
        name: "verbs",
        about: "somebody retries, skips, fails or rolls back at every place",
        beneath: None,
        run: people::verbs,
    },
    Case {
        name: "repairs",
        about: "every two verbs on runs that are parked for every reason",
        beneath: None,
        run: people::repairs,
    },
    Case {
        name: "clock-jumps",
        about: "the clock jumps an hour on or back at every place, and hosts die",
        beneath: None,
        run: times::jumps,
    },
    Case {
        name: "eviction",
        about: "instances are put away while they wait",
        beneath: None,
        run: times::eviction,
    },
    Case {
        name: "two-owners",
        about: "a second host begins while the first goes on, at every place",
        beneath: None,
        run: times::two_owners,
    },
    Case {
        name: "damaged-entries",
        about: "the last entry is cut at every byte, and its bits turned over",
        beneath: OF_BYTES,
        run: damage::entries,
    },
    Case {
        name: "sizes",
        about: "payloads and histories over their limits",
        beneath: None,
        run: limits::sizes,
    },
    Case {
        name: "crowd",
        about: "thousands of starts at once, with places for four",
        beneath: None,
        run: limits::crowd,
    },
    Case {
        name: "poison",
        about: "runs that trap, spin or go over memory beside healthy ones",
        beneath: None,
        run: limits::poison,
    },
    Case {
        name: "upgrades",
        about: "other code that fits, differs, or is gone",
        beneath: None,
        run: versions::upgrades,
    },
    Case {
        name: "purge",
        about: "runs are forgotten at every place",
        beneath: None,
        run: versions::purge,
    },
    Case {
        name: "rerun",
        about: "ended runs begin again from every command",
        beneath: None,
        run: versions::rerun,
    },
    Case {
        name: "write-once",
        about: "steps whose callees do not know keys, and hosts that die",
        beneath: None,
        run: versions::write_once,
    },
    Case {
        name: "torn-files",
        about: "hosts die, and the last page of the store's log is cut",
        beneath: OF_FILES,
        run: disk::torn,
    },
    Case {
        name: "rotten-files",
        about: "bytes of an entry change in the store's file",
        beneath: OF_FILES,
        run: disk::rotten,
    },
    Case {
        name: "full-disk",
        about: "the store's disk has no room while runs are at work, and then has",
        beneath: OF_FILES,
        run: disk::full,
    },
    Case {
        name: "chance",
        about: "programs, faults and schedules by chance",
        beneath: None,
        run: chance::chance,
    },
    Case {
        name: "shop-crashes",
        about: "the host dies once, at every place of every saga of the shop",
        beneath: None,
        run: shop::crashes,
    },
    Case {
        name: "shop-crashes-twice",
        about: "the host dies at two places of the shop's sagas",
        beneath: None,
        run: shop::crashes_twice,
    },
    Case {
        name: "shop-doubled",
        about: "everything that the shop's sagas send and are sent comes several times",
        beneath: None,
        run: shop::doubled,
    },
    Case {
        name: "shop-replies",
        about: "the answer of each step of the shop's sagas, and of each undo, is lost or comes too late",
        beneath: None,
        run: shop::replies,
    },
    Case {
        name: "shop-undo-fails",
        about: "each undo of the shop fails for ever, until somebody has mended it",
        beneath: None,
        run: shop::undo_fails,
    },
    Case {
        name: "shop-journal",
        about: "each append of the shop's sagas is lost, refused, or has an unknown outcome",
        beneath: None,
        run: shop::journal,
    },
    Case {
        name: "shop-code",
        about: "the shop's sagas trap, spin and run out of memory before every command",
        beneath: None,
        run: shop::code,
    },
    Case {
        name: "shop-verbs",
        about: "somebody cancels, retries, skips, fails or rolls back the shop's sagas at every place",
        beneath: None,
        run: shop::verbs,
    },
    Case {
        name: "shop-times",
        about: "clocks jump, instances are put away and hosts are overtaken under the shop's sagas",
        beneath: None,
        run: shop::times,
    },
    Case {
        name: "shop-files",
        about: "the host dies at every place of the shop's sagas, with their journals in the store's files",
        beneath: OF_FILES,
        run: shop::files,
    },
    Case {
        name: "shop-races",
        about: "customers cancel at every place of a checkout, sagas run beside each other, people cancel them, and hosts die",
        beneath: None,
        run: shop::races,
    },
    Case {
        name: "shop-chance",
        about: "orders, wishes, verbs, faults and schedules by chance",
        beneath: None,
        run: shop::chance,
    },
];

// === impl Case ===

impl Case {
    /// Plays its worlds; answers how many there were.
    pub fn play(&self, options: &Options) -> Result<u64, Failure> {
        options.worlds.set(0);
        (self.run)(options)?;
        Ok(options.worlds.get())
    }
}

// === impl Options ===

impl Options {
    /// A seed, and all there is.
    pub fn new(seed: u64, progress: impl Fn(u64) + 'static) -> Self {
        Self {
            seed,
            is_quick: false,
            progress: Box::new(progress),
            worlds: Cell::new(0),
        }
    }

    /// A seed, and what fits beside other tests.
    pub fn quick(seed: u64, progress: impl Fn(u64) + 'static) -> Self {
        Self {
            is_quick: true,
            ..Self::new(seed, progress)
        }
    }

    /// Every so-manieth of these where time is short; all where it is not.
    fn some<T>(&self, every: usize, all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        let step = if self.is_quick { every } else { 1 };
        all.into_iter().step_by(step)
    }

    /// Plays one world; a failure is told with what is special about it.
    fn play(
        &self,
        what: impl FnOnce() -> String,
        world: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.worlds.set(self.worlds.get() + 1);
        (self.progress)(self.worlds.get());
        world().map_err(|failure| failure.note(what()))
    }
}

// === impl Calm ===

impl Calm {
    fn of(shape: Shape) -> Result<Self, Failure> {
        let (ending, world) = story::undisturbed(&shape)?;
        Ok(Self {
            shape,
            ending,
            world,
        })
    }

    /// All places that its host comes past.
    fn places(&self) -> std::ops::RangeInclusive<u64> {
        1..=self.world.points.past()
    }

    /// The steps that were asked for, or their undo.
    fn steps(&self, is_undo: bool) -> Vec<u32> {
        self.world.ledger.steps(is_undo)
    }

    /// It came out as it should.
    fn compare(&self, ending: &Ending) -> Result<(), Failure> {
        story::same(&self.shape, ending, &self.ending)
    }
}

/// Each of these with each of those.
fn pairs<A: Clone, B: Clone>(
    these: impl IntoIterator<Item = A>,
    those: impl IntoIterator<Item = B>,
) -> Vec<(A, B)> {
    let those: Vec<B> = those.into_iter().collect();
    let with = |one: A| {
        let those = those.iter().cloned();
        those
            .map(move |other| (one.clone(), other))
            .collect::<Vec<_>>()
    };
    these.into_iter().flat_map(with).collect()
}
