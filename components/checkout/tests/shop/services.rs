//! The ports of the sagas over one world. Every call is a step of the rehearsal, and is made twice, because its answer may
//! be lost: both answers have to be the same, and the second changes nothing.

use std::{cell::RefCell, fmt::Debug, rc::Rc};

use sdk::saga::{Scope, rehearsal::step};

use crate::{
    cancel_order::domain as cancelling,
    checkout::{domain as checkout, order::Order},
    inventory::domain::{Line, Refusal as NoStock},
    orders::domain::{Command, Denial, Status},
    payments::domain as payments,
    return_order::domain as returning,
    shipping::domain::Refusal as NoShipment,
    world::World,
};

/// All services, over a world that is shared.
#[derive(Clone)]
pub(crate) struct Shop {
    world: Rc<RefCell<World>>,
    /// The step of the checkout that is refused, whatever the rules say.
    refuse: Option<&'static str>,
}

impl Shop {
    /// The services of this world.
    pub(crate) fn of(world: World) -> Self {
        Self {
            world: Rc::new(RefCell::new(world)),
            refuse: None,
        }
    }

    /// The same, with one step of the checkout that is refused.
    pub(crate) fn refusing(world: World, step: Option<&'static str>) -> Self {
        Self {
            refuse: step,
            ..Self::of(world)
        }
    }

    /// The world as it is now.
    pub(crate) fn world(&self) -> World {
        self.world.borrow().clone()
    }

    /// A step; what is refused changes nothing.
    fn call<T, E>(
        &self,
        name: &'static str,
        act: impl Fn(&mut World) -> Result<T, E>,
    ) -> Result<T, E>
    where
        T: Clone + Debug + PartialEq + 'static,
        E: Clone + Debug + PartialEq + 'static,
    {
        step(name, || twice(&self.world, act))
    }

    /// A step of the checkout.
    fn carry(
        &self,
        name: &'static str,
        act: impl Fn(&mut World) -> Result<(), checkout::Refusal>,
    ) -> Result<(), checkout::Refusal> {
        self.call(name, |world| {
            if self.refuse == Some(name) {
                return Err(checkout::Refusal::Invalid(format!("{name} is refused")));
            }
            act(world)
        })
    }

    /// Registers an undo; it must not be refused.
    fn register<E: Debug>(
        &self,
        scope: &Scope,
        name: &str,
        undo: impl Fn(&mut World) -> Result<(), E> + 'static,
    ) {
        let world = Rc::clone(&self.world);
        scope.register(name, move || {
            twice(&world, |world| {
                undo(world).map_err(|error| format!("{error:?}"))
            })
        });
    }
}

