//! Every step refused in turn, and every moment at which somebody may cancel the run. What becomes of the books is
//! tested with the rules of all services, in `tests/shop`.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use sdk::saga::rehearsal::{Played, Run, step};

use super::{
    super::order::{self, Line},
    *,
};

const STEPS: [&str; 8] = [
    "reserve",
    "screen",
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

/// Services that do nothing but refuse one step, if told so.
#[derive(Clone, Default)]
struct Services {
    order: Rc<Cell<Option<Status>>>,
    refuse: Vec<&'static str>,
    told: Rc<RefCell<Vec<String>>>,
}

impl Services {
    fn refusing(step: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            refuse: step.into_iter().collect(),
            ..Self::default()
        }
    }

    fn call(&self, name: &str) -> Result<(), Refusal> {
        step(name, || {
            if self.refuse.contains(&name) {
                Err(refusal_of(name))
            } else {
                Ok(())
            }
        })
    }

    fn finish(&self, run: &mut Run) -> Played<Result<Outcome, NotRejected>> {
        run.finish(|| super::run(self, &order()))
    }
}

impl super::Services for Services {
    fn status(&self, _: &Order) -> Result<Status, Refusal> {
        step("find", || Ok(self.order.get().unwrap_or(Status::Pending)))
    }

    fn reserve(&self, _: &Order) -> Result<(), Refusal> {
        self.call("reserve")
    }

    fn screen(&self, _: &Order) -> Result<(), Refusal> {
        self.call("screen")
    }

    fn authorise(&self, _: &Order) -> Result<(), Refusal> {
        self.call("authorise")
    }

    fn book(&self, _: &Order) -> Result<(), Refusal> {
        self.call("book")
    }

    fn capture(&self, _: &Order) -> Result<(), Refusal> {
        self.call("capture")
    }

    fn sell(&self, _: &Order) -> Result<(), Refusal> {
        self.call("sell")
    }

    fn consume(&self, _: &Order) -> Result<(), Refusal> {
        self.call("consume")
    }

    fn confirm(&self, _: &Order) -> Result<(), Refusal> {
        self.call("confirm")
    }

    fn reject(&self, _: &Order, reason: &str) -> Result<(), Refusal> {
        self.told.borrow_mut().push(reason.to_owned());
        self.call("reject")
    }

    fn register(&self, scope: &Scope, undo: Undo, _: &Order) {
        scope.register(&format!("{undo:?}").to_lowercase(), || Ok(()));
    }
}

fn refusal_of(step: &str) -> Refusal {
    match step {
        "reserve" => Refusal::OutOfStock {
            sku: "tea".to_owned(),
            available: 1,
        },
        "screen" => Refusal::Suspicious(150),
        "authorise" => Refusal::Declined("the card was declined by its bank".to_owned()),
        "book" => Refusal::NoCarrier("XX".to_owned()),
        "sell" => Refusal::Expired("tea".to_owned()),
        "confirm" => Refusal::Ended(Status::Cancelled),
        other => Refusal::Invalid(format!("{other} makes no sense")),
    }
}

