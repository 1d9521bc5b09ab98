//! What is heard of customers and orders, told as the shop tells it.

use sdk::{clock, memory};
use serde_json::{Value, json};

use super::*;
use crate::domain::{Reason, Verdict, doorstep::Address};

const TO: Address<'static> = Address {
    street: "Digranes 1",
    city: "Borgarnes",
    postal_code: "310",
    country: "IS",
};

fn set(name: &str, limit: &str) {
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
    memory::set_variable(name, limit);
}

fn now() -> u64 {
    clock::millis(clock::now())
}

fn hear(kind: &str, data: Value) {
    let event = CloudEvent::new(kind, "/shop", "subject", data);
    let message = serde_json::to_vec(&event).unwrap();
    receive(&message, now()).unwrap();
    receive(&message, now()).unwrap();
}

fn of_order(what: &str, order: &str, amount: u64) {
    let total = json!({"amount": amount, "currency": "EUR"});
    let data = json!({"order": order, "user": "usr_1", "total": total, "reason": "It could not be.", "lines": []});
    hear(&format!("shop.order.{what}.v1"), data);
}

fn reasons(order: &str, amount: u64) -> Vec<Reason> {
    let total = Money {
        amount,
        currency: "EUR".to_owned(),
    };
    let request = Request {
        order: order.to_owned(),
        user: "usr_1".to_owned(),
        total,
    };
    match Screening::open(now()).screen(&request, &TO).unwrap() {
        Verdict::Approved(found) | Verdict::Declined(found) => found.reasons,
    }
}

#[test]
fn an_order_that_is_heard_of_counts_before_it_is_screened_and_not_again_after() {
    set("orders", "2");
    of_order("placed", "ord_1", 100);
    of_order("placed", "ord_2", 100);
    assert_eq!(reasons("ord_2", 100), []);
    assert_eq!(reasons("ord_3", 100), [Reason::ManyOrders(3)]);
}

#[test]
fn what_is_cancelled_or_returned_was_not_spent() {
    set("spending", "250");
    for (order, end) in [("ord_1", "cancelled"), ("ord_2", "returned")] {
        assert_eq!(reasons(order, 100), []);
        of_order("confirmed", order, 100);
        of_order(end, order, 100);
    }
    assert_eq!(reasons("ord_3", 100), []);
    of_order("confirmed", "ord_3", 100);
    assert_eq!(reasons("ord_4", 100), []);
    assert_eq!(reasons("ord_5", 100), [Reason::MuchSpent(300)]);
}

#[test]
fn rejections_count_until_an_order_stands() {
    set("rejections", "2");
    for order in ["ord_1", "ord_2"] {
        assert_eq!(reasons(order, 100), []);
        of_order("rejected", order, 100);
    }
    assert_eq!(reasons("ord_3", 100), [Reason::ManyRejections(2)]);
    // Declined by us: that does not make it worse.
    of_order("rejected", "ord_3", 100);
    assert_eq!(reasons("ord_4", 100), [Reason::ManyRejections(2)]);
    of_order("placed", "ord_0", 100);
    of_order("confirmed", "ord_0", 100);
    assert_eq!(reasons("ord_5", 100), []);
}

#[test]
fn a_customer_is_new_for_a_while_after_registering() {
    set("first_order", "50");
    assert_eq!(reasons("ord_1", 100), [Reason::LargeFirstOrder(100)]);
    let mut event = CloudEvent::new(
        "shop.identity.user-registered.v1",
        "/shop/identity",
        "usr_1",
        json!({"user": "usr_1", "email": "egil@borg.is", "name": "Egil"}),
    );
    event.time -= std::time::Duration::from_secs(90_000);
    receive(&serde_json::to_vec(&event).unwrap(), now()).unwrap();
    assert_eq!(reasons("ord_2", 100), []);
}

#[test]
fn orders_of_years_ago_are_a_history_and_no_burst() {
    set("orders", "1");
    for order in ["ord_1", "ord_2", "ord_3"] {
        let data =
            json!({"order": order, "user": "usr_1", "total": {"amount": 1, "currency": "EUR"}});
        for kind in ["shop.order.placed.v1", "shop.order.confirmed.v1"] {
            let mut event = CloudEvent::new(kind, "/shop/orders", order, data.clone());
            event.time -= std::time::Duration::from_secs(90_000_000);
            receive(&serde_json::to_vec(&event).unwrap(), now()).unwrap();
        }
    }
    assert_eq!(reasons("ord_4", 100), []);
    memory::set_variable("unusual", "10");
    assert!(reasons("ord_5", 1_000).contains(&Reason::UnusualAmount(1_000)));
}

#[test]
fn what_cannot_be_read_is_refused() {
    set("orders", "1");
    let event = CloudEvent::new("shop.order.shipped.v1", "/shop/orders", "ord_1", json!({}));
    let unknown = receive(&serde_json::to_vec(&event).unwrap(), now());
    assert!(matches!(unknown, Err(HandlerError::UnknownType(_))));
    let event = CloudEvent::new("shop.order.placed.v1", "/shop/orders", "ord_1", json!({}));
    assert!(receive(&serde_json::to_vec(&event).unwrap(), now()).is_err());
    assert!(receive(b"hello", now()).is_err());
}
