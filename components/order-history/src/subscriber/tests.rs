//! Whatever order events of different keys come in, and however often, the view is the same.

use std::thread;

use proptest::prelude::*;
use sdk::rest::{self, Request};
use serde_json::{Value, json};

use super::*;
use crate::routes;

/// The customers, products and orders of these tests.
const USERS: [&str; 2] = ["usr_a", "usr_b"];
const SKUS: [&str; 3] = ["ale-horn", "lyre-oak", "bone-dice"];

/// What an order can go through.
const LIVES: [&[&str]; 6] = [
    &[],
    &["rejected"],
    &["confirmed"],
    &["cancellation-requested", "cancelled"],
    &[
        "confirmed",
        "cancellation-requested",
        "cancellation-refused",
    ],
    &["confirmed", "return-requested", "returned"],
];

fn message(kind: &str, subject: &str, second: usize, data: Value) -> Vec<u8> {
    let mut event = CloudEvent::new(kind, "/shop", subject, data);
    event.time = clock::parse(&format!(
        "2026-08-21T09:{:02}:{:02}Z",
        second / 60,
        second % 60
    ))
    .unwrap();
    serde_json::to_vec(&event).unwrap()
}

/// All events about one name: what it was first, and what it became.
fn names(kind: [&str; 2], member: &str, id: &str, renames: usize) -> Vec<Vec<u8>> {
    let said = |revision: usize| {
        let kind = kind[revision.min(1)];
        let data = match revision {
            0 => json!({member: id, "name": format!("{id} at first")}),
            _ => json!({member: id, "name": format!("{id} {revision}"), "revision": revision}),
        };
        message(kind, id, revision, data)
    };
    (0..=renames).map(said).collect()
}

/// All events about one order; orders are placed at times that are not in the order of their ids.
fn life(number: usize, which: usize) -> Vec<Vec<u8>> {
    let (order, user) = (format!("ord_{number}"), USERS[number % 2]);
    let second = (number * 7) % 10;
    let total = json!({"amount": 300, "currency": "EUR"});
    let price = json!({"amount": 100, "currency": "EUR"});
    let lines: Vec<Value> = [SKUS[number % 3], SKUS[(number + 1) % 3]]
        .map(|sku| json!({"sku": sku, "name": format!("{sku} at first"), "quantity": 2, "price": price}))
        .into();
    let data =
        json!({"order": order, "user": user, "lines": lines, "total": total, "reason": "because"});
    let kinds = std::iter::once(&"placed").chain(LIVES[which % LIVES.len()]);
    kinds
        .enumerate()
        .map(|(step, what)| {
            let kind = format!("shop.order.{what}.v1");
            message(&kind, &order, second + step * 60, data.clone())
        })
        .collect()
}

/// The events of each key, in their order.
fn history(lives: &[usize], renames: usize) -> Vec<Vec<Vec<u8>>> {
    let user = [
        "shop.identity.user-registered.v1",
        "shop.identity.user-renamed.v1",
    ];
    let product = [
        "shop.catalog.product-added.v1",
        "shop.catalog.product-renamed.v1",
    ];
    let users = USERS.iter().map(|id| names(user, "user", id, renames));
    let products = SKUS.iter().map(|id| names(product, "sku", id, renames));
    let orders = lives.iter().enumerate();
    let orders = orders.map(|(number, which)| life(number, *which));
    users.chain(products).chain(orders).collect()
}

/// One order of delivery: `picks` say which key is next, as long as they last. What is delivered may come once more.
fn interleave(keys: &[Vec<Vec<u8>>], picks: &[(usize, bool)]) -> Vec<Vec<u8>> {
    let mut rest: Vec<&[Vec<u8>]> = keys.iter().map(Vec::as_slice).collect();
    let (mut delivered, mut picks) = (Vec::new(), picks.iter().cycle());
    while !rest.is_empty() {
        let (pick, again) = *picks.next().unwrap_or(&(0, false));
        let at = pick % rest.len();
        let (first, others) = rest[at].split_first().unwrap();
        delivered.push(first.clone());
        if again {
            delivered.push(delivered[pick % delivered.len()].clone());
        }
        if others.is_empty() {
            rest.remove(at);
        } else {
            rest[at] = others;
        }
    }
    delivered
}

