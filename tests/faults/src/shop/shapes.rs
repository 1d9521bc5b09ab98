//! The situations that the sagas of the shop are tried in.

use super::{Part, Past, Placed, Setting};
use crate::{
    program::Node,
    services::{call::FUNCTIONS, orders::domain::Command as Ask},
    shapes::Shape,
};

/// A token and a country, and whether the rules of the services refuse them.
const ORDERS: [(&str, &str); 5] = [
    ("tok_flaky", "NO"),
    ("tok_declined", "NO"),
    ("tok_nobody", "NO"),
    ("tok_ok", "XX"),
    ("tok_flaky", "XX"),
];

/// Functions of which a refusal is a way that a checkout can go.
const REFUSED: [&str; 9] = [
    "find",
    "reserve",
    "screen",
    "authorise",
    "book",
    "capture",
    "sell",
    "consume",
    "confirm",
];

fn shape(name: String, part: Part, setting: Setting) -> Shape {
    let node = Node::Shop { part, breaks: None };
    let mut shape = Shape::new(name, [node]);
    shape.shop = Some(setting);
    shape
}

/// An order that is paid and shipped like this, if that makes one.
pub fn placed(token: &str, country: &str) -> Vec<Placed> {
    Placed::new(token, country).into_iter().collect()
}

/// The steps of which a refusal is a way that a checkout can go.
pub fn numbers_of_checkout() -> Vec<u32> {
    REFUSED.iter().map(|function| number(function)).collect()
}

fn number(function: &str) -> u32 {
    let place = FUNCTIONS.iter().position(|name| *name == function);
    place.map_or(0, |place| u32::try_from(place + 1).unwrap_or(0))
}

fn checkout(order: &Placed, setting: Setting, what: &str) -> Shape {
    let name = format!("checkout of the shop{what}");
    shape(name, Part::Checkout(order.clone()), setting)
}

/// The ways of a checkout that the rules of the services lead to.
fn checkouts() -> Vec<Shape> {
    let mut all = Vec::new();
    for order in placed("tok_ok", "NO") {
        let setting = |others, past| Setting {
            others,
            past,
            ..Setting::new(order.clone())
        };
        let cancelled = [Ask::RequestCancellation, Ask::BeginCancellation];
        let cancelled = cancelled.map(Past::Asked).to_vec();
        let confirmed = vec![Past::CheckedOut];
        all.push(checkout(&order, setting(0, Vec::new()), ""));
        all.push(checkout(&order, setting(9, Vec::new()), ", sold out"));
        all.push(checkout(
            &order,
            setting(0, cancelled),
            ", cancelled before",
        ));
        all.push(checkout(
            &order,
            setting(0, confirmed),
            ", confirmed before",
        ));
    }
    for (token, country) in ORDERS {
        for order in placed(token, country) {
            let what = format!(", {order:?}");
            all.push(checkout(&order, Setting::new(order.clone()), &what));
        }
    }
    all
}

/// A checkout that is refused where the rules would not.
fn refused() -> Vec<Shape> {
    let mut all = Vec::new();
    for order in placed("tok_ok", "NO") {
        let of = |what: &str| checkout(&order, Setting::new(order.clone()), what);
        let one = |function: &&str| of(&format!(", no {function}")).refused(number(function));
        all.extend(REFUSED.iter().map(one));
        let both = of(", no book and no reject");
        all.push(both.refused(number("book")).refused(number("reject")));
    }
    all
}

fn cancellations() -> Vec<Shape> {
    let mut all = Vec::new();
    for order in placed("tok_ok", "NO") {
        let of = |what: &str, past: Vec<Past>| {
            let past = [vec![Past::CheckedOut], past].concat();
            let setting = Setting {
                past,
                ..Setting::new(order.clone())
            };
            let name = format!("cancel-order of the shop{what}");
            shape(name, Part::Cancellation, setting)
        };
        let wish = || Past::Asked(Ask::RequestCancellation);
        all.push(of("", vec![wish()]));
        // Where a clock is set back, it is not too late.
        all.push(of(", too late", vec![wish(), Past::Left]).timed());
        all.push(of(", nobody wishes", Vec::new()));
        all.push(of(", no cancel", vec![wish()]).refused(number("cancel")));
    }
    all
}

fn returns() -> Vec<Shape> {
    let mut all = Vec::new();
    for order in placed("tok_ok", "NO") {
        let of = |what: &str| {
            let wish = Past::Asked(Ask::RequestReturn("too small".to_owned()));
            let setting = Setting {
                past: vec![Past::CheckedOut, wish, Past::Left],
                ..Setting::new(order.clone())
            };
            let name = format!("return-order of the shop{what}");
            shape(name, Part::Return, setting)
        };
        let (yes, no) = (
            r#"decision={"approved":true}"#,
            r#"decision={"approved":false}"#,
        );
        all.push(of("").signalled(yes));
        all.push(of(", refused").signalled(no));
        all.push(of(", nobody decides"));
        // How long it waits for the second decision is a matter of when the first one came.
        all.push(
            of(", decided twice")
                .signalled("decision=yes")
                .signalled(yes)
                .timed(),
        );
    }
    all
}

/// All of them.
pub fn all() -> Vec<Shape> {
    [checkouts(), refused(), cancellations(), returns()].concat()
}

/// One of each saga, as it goes well, and a checkout that is undone from its last step on.
pub fn few() -> Vec<Shape> {
    let names = [
        "checkout of the shop",
        "checkout of the shop, no confirm",
        "cancel-order of the shop",
        "return-order of the shop",
    ];
    let is_one = |shape: &Shape| names.contains(&shape.name.as_str());
    all().into_iter().filter(is_one).collect()
}
