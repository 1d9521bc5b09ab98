//! The saga's test kit: every step refused in turn, every call doubled, and a crash around every call.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
};

use super::*;
use crate::order::{self, Line};

const STEPS: [&str; 7] = [
    "reserve",
    "authorise",
    "book",
    "capture",
    "sell",
    "consume",
    "confirm",
];

fn order() -> Order {
    let data = r#"{"specversion":"1.0","id":"evt_1","source":"/shop/orders","type":"shop.order.placed.v1",
        "time":"2026-08-21T09:30:00Z","subject":"ord_1","data":{"order":"ord_1","user":"usr_1",
        "lines":[{"sku":"tea","name":"Green tea","quantity":2,"price":{"amount":500,"currency":"EUR"}}],
        "total":{"amount":1000,"currency":"EUR"},"payment":{"token":"tok_ok"},
        "ship_to":{"name":"Ada","street":"Kai 1","city":"Oslo","postal_code":"0150","country":"NO"}}}"#;
    order::parse(data.as_bytes()).unwrap()
}

/// All the services at once, with the idempotency and the tombstones that their contracts promise.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct World {
    stock: Stock,
    money: Money,
    carrier: Carrier,
    lines: Lines,
    order: Option<Status>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stock {
    #[default]
    Free,
    Held,
    Sold,
    Released,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Money {
    #[default]
    Theirs,
    Authorised,
    Captured,
    Refunded,
    Voided,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    #[default]
    Unbooked,
    Booked,
    Cancelled,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Lines {
    #[default]
    Claimed,
    Consumed,
    Back,
}

/// Services over a world. They note every call, refuse one step if told so, and crash at one call if told so.
#[derive(Default)]
struct Fake {
    world: RefCell<World>,
    calls: RefCell<Vec<String>>,
    refuse: Option<&'static str>,
    undo_fails_once: Cell<Option<&'static str>>,
    doubled: bool,
    /// The number of the call around which to crash, and whether its effect happens before that.
    crash: Cell<Option<(usize, bool)>>,
}

/// What a crash unwinds with.
struct Crash;

impl Fake {
    fn refusing(step: Option<&'static str>) -> Self {
        Self {
            refuse: step,
            ..Self::default()
        }
    }

    /// The way into every service.
    fn call(
        &self,
        name: &str,
        effect: impl Fn(&mut World) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let number = self.calls.borrow().len();
        self.calls.borrow_mut().push(name.to_owned());
        let crash = self.crash.get().filter(|(at, _)| *at == number);
        if crash.is_some() {
            self.crash.set(None);
        }
        if let Some((_, false)) = crash {
            panic::resume_unwind(Box::new(Crash));
        }
        let answer = self.serve(name, &effect);
        if crash.is_some() {
            panic::resume_unwind(Box::new(Crash));
        }
        if self.doubled {
            assert_eq!(self.serve(name, &effect), answer, "{name} is idempotent");
        }
        answer
    }

    /// What is refused changes nothing.
    fn serve(
        &self,
        name: &str,
        effect: impl Fn(&mut World) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut world = self.world.borrow().clone();
        let done = effect(&mut world);
        // A mark of an undo comes before every other reason, as it does in the services.
        if self.refuse == Some(name) && !matches!(done, Err(Refusal::UndoneBefore(_))) {
            return Err(refusal_of(name));
        }
        done?;
        self.world.replace(world);
        Ok(())
    }

    fn trace(&self) -> String {
        self.calls.borrow().join(" ")
    }

    /// Delivers the event until the checkout has ended.
    fn deliver(&self) -> Outcome {
        for _ in 0..5 {
            match panic::catch_unwind(AssertUnwindSafe(|| run(self, &order()))) {
                Ok(Ok(outcome)) => return outcome,
                Ok(Err(_)) => {}
                Err(crash) => assert!(crash.is::<Crash>(), "only crashes that were asked for"),
            }
        }
        panic!("the checkout does not end: {}", self.trace());
    }
}

fn refusal_of(step: &str) -> Refusal {
    match step {
        "reserve" => Refusal::OutOfStock {
            sku: "tea".to_owned(),
            available: 1,
        },
        "authorise" => Refusal::Declined("the card was declined by its bank".to_owned()),
        "book" => Refusal::NoCarrier("XX".to_owned()),
        "sell" => Refusal::Expired("tea".to_owned()),
        "confirm" => Refusal::Ended(Status::Rejected),
        other => Refusal::Invalid(format!("{other} makes no sense")),
    }
}

fn put<T>(slot: &mut T, value: T) -> Result<(), Refusal> {
    *slot = value;
    Ok(())
}

fn undone<T>(what: &str) -> Result<T, Refusal> {
    Err(Refusal::UndoneBefore(what.to_owned()))
}

impl Services for Fake {
    fn status(&self, _: &Order) -> Result<Status, Refusal> {
        Ok(self.world.borrow().order.unwrap_or(Status::Pending))
    }

    fn reserve(&self, _: &Order) -> Result<(), Refusal> {
        self.call("reserve", |world| match world.stock {
            Stock::Free => put(&mut world.stock, Stock::Held),
            Stock::Held | Stock::Sold => Ok(()),
            Stock::Released => undone("stock"),
        })
    }

    fn authorise(&self, _: &Order) -> Result<(), Refusal> {
        self.call("authorise", |world| match world.money {
            Money::Theirs => put(&mut world.money, Money::Authorised),
            Money::Authorised | Money::Captured => Ok(()),
            Money::Refunded | Money::Voided => undone("money"),
        })
    }

    fn book(&self, _: &Order) -> Result<(), Refusal> {
        self.call("book", |world| match world.carrier {
            Carrier::Unbooked => put(&mut world.carrier, Carrier::Booked),
            Carrier::Booked => Ok(()),
            Carrier::Cancelled => undone("carrier"),
        })
    }

    fn capture(&self, _: &Order) -> Result<(), Refusal> {
        self.call("capture", |world| match world.money {
            Money::Authorised => put(&mut world.money, Money::Captured),
            Money::Captured => Ok(()),
            Money::Theirs | Money::Refunded | Money::Voided => undone("money"),
        })
    }

    fn sell(&self, _: &Order) -> Result<(), Refusal> {
        self.call("sell", |world| match world.stock {
            Stock::Held => put(&mut world.stock, Stock::Sold),
            Stock::Sold => Ok(()),
            Stock::Free | Stock::Released => undone("stock"),
        })
    }

    fn consume(&self, _: &Order) -> Result<(), Refusal> {
        self.call("consume", |world| match world.lines {
            Lines::Claimed => put(&mut world.lines, Lines::Consumed),
            Lines::Consumed => Ok(()),
            Lines::Back => undone("lines"),
        })
    }

    fn confirm(&self, _: &Order) -> Result<(), Refusal> {
        self.call("confirm", |world| match world.order {
            None | Some(Status::Confirmed) => put(&mut world.order, Some(Status::Confirmed)),
            Some(status) => Err(Refusal::Ended(status)),
        })
    }

    fn reject(&self, _: &Order, reason: &str) -> Result<(), Refusal> {
        self.call(&format!("reject({reason})"), |world| match world.order {
            None | Some(Status::Rejected) => put(&mut world.order, Some(Status::Rejected)),
            Some(status) => Err(Refusal::Ended(status)),
        })
    }

    fn undo(&self, undo: &Undo) -> Result<(), Refusal> {
        if self.undo_fails_once.get() == Some(undo.name()) {
            self.undo_fails_once.set(None);
            self.calls
                .borrow_mut()
                .push(format!("{} fails", undo.name()));
            return Err(Refusal::Invalid("not now".to_owned()));
        }
        self.call(undo.name(), |world| {
            match undo {
                Undo::GiveBack { .. } if world.lines == Lines::Claimed => world.lines = Lines::Back,
                Undo::GiveBack { .. } => {}
                Undo::Release { .. } => world.stock = Stock::Released,
                Undo::Void { .. } => match world.money {
                    Money::Theirs | Money::Authorised => world.money = Money::Voided,
                    Money::Refunded | Money::Voided => {}
                    Money::Captured => return Err(Refusal::Invalid("captured".to_owned())),
                },
                Undo::Cancel { .. } => world.carrier = Carrier::Cancelled,
                Undo::Refund { .. } if world.money == Money::Captured => {
                    world.money = Money::Refunded;
                }
                Undo::Refund { .. } => {}
            }
            Ok(())
        })
    }
}

/// All of the order happened, or nothing that matters did.
fn is_whole(world: &World) -> bool {
    let kept = matches!(world.stock, Stock::Held | Stock::Sold)
        || matches!(world.money, Money::Authorised | Money::Captured)
        || world.carrier == Carrier::Booked;
    match world.order {
        Some(Status::Confirmed) => {
            let World {
                stock,
                money,
                carrier,
                lines,
                ..
            } = *world;
            (stock, money, carrier, lines)
                == (
                    Stock::Sold,
                    Money::Captured,
                    Carrier::Booked,
                    Lines::Consumed,
                )
        }
        Some(Status::Rejected) => !kept,
        None | Some(Status::Pending | Status::Cancelled) => false,
    }
}

#[test]
fn each_refused_step_undoes_the_ones_before_it_in_reverse_and_rejects_the_order() {
    let mut lines = Vec::new();
    for step in [None].into_iter().chain(STEPS.map(Some)) {
        let fake = Fake::refusing(step);
        fake.deliver();
        lines.push(fake.trace());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    reserve authorise book capture sell consume confirm
    reserve give-back reject(There is only one piece of Green tea left.)
    reserve authorise release give-back reject(The payment was not possible: the card was declined by its bank.)
    reserve authorise book void release give-back reject(Nobody carries to XX.)
    reserve authorise book capture cancel void release give-back reject(The order could not be completed.)
    reserve authorise book capture sell refund cancel void release give-back reject(Green tea was sold out while the order was under way.)
    reserve authorise book capture sell consume refund cancel void release give-back reject(The order could not be completed.)
    reserve authorise book capture sell consume confirm refund cancel void release give-back reject(The order could not be completed.)
    ");
}

#[test]
fn every_call_can_be_doubled() {
    for step in [None].into_iter().chain(STEPS.map(Some)) {
        let (once, twice) = (
            Fake::refusing(step),
            Fake {
                doubled: true,
                ..Fake::refusing(step)
            },
        );
        assert_eq!(once.deliver(), twice.deliver());
        assert_eq!(once.world, twice.world, "{step:?}");
    }
}

#[test]
fn a_crash_before_or_after_any_call_leaves_an_order_that_is_whole_once_it_is_delivered_again() {
    for step in [None].into_iter().chain(STEPS.map(Some)) {
        let calls = {
            let fake = Fake::refusing(step);
            fake.deliver();
            fake.calls.borrow().len()
        };
        for (number, effect) in (0..calls).flat_map(|number| [(number, false), (number, true)]) {
            let fake = Fake {
                crash: Cell::new(Some((number, effect))),
                ..Fake::refusing(step)
            };
            fake.deliver();
            let world = fake.world.borrow();
            assert!(
                is_whole(&world),
                "{step:?} refused, crash at {number} ({effect}): {world:?}\n{}",
                fake.trace()
            );
            if world.order == Some(Status::Rejected) {
                let gone = matches!(step, Some("confirm"));
                assert_eq!(
                    world.lines == Lines::Back,
                    !gone,
                    "{step:?} {number}: the cart has its lines"
                );
            }
        }
    }
}

#[test]
fn a_run_that_begins_again_in_the_middle_of_undoing_meets_the_same_refusal() {
    let reason = |step, crash| {
        let fake = Fake {
            crash: Cell::new(Some(crash)),
            ..Fake::refusing(Some(step))
        };
        fake.deliver();
        let told = format!("reject({})", refusal_of(step).in_words(&order()));
        let calls = fake.calls.borrow();
        let mut rejections = calls.iter().filter(|call| call.starts_with("reject"));
        assert!(rejections.all(|call| *call == told), "{}", fake.trace());
        assert_eq!(calls.last(), Some(&told));
    };
    // reserve give-back reject: wherever it is cut off.
    for crash in (0..3).flat_map(|number| [(number, false), (number, true)]) {
        reason("reserve", crash);
    }
    // reserve authorise release …: until the release has left its mark.
    for crash in [(1, false), (1, true), (2, false)] {
        reason("authorise", crash);
    }
}

#[test]
fn an_order_whose_lines_were_given_back_is_not_confirmed_even_if_there_is_stock_again() {
    let mut fake = Fake {
        crash: Cell::new(Some((1, true))),
        ..Fake::refusing(Some("reserve"))
    };
    let cut_off = panic::catch_unwind(AssertUnwindSafe(|| run(&fake, &order())));
    assert!(cut_off.is_err());
    fake.refuse = None;
    assert!(matches!(
        fake.deliver(),
        Outcome::Rejected(Refusal::UndoneBefore(_))
    ));
    assert!(is_whole(&fake.world.borrow()));
}

#[test]
fn an_order_that_has_ended_is_left_alone() {
    let fake = Fake::default();
    assert_eq!(fake.deliver(), Outcome::Confirmed);
    let before = (fake.world.borrow().clone(), fake.trace());
    assert_eq!(fake.deliver(), Outcome::EndedBefore(Status::Confirmed));
    assert_eq!(before, (fake.world.borrow().clone(), fake.trace()));
}

#[test]
fn an_undo_that_fails_is_tried_again_and_the_order_is_not_rejected_before() {
    let fake = Fake {
        undo_fails_once: Cell::new(Some("void")),
        ..Fake::refusing(Some("book"))
    };
    let stuck = run(&fake, &order()).unwrap_err();
    insta::assert_snapshot!(stuck, @"not undone: void: not now");
    assert_eq!(fake.world.borrow().order, None);
    fake.deliver();
    assert!(is_whole(&fake.world.borrow()));
    insta::assert_snapshot!(fake.trace(), @"reserve authorise book void fails release give-back reserve refund cancel void release give-back reject(The order could not be completed.)");
}

#[test]
fn a_cancelled_order_is_not_rejected_too() {
    let fake = Fake::refusing(Some("book"));
    let raced = |order: &Order| {
        fake.world.borrow_mut().order = Some(Status::Cancelled);
        give_up(&fake, everything(order), order, refusal_of("confirm"))
    };
    assert_eq!(raced(&order()), Ok(Outcome::EndedBefore(Status::Cancelled)));
}

#[test]
fn customers_are_told_in_their_words() {
    let order = Order {
        lines: vec![Line {
            sku: "tea".to_owned(),
            name: "Green tea".to_owned(),
            quantity: 2,
        }],
        ..order()
    };
    let tea = || "tea".to_owned();
    let refusals = [
        Refusal::UnknownProduct(tea()),
        Refusal::OutOfStock {
            sku: tea(),
            available: 0,
        },
        Refusal::OutOfStock {
            sku: tea(),
            available: 1,
        },
        Refusal::OutOfStock {
            sku: tea(),
            available: 3,
        },
        Refusal::Expired(tea()),
        Refusal::Declined("the card was declined by its bank".to_owned()),
        Refusal::NoCarrier("XX".to_owned()),
        Refusal::UndoneBefore("money".to_owned()),
    ];
    let words: Vec<String> = refusals
        .iter()
        .map(|refusal| refusal.in_words(&order))
        .collect();
    insta::assert_snapshot!(words.join("\n"), @r"
    Green tea is not sold any more.
    Green tea is out of stock.
    There is only one piece of Green tea left.
    There are only 3 pieces of Green tea left.
    Green tea was sold out while the order was under way.
    The payment was not possible: the card was declined by its bank.
    Nobody carries to XX.
    The order could not be completed.
    ");
}
