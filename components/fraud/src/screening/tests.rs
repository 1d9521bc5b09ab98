//! Screenings over a store: what is written, and for whom it counts.

use sdk::memory;

use super::*;
use crate::domain::{Assessment, Money, Reason};

const NOW: u64 = 1_000_000_000;

const TO: Address<'static> = Address {
    street: "Digranes 1",
    city: "Borgarnes",
    postal_code: "310",
    country: "IS",
};

fn set(limits: &[(&str, &str)]) {
    for name in [
        "order_limit",
        "unusual",
        "orders",
        "spending",
        "rejections",
        "neighbours",
        "first_order",
    ] {
        memory::set_variable(name, "0");
    }
    memory::set_variable("window", "3600");
    memory::set_variable("new_account", "86400");
    for (name, limit) in limits {
        memory::set_variable(name, limit);
    }
}

fn request(order: &str, user: &str, amount: u64) -> Request {
    let total = Money {
        amount,
        currency: "EUR".to_owned(),
    };
    Request {
        order: order.to_owned(),
        user: user.to_owned(),
        total,
    }
}

/// What speaks against an order.
fn reasons(order: &str, user: &str, amount: u64) -> Vec<Reason> {
    let said = Screening::open(NOW).screen(&request(order, user, amount), &TO);
    match said.unwrap() {
        Verdict::Approved(Assessment { reasons, .. })
        | Verdict::Declined(Assessment { reasons, .. }) => reasons,
    }
}

#[test]
fn an_order_is_screened_once_whoever_asks_again_and_when() {
    set(&[("orders", "1")]);
    assert_eq!(reasons("ord_1", "usr_1", 100), []);
    assert_eq!(reasons("ord_2", "usr_1", 100), [Reason::ManyOrders(2)]);
    assert_eq!(reasons("ord_1", "usr_1", 100), []);
    set(&[]);
    assert_eq!(reasons("ord_2", "usr_1", 100), [Reason::ManyOrders(2)]);
    assert_eq!(reasons("ord_3", "usr_2", 100), [], "others have their own");
}

#[test]
fn what_is_withdrawn_is_not_spent_and_not_screened_again() {
    set(&[("spending", "150")]);
    assert_eq!(reasons("ord_1", "usr_1", 100), []);
    Screening::open(NOW).withdraw("ord_1").unwrap();
    Screening::open(NOW).withdraw("ord_1").unwrap();
    assert_eq!(reasons("ord_2", "usr_1", 100), []);
    assert_eq!(reasons("ord_3", "usr_1", 100), [Reason::MuchSpent(200)]);
    let late = Screening::open(NOW).screen(&request("ord_1", "usr_1", 100), &TO);
    assert_eq!(late, Err(Refusal::Withdrawn("ord_1".to_owned())));
    Screening::open(NOW).withdraw("ord_9").unwrap();
    let late = Screening::open(NOW).screen(&request("ord_9", "usr_1", 100), &TO);
    assert_eq!(late, Err(Refusal::Withdrawn("ord_9".to_owned())));
}

#[test]
fn customers_who_share_an_address_are_counted_together() {
    set(&[("neighbours", "2")]);
    assert_eq!(reasons("ord_1", "usr_1", 1), []);
    assert_eq!(reasons("ord_2", "usr_1", 1), []);
    assert_eq!(reasons("ord_3", "usr_2", 1), []);
    assert_eq!(reasons("ord_4", "usr_3", 1), [Reason::SharedAddress(3)]);
}

#[test]
fn what_is_refused_writes_nothing() {
    set(&[]);
    let refused = Screening::open(NOW).screen(&request("ord_1", "", 1), &TO);
    assert!(matches!(refused, Err(Refusal::Invalid(_))), "{refused:?}");
    let refused = Screening::open(NOW).withdraw(&"x".repeat(65));
    assert!(matches!(refused, Err(Refusal::Invalid(_))), "{refused:?}");
    assert!(Store::open(STORE).keys().is_empty());
}
