//! The shop's own sagas over the shop's own rules, carried by the coordinator.
//!
//! The plans, the domains of the services and what has to hold of them are those of the components. Here are only what is
//! between them: calls as values, services that answer them, and the situations that a saga finds.

mod counter;
mod shapes;
pub(crate) mod wire;

use std::{collections::HashMap, fmt, sync::Arc};

use skald_core::saga::{Command, Outcome};

pub(crate) use self::counter::{Counter, refused};
pub use self::shapes::{all, few, numbers_of_checkout, placed};
use crate::{
    saga::{self, Question, Read, Scope, Told, read},
    services::{
        call::{Answer, Call},
        cancel_order::domain as cancelling,
        checkout::{domain as checkout, order::Order},
        orders::domain::Command as Ask,
        plans::Caller,
        return_order::domain as returning,
        world::{LEAVES_AFTER, ORDER, World, order},
    },
};

/// The components that are called.
pub(crate) const SERVICES: [&str; 6] = [
    "orders",
    "inventory",
    "fraud",
    "payments",
    "shipping",
    "cart",
];

/// Who plays.
#[derive(Clone, PartialEq)]
pub enum Part {
    /// The checkout of this order.
    Checkout(Placed),
    /// The one who looks into the wish to cancel it.
    Cancellation,
    /// The one who looks into the wish to send it back.
    Return,
}

/// An order as it was placed.
#[derive(Clone, PartialEq)]
pub struct Placed(Arc<Order>);

/// What a saga finds.
#[derive(Clone, Debug)]
pub struct Setting {
    order: Placed,
    /// How many pieces others have bought.
    others: u32,
    past: Vec<Past>,
}

/// What has happened before.
#[derive(Clone, Debug)]
enum Past {
    /// The order was checked out.
    CheckedOut,
    /// The order was asked this.
    Asked(Ask),
    /// The parcel has left.
    Left,
}

/// The services as plans call them.
struct Coordinated;

// === impl Placed ===

impl Placed {
    /// Paid and shipped like this; none where that makes no order.
    pub fn new(token: &str, country: &str) -> Option<Self> {
        order(token, country).map(Arc::new).map(Self)
    }
}

impl fmt::Debug for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (token, country) = (&self.0.payment.token, &self.0.ship_to.country);
        write!(f, "{token} to {country}")
    }
}

// === impl Part ===

impl Part {
    /// The plan, from its beginning.
    pub(crate) fn perform(&self) -> Result<(), String> {
        match self {
            Self::Checkout(Placed(order)) => {
                let ended = checkout::run(&Coordinated, order);
                ended.map(drop).map_err(|error| error.to_string())
            }
            Self::Cancellation => {
                let ended = cancelling::run(&Coordinated, ORDER);
                ended.map(drop).map_err(|error| error.to_string())
            }
            Self::Return => {
                let ended = returning::run(&Coordinated, ORDER, "too small");
                ended.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkout(order) => write!(f, "checkout of {order:?}"),
            Self::Cancellation => f.write_str("cancel-order"),
            Self::Return => f.write_str("return-order"),
        }
    }
}

impl Caller for Coordinated {
    fn call(&self, call: Call) -> Answer {
        let ordinal = saga::begin(|| Command::Step(wire::step_of(&call)));
        let outcome = saga::end(ordinal);
        let Outcome::Returned(Some(value)) = &outcome else {
            saga::trap(format!("{call:?} ended with {outcome:?}"));
        };
        let answer = wire::answer_of(value);
        answer.unwrap_or_else(|| saga::trap(format!("{value} answers {call:?}")))
    }

    fn register(&self, scope: &Scope, undo: Call) {
        saga::begin(|| Command::Register {
            scope: scope.ordinal(),
            undo: wire::step_of(&undo),
        });
    }

    fn now(&self) -> u64 {
        saga::now()
    }
}

// === impl Setting ===

impl Setting {
    /// The same, with so many pieces that others have bought.
    #[must_use]
    pub fn beside(self, others: u32) -> Self {
        Self { others, ..self }
    }

    /// This order is placed.
    pub fn new(order: Placed) -> Self {
        Self {
            order,
            others: 0,
            past: Vec::new(),
        }
    }

    /// The services, when it is so many milliseconds since 1970.
    pub(crate) fn open(&self, now: u64) -> World {
        let has_left = self.past.iter().any(|past| matches!(past, Past::Left));
        let begun = if has_left { now - LEAVES_AFTER } else { now };
        let mut world = World::new(&self.order.0, begun, self.others);
        for past in &self.past {
            match past {
                Past::CheckedOut => at_once(&mut world, &Part::Checkout(self.order.clone())),
                // What is denied has not happened, and the saga finds it so.
                Past::Asked(ask) => drop(world.ask(ask)),
                Past::Left => world.now = now,
            }
        }
        world
    }
}

/// Plays a part that nobody refuses anything, before there is a coordinator.
fn at_once(world: &mut World, part: &Part) {
    let (mut told, mut ends) = (Vec::new(), HashMap::new());
    loop {
        let next = match read(&told, || part.perform()) {
            Read::Asks(Question::Begin(command)) => {
                let ordinal = u32::try_from(told.len()).unwrap_or(u32::MAX);
                if let Command::Step(step) = &command
                    && let Some(call) = wire::call_of(&step.function, &step.arguments)
                {
                    let answer = wire::value_of(&world.serve(&call));
                    ends.insert(ordinal, Outcome::Returned(Some(answer)));
                }
                Told::Begun(ordinal)
            }
            Read::Asks(Question::End(ordinal)) => {
                Told::Ended(ends.remove(&ordinal).unwrap_or(Outcome::Fired))
            }
            Read::Asks(Question::Now) => Told::Now(world.now * 1_000),
            Read::Ended(_) | Read::Trapped(_) => return,
        };
        told.push(next);
    }
}
