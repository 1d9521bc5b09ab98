//! Where the shop's services answer calls: each call is one unit of work, and after each one it is seen whether the books
//! still agree.

use std::sync::Arc;

use parking_lot::Mutex;
use skald_core::value::Value;

use super::{Setting, wire};
use crate::{
    services::{
        call::{Answer, Call, Error},
        orders::domain::Command as Ask,
        world::World,
    },
    world::Clock,
};

/// The services, while hosts come and go.
pub(crate) struct Counter {
    clock: Arc<Clock>,
    world: Mutex<World>,
    wrongs: Mutex<Vec<String>>,
}

/// What a call came to.
pub(crate) struct Served {
    /// What is answered.
    pub(crate) answer: Value,
    /// Whether it is refused; then nothing has changed.
    pub(crate) is_refused: bool,
    /// Whether something was written.
    pub(crate) has_changed: bool,
}

/// What a service answers that refuses whatever it is asked.
pub(crate) fn refused(call: &Call) -> Value {
    let why = format!("{} is refused", call.function());
    wire::value_of(&Err(Error::Invalid(why)))
}

// === impl Counter ===

impl Counter {
    /// It opens in this setting.
    pub(crate) fn open(setting: &Setting, clock: Arc<Clock>) -> Self {
        let world = setting.open(clock.millis());
        Self {
            clock,
            world: Mutex::new(world),
            wrongs: Mutex::default(),
        }
    }

    /// Serves a call, whole or not at all.
    pub(crate) fn serve(&self, call: &Call) -> Served {
        let (before, after, answer) = self.tried(call);
        let has_changed = answer.is_ok() && before != after;
        if has_changed {
            self.become_this(after, &format!("{call:?}"));
        }
        Served {
            is_refused: answer.is_err(),
            answer: wire::value_of(&answer),
            has_changed,
        }
    }

    /// Serves a call that is cut off: what others outside were asked is done, and what the service itself would have
    /// written is not.
    pub(crate) fn cut_off(&self, call: &Call) {
        let (_, after, _) = self.tried(call);
        let mut world = self.world.lock().clone();
        world.account = after.account;
        self.become_this(world, &format!("half of {call:?}"));
    }

    /// The customer asks the order; answers whether that was taken.
    pub(crate) fn ask(&self, ask: &Ask) -> bool {
        let mut world = self.now();
        let is_taken = world.ask(ask).is_ok();
        if is_taken {
            self.become_this(world, &format!("{ask:?}"));
        }
        is_taken
    }

    /// What was wrong at any moment, or is now; where nothing goes on any more, also what is wrong then.
    pub(crate) fn wrongs(&self, is_over: bool) -> Vec<String> {
        let mut wrongs = self.wrongs.lock().clone();
        if is_over {
            wrongs.extend(self.now().check_ended().err());
        }
        wrongs
    }

    /// What has happened to the order.
    pub(crate) fn history(&self) -> String {
        self.world.lock().history()
    }

    fn now(&self) -> World {
        let mut world = self.world.lock().clone();
        world.now = self.clock.millis();
        world
    }

    fn tried(&self, call: &Call) -> (World, World, Answer) {
        let before = self.now();
        let mut after = before.clone();
        let answer = after.serve(call);
        (before, after, answer)
    }

    fn become_this(&self, world: World, what: &str) {
        let mut wrongs = self.wrongs.lock();
        // What is wrong once stays so; what came first is told.
        if let (true, Err(wrong)) = (wrongs.is_empty(), world.check()) {
            wrongs.push(format!("after {what}: {wrong}"));
        }
        *self.world.lock() = world;
    }
}
