//! Whole requests against a store in memory.

use serde_json::{Value, json};

use super::*;
use crate::domain::{Item, Money};

fn stock() {
    for (sku, amount) in [
        ("ale-horn", 3_490),
        ("lyre-oak", 34_900),
        ("moon", u64::MAX),
    ] {
        let item = Item {
            name: sku.to_uppercase(),
            price: Money {
                amount,
                currency: "EUR".to_owned(),
            },
        };
        Drawer::open().learn(sku, &item);
    }
}

fn ask(method: &str, target: &str, body: &str) -> Response {
    let request = Request::new(method, target)
        .unwrap()
        .by("usr_1")
        .with_body(body);
    rest::answer(&request, answer)
}

fn put(sku: &str, body: &str) -> Response {
    ask("PUT", &format!("/api/v1/cart/items/{sku}"), body)
}

fn cart() -> Value {
    ask("GET", "/api/v1/cart", "").body_json()
}

#[test]
fn a_cart_shows_lines_with_prices_and_their_total() {
    stock();
    insta::assert_snapshot!(cart(), @r#"{"lines":[],"total":{"amount":0,"currency":"EUR"}}"#);
    put("ale-horn", r#"{"quantity":2}"#);
    let answer = put("lyre-oak", r#"{"quantity":1}"#);
    assert_eq!(answer.status, 200);
    insta::assert_snapshot!(String::from_utf8_lossy(&answer.body), @r#"{"lines":[{"sku":"ale-horn","name":"ALE-HORN","quantity":2,"price":{"amount":3490,"currency":"EUR"}},{"sku":"lyre-oak","name":"LYRE-OAK","quantity":1,"price":{"amount":34900,"currency":"EUR"}}],"total":{"amount":41880,"currency":"EUR"}}"#);
    assert_eq!(cart(), answer.body_json());
    assert_eq!(ask("DELETE", "/api/v1/cart/items/ale-horn", "").status, 204);
    assert_eq!(ask("DELETE", "/api/v1/cart/items/ale-horn", "").status, 204);
    assert_eq!(
        cart()["total"],
        json!({"amount": 34_900, "currency": "EUR"})
    );
}

#[test]
fn what_breaks_a_rule_is_refused_and_changes_nothing() {
    stock();
    put("ale-horn", r#"{"quantity":2}"#);
    let before = cart();
    let refusals: Vec<String> = [
        ("ale-horn", r#"{"quantity":0}"#),
        ("ale-horn", r#"{"quantity":1001}"#),
        ("ale-horn", r#"{"quantity":-1}"#),
        ("ale-horn", r#"{"quantity":1e99}"#),
        ("ale-horn", r#"{"quantity":1,"colour":"red"}"#),
        ("ale-horn", "quantity=1"),
        ("moon", r#"{"quantity":2}"#),
        ("longship", r#"{"quantity":1}"#),
    ]
    .iter()
    .map(|(sku, body)| {
        let problem = put(sku, body);
        assert_eq!(cart(), before, "{sku} {body}");
        let json = problem.body_json();
        format!("{} {} {}", problem.status, json["detail"], json["errors"])
    })
    .collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    422 "the body breaks a rule" [{"detail":"the quantity has to be 1 to 1000, not 0","pointer":"/quantity"}]
    422 "the body breaks a rule" [{"detail":"the quantity has to be 1 to 1000, not 1001","pointer":"/quantity"}]
    422 "the body has the wrong shape" [{"detail":"invalid value: integer `-1`, expected a whole number from 0 to 4294967295","pointer":"/quantity"}]
    422 "the body has the wrong shape" [{"detail":"invalid type: number `1e+99`, expected a whole number from 0 to 4294967295","pointer":"/quantity"}]
    422 "the body has the wrong shape" [{"detail":"unknown field `colour`, expected `quantity`","pointer":"/colour"}]
    400 "expected value at line 1 column 1" null
    422 "the cart has no total: it is more than we can count" null
    404 "the shop does not sell \"longship\"" null
    "#);
}

#[test]
fn nobody_has_no_cart_and_everybody_their_own() {
    stock();
    put("ale-horn", r#"{"quantity":2}"#);
    let anonymous = Request::new("GET", "/api/v1/cart").unwrap();
    assert_eq!(rest::answer(&anonymous, answer).status, 401);
    let other = anonymous.by("usr_2");
    assert_eq!(rest::answer(&other, answer).body_json()["lines"], json!([]));
}

#[test]
fn other_methods_and_places_are_refused() {
    let refused = ask("POST", "/api/v1/cart", "{}");
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("GET, HEAD"))
    );
    let refused = ask("GET", "/api/v1/cart/items/ale-horn", "");
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("PUT, DELETE"))
    );
    assert_eq!(ask("GET", "/api/v1/cart/shelf", "").status, 404);
    let long = "x".repeat(5_000);
    assert_eq!(put(&long, r#"{"quantity":1}"#).status, 404);
    let path = format!("/api/v1/cart/items/{long}");
    assert_eq!(ask("DELETE", &path, "").status, 204, "it is not there");
}

#[test]
fn claimed_lines_leave_the_cart_and_come_back() {
    stock();
    put("ale-horn", r#"{"quantity":2}"#);
    let drawer = Drawer::open();
    let claim = drawer.claim("usr_1", "key", "ord_1").unwrap();
    assert_eq!(drawer.claim("usr_1", "key", "ord_2"), Ok(claim));
    assert_eq!(cart()["lines"], json!([]));
    put("ale-horn", r#"{"quantity":1}"#);
    assert_eq!(
        drawer.claim("usr_1", "other", "ord_2"),
        Err(Refusal::Claimed("ord_1".to_owned()))
    );
    drawer.give_back("usr_1", "ord_1");
    drawer.give_back("usr_1", "ord_1");
    assert_eq!(cart()["lines"][0]["quantity"], 3);
    assert_eq!(
        drawer.claim("usr_1", "key", "ord_3"),
        Err(Refusal::GivenBack("ord_1".to_owned()))
    );
    let second = drawer.claim("usr_1", "other", "ord_4").unwrap();
    drawer.consume("usr_1", "ord_4").unwrap();
    drawer.consume("usr_1", "ord_4").unwrap();
    drawer.give_back("usr_1", "ord_4");
    assert_eq!(cart()["lines"], json!([]));
    assert_eq!(drawer.claim("usr_1", "other", "ord_5"), Ok(second));
}