/// What both customers see, page after page.
fn views() -> Vec<Value> {
    let mut all = Vec::new();
    for user in USERS {
        let mut target = "/api/v1/order-history?page_size=2".to_owned();
        loop {
            let request = Request::new("GET", &target).unwrap().by(user);
            let page = rest::answer(&request, routes::answer).body_json();
            all.extend(page["items"].as_array().unwrap().clone());
            let Some(token) = page["next_page_token"].as_str() else {
                break;
            };
            target = format!("/api/v1/order-history?page_size=2&page_token={token}");
        }
    }
    all
}

/// The views after these deliveries, on a store of its own.
fn after(deliveries: &[&[Vec<u8>]]) -> Vec<Value> {
    // Stores in memory belong to their thread.
    let work = || {
        for message in deliveries.iter().copied().flatten() {
            receive(message).unwrap();
        }
        views()
    };
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

fn picks() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((0_usize..1_000, any::<bool>()), 1..60)
}

proptest! {
    #[test]
    fn the_view_is_the_same_whatever_comes_first_and_however_often(
        lives in prop::collection::vec(0..LIVES.len(), 0..9), renames in 0_usize..4, one in picks(), other in picks(),
    ) {
        let keys = history(&lives, renames);
        let (one, other) = (interleave(&keys, &one), interleave(&keys, &other));
        let (in_order, other) = (keys.concat(), other);
        let expected = after(&[&in_order]);
        prop_assert_eq!(expected.len(), lives.len());
        prop_assert_eq!(&after(&[&one]), &expected);
        // From zero, and all of it once more on what is there already.
        prop_assert_eq!(&after(&[&other]), &expected);
        prop_assert_eq!(&after(&[&one, &other]), &expected);
    }

    #[test]
    fn a_part_that_is_heard_is_shown_and_the_rest_completes_it(
        lives in prop::collection::vec(0..LIVES.len(), 1..7), order in picks(), part in 0_usize..40,
    ) {
        let all = interleave(&history(&lives, 2), &order);
        let (heard, rest) = all.split_at(part.min(all.len()));
        // What is built in two goes with somebody reading between them is what is built in one.
        let views = thread::scope(|scope| {
            let work = || {
                heard.iter().for_each(|message| receive(message).unwrap());
                let between = views();
                rest.iter().for_each(|message| receive(message).unwrap());
                (between, views())
            };
            scope.spawn(work).join().unwrap()
        });
        prop_assert!(views.0.len() <= views.1.len());
        prop_assert_eq!(views.1, after(&[&all]));
    }
}

#[test]
fn a_rename_is_seen_in_every_order_and_changes_none() {
    let keys = history(&[2, 2, 2, 2], 0);
    let before = after(&[&keys.concat()]);
    let rename = names(
        ["", "shop.catalog.product-renamed.v1"],
        "sku",
        "ale-horn",
        1,
    );
    let renamed = after(&[&keys.concat(), &rename[1..]]);
    let titles = |views: &[Value]| {
        let lines = views
            .iter()
            .flat_map(|view| view["lines"].as_array().unwrap().clone());
        let lines = lines.filter(|line| line["sku"] == "ale-horn");
        lines
            .map(|line| (line["title"].clone(), line.get("ordered_as").cloned()))
            .collect::<Vec<_>>()
    };
    let first = json!("ale-horn at first");
    assert_eq!(titles(&before), vec![(first.clone(), None); 3]);
    assert_eq!(
        titles(&renamed),
        vec![(json!("ale-horn 1"), Some(first)); 3]
    );
}

#[test]
fn what_nobody_publishes_is_refused() {
    let error = receive(&message("shop.order.lost.v1", "ord_1", 0, json!({}))).unwrap_err();
    insta::assert_snapshot!(error, @r#"no handler for events of type "shop.order.lost.v1""#);
    assert!(receive(&message("shop.order.placed.v1", "ord_1", 0, json!({}))).is_err());
    assert!(receive(b"hello").is_err());
}
