//! Whole requests against a read model in memory.

use sdk::events::CloudEvent;
use serde_json::{Value, json};

use super::*;
use crate::subscriber;

const ORDER: &str = "ord_01m7xexy0jb5se8dqta9x44v9y";

fn hear(kind: &str, at: &str, data: Value) {
    let mut event = CloudEvent::new(kind, "/shop", "subject", data);
    event.time = sdk::clock::parse(at).unwrap();
    subscriber::receive(&serde_json::to_vec(&event).unwrap()).unwrap();
}

fn place(order: &str, at: &str) {
    let price = json!({"amount": 1290, "currency": "EUR"});
    let line =
        json!({"sku": "bone-dice", "name": "Set of bone dice", "quantity": 2, "price": price});
    let total = json!({"amount": 2580, "currency": "EUR"});
    let placed = json!({"order": order, "user": "usr_1", "lines": [line], "total": total, "payment": {"token": "tok_ok"}});
    hear("shop.order.placed.v1", at, placed);
}

fn get(target: &str, user: &str) -> Response {
    let request = Request::new("GET", target).unwrap().by(user);
    rest::answer(&request, answer)
}

fn body(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[test]
fn an_order_is_shown_before_its_customer_and_product_are_known() {
    place(ORDER, "2026-08-21T09:30:00Z");
    let path = format!("/api/v1/order-history/{ORDER}");
    insta::assert_snapshot!(body(&get(&path, "usr_1")), @r#"{"id":"ord_01m7xexy0jb5se8dqta9x44v9y","status":"pending","customer":{"id":"usr_1"},"lines":[{"sku":"bone-dice","title":"Set of bone dice","quantity":2,"price":{"amount":1290,"currency":"EUR"},"amount":{"amount":2580,"currency":"EUR"}}],"total":{"amount":2580,"currency":"EUR"},"placed_at":"2026-08-21T09:30:00.000Z","history":[{"at":"2026-08-21T09:30:00.000Z","event":"placed"}]}"#);

    hear(
        "shop.identity.user-registered.v1",
        "2026-08-21T09:00:00Z",
        json!({"user": "usr_1", "name": "Egil"}),
    );
    let renamed = json!({"sku": "bone-dice", "name": "Honest dice", "revision": 1});
    hear(
        "shop.catalog.product-renamed.v1",
        "2026-08-21T10:00:00Z",
        renamed,
    );
    let refused = json!({"order": ORDER, "user": "usr_1", "reason": "The card was declined."});
    hear("shop.order.rejected.v1", "2026-08-21T09:30:01Z", refused);
    insta::assert_snapshot!(body(&get(&path, "usr_1")), @r#"{"id":"ord_01m7xexy0jb5se8dqta9x44v9y","status":"rejected","reason":"The card was declined.","customer":{"id":"usr_1","name":"Egil"},"lines":[{"sku":"bone-dice","title":"Honest dice","ordered_as":"Set of bone dice","quantity":2,"price":{"amount":1290,"currency":"EUR"},"amount":{"amount":2580,"currency":"EUR"}}],"total":{"amount":2580,"currency":"EUR"},"placed_at":"2026-08-21T09:30:00.000Z","history":[{"at":"2026-08-21T09:30:00.000Z","event":"placed"},{"at":"2026-08-21T09:30:01.000Z","event":"rejected","reason":"The card was declined."}]}"#);
}

#[test]
fn pages_stay_where_they_are_when_older_orders_are_heard_of_late() {
    for minute in [5, 1, 3] {
        place(
            &format!("ord_{minute}"),
            &format!("2026-08-21T09:0{minute}:00Z"),
        );
    }
    let ids = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = get("/api/v1/order-history?page_size=2", "usr_1").body_json();
    assert_eq!(ids(&first), ["ord_5", "ord_3"]);
    place("ord_2", "2026-08-21T09:02:00Z");
    place("ord_4", "2026-08-21T09:04:00Z");
    let token = first["next_page_token"].as_str().unwrap();
    let last = get(
        &format!("/api/v1/order-history?page_token={token}"),
        "usr_1",
    )
    .body_json();
    assert_eq!(ids(&last), ["ord_2", "ord_1"]);
    assert!(last.get("next_page_token").is_none());
    insta::assert_snapshot!(body(&get("/api/v1/order-history", "usr_2")), @r#"{"items":[]}"#);
}

#[test]
fn an_order_is_for_its_owner_and_sent_once() {
    place(ORDER, "2026-08-21T09:30:00Z");
    let path = format!("/api/v1/order-history/{ORDER}");
    let other = get(&path, "usr_2");
    assert_eq!(
        (other.status, other.header("retry-after")),
        (404, Some("1"))
    );
    let never = get("/api/v1/order-history/lyre", "usr_1");
    assert_eq!((never.status, never.header("retry-after")), (404, None));
    let tag = get(&path, "usr_1").header("etag").unwrap().to_owned();
    let again = Request::new("GET", &path)
        .unwrap()
        .by("usr_1")
        .with_header("if-none-match", &tag);
    assert_eq!(rest::answer(&again, answer).status, 304);
}

#[test]
fn what_cannot_be_answered_is_a_problem() {
    let nobody = Request::new("GET", "/api/v1/order-history").unwrap();
    assert_eq!(rest::answer(&nobody, answer).status, 401);
    for (target, status) in [
        ("/api/v1/order-history?page_size=0", 400),
        ("/api/v1/order-history?page_token=x", 400),
        ("/api/v1/order-history/a/b", 404),
    ] {
        assert_eq!(get(target, "usr_1").status, status, "{target}");
    }
    let post = Request::new("POST", "/api/v1/order-history")
        .unwrap()
        .by("usr_1");
    let refused = rest::answer(&post, answer);
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("GET, HEAD"))
    );
}
