//! The sagas in rehearsal, over one world. Every call is a step, and is made twice, because its answer may be lost: both
//! answers have to be the same, and the second changes nothing.

use std::{cell::RefCell, rc::Rc};

use sdk::saga::{Scope, rehearsal::step};

use crate::services::{
    call::{Answer, Call, Error},
    checkout::order::Order,
    plans::Caller,
    world::{self, World},
};

/// All services, over a world that is shared.
#[derive(Clone)]
pub(crate) struct Shop {
    world: Rc<RefCell<World>>,
    /// The function that is refused, whatever the rules say.
    refuse: Option<&'static str>,
}

/// The order of these tests, paid and shipped like this.
pub(crate) fn order(token: &str, country: &str) -> Order {
    world::order(token, country).unwrap()
}

/// The world after this order, at its beginning; everything happens at 0 unless somebody moves the clock.
pub(crate) fn placed(order: &Order) -> World {
    World::new(order, 0, 0)
}

impl Shop {
    /// The services of this world.
    pub(crate) fn of(world: World) -> Self {
        Self {
            world: Rc::new(RefCell::new(world)),
            refuse: None,
        }
    }

    /// The same, with a function that is refused.
    pub(crate) fn refusing(world: World, function: Option<&'static str>) -> Self {
        Self {
            refuse: function,
            ..Self::of(world)
        }
    }

    /// The world as it is now.
    pub(crate) fn world(&self) -> World {
        self.world.borrow().clone()
    }
}

impl Caller for Shop {
    fn call(&self, call: Call) -> Answer {
        let name = call.function();
        step(&name, || {
            if self.refuse == Some(&name) {
                return Err(Error::Invalid(format!("{name} is refused")));
            }
            twice(&self.world, &call)
        })
    }

    /// It must not be refused.
    fn register(&self, scope: &Scope, undo: Call) {
        let world = Rc::clone(&self.world);
        scope.register(&undo.function(), move || {
            let answer = twice(&world, &undo);
            answer.map(drop).map_err(|error| format!("{error:?}"))
        });
    }

    fn now(&self) -> u64 {
        self.world.borrow().now
    }
}

/// What is refused changes nothing.
fn twice(world: &RefCell<World>, call: &Call) -> Answer {
    let unit = || {
        let mut copy = world.borrow().clone();
        let answer = copy.serve(call);
        if answer.is_ok() {
            world.replace(copy);
        }
        answer
    };
    let answer = unit();
    let after = format!("{:?}", world.borrow());
    assert_eq!(unit(), answer, "the same answer again");
    assert_eq!(
        format!("{:?}", world.borrow()),
        after,
        "nothing changes again"
    );
    world.borrow().check().unwrap();
    answer
}