fn twice<T: Debug + PartialEq, E: Debug + PartialEq>(
    world: &RefCell<World>,
    act: impl Fn(&mut World) -> Result<T, E>,
) -> Result<T, E> {
    let unit = || {
        let mut copy = world.borrow().clone();
        let answer = act(&mut copy);
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
    world.borrow().check();
    answer
}

impl checkout::Services for Shop {
    fn status(&self, _: &Order) -> Result<checkout::Status, checkout::Refusal> {
        self.call("find", |world| Ok(status(world.state().status)))
    }

    fn reserve(&self, order: &Order) -> Result<(), checkout::Refusal> {
        let line = |line: &crate::checkout::order::Line| Line {
            sku: line.sku.clone(),
            quantity: line.quantity,
        };
        let lines: Vec<Line> = order.lines.iter().map(line).collect();
        self.carry("reserve", |world| {
            let now = world.now;
            world.desk.reserve(&order.id, &lines, now).map_err(no_stock)
        })
    }

    fn authorise(&self, order: &Order) -> Result<(), checkout::Refusal> {
        let charge = payments::Charge {
            user: order.user.clone(),
            total: payments::Money {
                amount: order.total.amount,
                currency: order.total.currency.clone(),
            },
            token: order.payment.token.clone(),
        };
        let command = payments::Command::Authorise(charge);
        self.carry("authorise", |world| {
            world.pay(&command).map_err(|refusal| no_money(&refusal))
        })
    }

    fn book(&self, order: &Order) -> Result<(), checkout::Refusal> {
        self.carry("book", |world| world.book(order).map_err(no_shipment))
    }

    fn capture(&self, _: &Order) -> Result<(), checkout::Refusal> {
        self.carry("capture", |world| {
            world
                .pay(&payments::Command::Capture)
                .map_err(|refusal| no_money(&refusal))
        })
    }

    fn sell(&self, order: &Order) -> Result<(), checkout::Refusal> {
        self.carry("sell", |world| {
            let now = world.now;
            world.desk.sell(&order.id, now).map_err(no_stock)
        })
    }

    fn consume(&self, order: &Order) -> Result<(), checkout::Refusal> {
        self.carry("consume", |world| {
            if world.given_back {
                return Err(checkout::Refusal::Invalid("given back".to_owned()));
            }
            world.cart.consume(&order.id);
            Ok(())
        })
    }

    fn confirm(&self, _: &Order) -> Result<(), checkout::Refusal> {
        self.carry("confirm", |world| {
            world.ask(&Command::Confirm).map(drop).map_err(no_order)
        })
    }

    fn reject(&self, _: &Order, reason: &str) -> Result<(), checkout::Refusal> {
        let command = Command::Reject(reason.to_owned());
        self.call("reject", |world| {
            world.ask(&command).map(drop).map_err(no_order)
        })
    }

    fn register(&self, scope: &Scope, undo: checkout::Undo, order: &Order) {
        let id = order.id.clone();
        let name = format!("{undo:?}");
        self.register(scope, &name, move |world| {
            let now = world.now;
            match undo {
                checkout::Undo::Abandon => world
                    .ask(&Command::Abandon(checkout::NOT_COMPLETED.to_owned()))
                    .map(drop)
                    .map_err(no_order),
                checkout::Undo::GiveBack => {
                    world.give_back();
                    Ok(())
                }
                checkout::Undo::Release => {
                    world.desk.release(&id, now);
                    Ok(())
                }
                checkout::Undo::Void => world
                    .pay(&payments::Command::Void)
                    .map_err(|refusal| no_money(&refusal)),
                checkout::Undo::Cancel => world.call_off().map_err(no_shipment),
                checkout::Undo::Refund => world
                    .pay(&payments::Command::Refund)
                    .map_err(|refusal| no_money(&refusal)),
            }
        });
    }
}

impl cancelling::Services for Shop {
    fn begin(&self, _: &str) -> Result<cancelling::Standing, cancelling::Refusal> {
        self.call("begin", |world| {
            let before = world.ask(&Command::BeginCancellation);
            if before.map_err(|denial| not_open(&denial))?.cancelled_from() == Status::Confirmed {
                Ok(cancelling::Standing::Confirmed)
            } else {
                Ok(cancelling::Standing::Pending)
            }
        })
    }

    fn call_off(&self, _: &str) -> Result<(), cancelling::Refusal> {
        self.call("call-off", |world| {
            world.call_off().map_err(|refusal| match refusal {
                NoShipment::Shipped(_) => cancelling::Refusal::Shipped,
                other => cancelling::Refusal::Invalid(other.to_string()),
            })
        })
    }

    fn refund(&self, _: &str) -> Result<(), cancelling::Refusal> {
        let invalid =
            |refusal: payments::Refusal| cancelling::Refusal::Invalid(refusal.to_string());
        self.call("refund", |world| {
            world.pay(&payments::Command::Refund).map_err(invalid)
        })
    }

    fn release(&self, order: &str) -> Result<(), cancelling::Refusal> {
        self.call("release", |world| {
            let now = world.now;
            world.desk.release(order, now);
            Ok(())
        })
    }

    fn finish(&self, _: &str) -> Result<(), cancelling::Refusal> {
        self.call("finish", |world| {
            let before = world.ask(&Command::FinishCancellation);
            before.map(drop).map_err(|denial| not_open(&denial))
        })
    }

    fn refuse(&self, _: &str, reason: &str) -> Result<(), cancelling::Refusal> {
        let command = Command::RefuseCancellation(reason.to_owned());
        self.call("refuse", |world| {
            world
                .ask(&command)
                .map(drop)
                .map_err(|denial| not_open(&denial))
        })
    }

    fn register(&self, scope: &Scope, undo: cancelling::Undo, _: &str) {
        let name = format!("{undo:?}");
        self.register(scope, &name, move |world| match undo {
            cancelling::Undo::Refuse => {
                let reason = cancelling::NOT_CANCELLED.to_owned();
                world.ask(&Command::RefuseCancellation(reason)).map(drop)
            }
            cancelling::Undo::Reinstate => {
                world.reinstate();
                Ok(())
            }
        });
    }
}

impl returning::Services for Shop {
    fn now(&self) -> u64 {
        self.world.borrow().now
    }

    fn refund(&self, _: &str) -> Result<(), returning::Refusal> {
        self.call("refund", |world| {
            let paid = world.pay(&payments::Command::Refund);
            paid.map_err(|refusal| returning::Refusal(refusal.to_string()))
        })
    }

    fn release(&self, order: &str) -> Result<(), returning::Refusal> {
        self.call("release", |world| {
            let now = world.now;
            world.desk.release(order, now);
            Ok(())
        })
    }

    fn finish(&self, _: &str) -> Result<(), returning::Refusal> {
        self.call("finish", |world| returned(world, &Command::FinishReturn))
    }

    fn refuse(&self, _: &str, reason: &str) -> Result<(), returning::Refusal> {
        let command = Command::RefuseReturn(reason.to_owned());
        self.call("refuse", |world| returned(world, &command))
    }

    fn register_refusal(&self, scope: &Scope, _: &str) {
        self.register(scope, "Refuse", |world| {
            let reason = returning::NOT_RETURNED.to_owned();
            returned(world, &Command::RefuseReturn(reason))
        });
    }
}

fn returned(world: &mut World, command: &Command) -> Result<(), returning::Refusal> {
    let before = world.ask(command);
    before
        .map(drop)
        .map_err(|denial| returning::Refusal(denial.to_string()))
}

fn status(status: Status) -> checkout::Status {
    match status {
        Status::Pending => checkout::Status::Pending,
        Status::Confirmed => checkout::Status::Confirmed,
        Status::Rejected => checkout::Status::Rejected,
        Status::Cancelled => checkout::Status::Cancelled,
    }
}

fn no_order(denial: Denial) -> checkout::Refusal {
    match denial {
        Denial::Ended(how) => checkout::Refusal::Ended(status(how)),
        Denial::NotOpen(why) => checkout::Refusal::Invalid(why),
    }
}

fn no_stock(refusal: NoStock) -> checkout::Refusal {
    match refusal {
        NoStock::OutOfStock { sku, available, .. } => {
            checkout::Refusal::OutOfStock { sku, available }
        }
        other => checkout::Refusal::Invalid(other.to_string()),
    }
}

fn no_money(refusal: &payments::Refusal) -> checkout::Refusal {
    checkout::Refusal::Declined(refusal.to_string())
}

fn no_shipment(refusal: NoShipment) -> checkout::Refusal {
    match refusal {
        NoShipment::NoCarrier(country) => checkout::Refusal::NoCarrier(country),
        other => checkout::Refusal::Invalid(other.to_string()),
    }
}

fn not_open(denial: &Denial) -> cancelling::Refusal {
    cancelling::Refusal::NotOpen(denial.to_string())
}