#[test]
fn each_refused_step_undoes_the_ones_before_it_in_reverse_and_rejects_the_order() {
    let mut lines = Vec::new();
    for refused in [None].into_iter().chain(STEPS.map(Some)) {
        let (services, mut run) = (Services::refusing(refused), Run::default());
        let played = services.finish(&mut run);
        let expected = match refused {
            None => Outcome::Confirmed,
            Some(step) => Outcome::Undone(refusal_of(step)),
        };
        assert_eq!(played, Played::Ended(Ok(expected)));
        let told = services.told.borrow().join("");
        lines.push(format!("{} {told}", run.trace()).trim_end().to_owned());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    find reserve screen authorise book capture sell consume confirm
    find reserve undo-release undo-giveback reject There is only one piece of Green tea left.
    find reserve screen undo-withdraw undo-release undo-giveback reject The order could not be accepted.
    find reserve screen authorise undo-void undo-withdraw undo-release undo-giveback reject The payment was not possible: the card was declined by its bank.
    find reserve screen authorise book undo-cancel undo-void undo-withdraw undo-release undo-giveback reject Nobody carries to XX.
    find reserve screen authorise book capture undo-refund undo-cancel undo-void undo-withdraw undo-release undo-giveback reject The order could not be completed.
    find reserve screen authorise book capture sell undo-refund undo-cancel undo-void undo-withdraw undo-release undo-giveback reject Green tea was sold out while the order was under way.
    find reserve screen authorise book capture sell consume undo-refund undo-cancel undo-void undo-withdraw undo-release undo-giveback reject The order could not be completed.
    find reserve screen authorise book capture sell consume confirm undo-abandon undo-refund undo-cancel undo-void undo-withdraw undo-release undo-giveback reject It was cancelled.
    ");
}

#[test]
fn a_run_that_is_cancelled_at_any_step_undoes_what_may_have_happened_and_abandons_the_order() {
    let mut lines = Vec::new();
    for steps in 0..=STEPS.len() {
        let (services, mut run) = (Services::default(), Run::default());
        run.play(steps, || super::run(&services, &order()));
        run.cancel();
        assert_eq!(services.finish(&mut run), Played::RolledBack);
        lines.push(run.trace());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    undo-giveback undo-abandon
    find undo-release undo-giveback undo-abandon
    find reserve undo-withdraw undo-release undo-giveback undo-abandon
    find reserve screen undo-void undo-withdraw undo-release undo-giveback undo-abandon
    find reserve screen authorise undo-cancel undo-void undo-withdraw undo-release undo-giveback undo-abandon
    find reserve screen authorise book undo-refund undo-cancel undo-void undo-withdraw undo-release undo-giveback undo-abandon
    find reserve screen authorise book capture undo-refund undo-cancel undo-void undo-withdraw undo-release undo-giveback undo-abandon
    find reserve screen authorise book capture sell undo-refund undo-cancel undo-void undo-withdraw undo-release undo-giveback undo-abandon
    find reserve screen authorise book capture sell consume undo-abandon undo-refund undo-cancel undo-void undo-withdraw undo-release undo-giveback
    ");
}

#[test]
fn an_order_that_has_ended_gets_its_lines_back_at_most() {
    let mut lines = Vec::new();
    for ended in [Status::Confirmed, Status::Rejected, Status::Cancelled] {
        let (services, mut run) = (Services::default(), Run::default());
        services.order.set(Some(ended));
        let played = services.finish(&mut run);
        assert_eq!(played, Played::Ended(Ok(Outcome::EndedBefore(ended))));
        lines.push(format!("{ended:?}: {}", run.trace()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    Confirmed: find
    Rejected: find undo-giveback
    Cancelled: find undo-giveback
    ");
}

#[test]
fn an_order_that_cannot_be_rejected_keeps_the_run_from_ending_well() {
    let (services, mut run) = (Services::refusing(["book", "reject"]), Run::default());
    let played = services.finish(&mut run);
    assert_eq!(
        played,
        Played::Ended(Err(NotRejected(refusal_of("reject"))))
    );
    insta::assert_snapshot!(run.trace(), @"find reserve screen authorise book undo-cancel undo-void undo-withdraw undo-release undo-giveback reject undo-abandon");
}

#[test]
fn people_are_told_where_the_run_is() {
    let (services, mut run) = (Services::refusing(Some("book")), Run::default());
    services.finish(&mut run);
    insta::assert_snapshot!(run.statuses().join("\n"), @r"
    Looking at the order
    Reserving the goods
    Looking at the customer's history
    Setting the money aside
    Booking a carrier
    Undoing everything. Nobody carries to XX.
    Undone. Nobody carries to XX.
    ");
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
    let short = |available| Refusal::OutOfStock {
        sku: tea(),
        available,
    };
    let refusals = [
        Refusal::UnknownProduct(tea()),
        short(0),
        short(1),
        short(3),
        Refusal::Expired(tea()),
        Refusal::Suspicious(100),
        Refusal::Declined("the card was declined by its bank".to_owned()),
        Refusal::NoCarrier("XX".to_owned()),
        Refusal::Ended(Status::Cancelled),
        Refusal::Invalid("money".to_owned()),
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
    The order could not be accepted.
    The payment was not possible: the card was declined by its bank.
    Nobody carries to XX.
    It was cancelled.
    The order could not be completed.
    ");
}
