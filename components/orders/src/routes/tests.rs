//! Orders as their owners see them, over a cart and a catalog that stand in for the real ones.

use std::cell::RefCell;

use sdk::{memory, rest};
use serde_json::Value;

use super::*;
use crate::domain::{
    Command, Money,
    pricing::Product,
    shop::{Claim, NoClaim},
};

/// A cart with one user's lines, and a catalog where everything costs 10.00 EUR, except `gone`.
#[derive(Default)]
struct Stand {
    lines: RefCell<Vec<(String, u32)>>,
    /// The key and the claim.
    held: RefCell<Option<(String, Claim)>>,
    given_back: RefCell<Vec<(String, String)>>,
}

impl Stand {
    fn with(lines: &[(&str, u32)]) -> Self {
        let stand = Self::default();
        stand.fill(lines);
        stand
    }

    fn fill(&self, lines: &[(&str, u32)]) {
        let lines = lines
            .iter()
            .map(|(sku, quantity)| ((*sku).to_owned(), *quantity));
        self.lines.replace(lines.collect());
    }
}

impl Shop for Stand {
    fn claim(&self, _user: &str, key: &str, order: &str) -> Result<Claim, NoClaim> {
        let back = self.given_back.borrow();
        if let Some((_, order)) = back.iter().find(|(known, _)| known == key) {
            return Err(NoClaim::GivenBack(order.clone()));
        }
        if let Some((known, claim)) = self.held.borrow().as_ref() {
            return if known == key {
                Ok(claim.clone())
            } else {
                Err(NoClaim::Claimed(claim.order.clone()))
            };
        }
        let lines = self.lines.take();
        if lines.is_empty() {
            return Err(NoClaim::Empty);
        }
        let claim = Claim {
            order: order.to_owned(),
            lines,
        };
        self.held.replace(Some((key.to_owned(), claim.clone())));
        Ok(claim)
    }

    fn give_back(&self, _user: &str, order: &str) {
        let (key, claim) = self.held.take().expect("something is held");
        assert_eq!(claim.order, order);
        self.lines.replace(claim.lines);
        self.given_back.borrow_mut().push((key, claim.order));
    }

    fn products(&self, skus: &[String]) -> Result<Vec<Product>, String> {
        let product = |sku: &String| match sku.as_str() {
            "gone" => Err(sku.clone()),
            _ => Ok(Product {
                name: sku.to_uppercase(),
                price: Money {
                    amount: 1000,
                    currency: "EUR".to_owned(),
                },
            }),
        };
        skus.iter().map(product).collect()
    }
}

const BODY: &str = r#"{"payment":{"token":"tok_ok"},
    "ship_to":{"name":"Ada","street":"Kai 1","city":"Oslo","postal_code":"0150","country":"NO"}}"#;

fn second(number: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(number)
}

fn send(request: &Request, shop: &Stand) -> Response {
    let route = |request: &Request| answer(request, shop, second(10));
    let response = memory::unit(|| {
        let response = rest::answer(request, route);
        if response.status < 400 {
            Ok(response)
        } else {
            Err(response)
        }
    });
    response.unwrap_or_else(|refused| refused)
}

fn post(shop: &Stand, key: &str, body: &str) -> Response {
    let request = Request::new("POST", "/api/v1/orders").unwrap().by("usr_1");
    send(
        &request.with_header("Idempotency-Key", key).with_body(body),
        shop,
    )
}

fn get(user: &str, target: &str) -> Response {
    send(
        &Request::new("GET", target).unwrap().by(user),
        &Stand::default(),
    )
}

fn id(response: &Response) -> String {
    response.body_json()["id"].as_str().unwrap().to_owned()
}

fn text(response: &Response) -> String {
    let id = response.body_json()["id"]
        .as_str()
        .map_or_else(|| "-".to_owned(), str::to_owned);
    String::from_utf8(response.body.clone())
        .unwrap()
        .replace(&id, "<id>")
}

#[test]
fn an_order_is_taken_as_pending_and_the_checkout_hears_of_it() {
    let shop = Stand::with(&[("tea", 2), ("mug", 1)]);
    let response = post(&shop, "k1", BODY);
    assert_eq!(
        (response.status, response.header("retry-after")),
        (202, Some("1"))
    );
    assert_eq!(
        response.header("location").unwrap(),
        format!("/api/v1/orders/{}", id(&response))
    );
    insta::assert_snapshot!(text(&response), @r#"{"id":"<id>","status":"pending","total":{"amount":3000,"currency":"EUR"},"lines":[{"sku":"tea","name":"TEA","quantity":2,"price":{"amount":1000,"currency":"EUR"}},{"sku":"mug","name":"MUG","quantity":1,"price":{"amount":1000,"currency":"EUR"}}],"history":[{"at":"1970-01-01T00:00:10.000Z","event":"placed"}]}"#);
    let published = memory::take_published();
    assert_eq!(published.len(), 1);
    let (topic, event) = &published[0];
    assert_eq!(topic, "shop.order.placed.v1");
    assert_eq!(
        [&event["subject"], &event["correlationid"]],
        [id(&response).as_str(); 2]
    );
    insta::assert_snapshot!(event["data"].to_string().replace(&id(&response), "<id>"), @r#"{"lines":[{"name":"TEA","price":{"amount":1000,"currency":"EUR"},"quantity":2,"sku":"tea"},{"name":"MUG","price":{"amount":1000,"currency":"EUR"},"quantity":1,"sku":"mug"}],"order":"<id>","payment":{"token":"tok_ok"},"ship_to":{"city":"Oslo","country":"NO","name":"Ada","postal_code":"0150","street":"Kai 1"},"total":{"amount":3000,"currency":"EUR"},"user":"usr_1"}"#);
}

#[test]
fn the_same_key_is_the_same_order() {
    let shop = Stand::with(&[("tea", 2)]);
    let first = post(&shop, "k1", BODY);
    let again = post(&shop, "k1", BODY);
    assert_eq!((again.status, id(&again)), (202, id(&first)));
    assert_eq!(memory::take_published().len(), 1);
    assert_eq!(
        get("usr_1", "/api/v1/orders").body_json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn carts_that_cannot_be_ordered_are_a_conflict_and_leave_nothing() {
    let mut lines = Vec::new();
    let mut note = |response: Response| {
        let body = response.body_json();
        lines.push(format!(
            "{} {}",
            response.status,
            body["detail"]
                .as_str()
                .unwrap()
                .replace(|digit: char| digit.is_ascii_digit(), "")
        ));
    };
    note(post(&Stand::default(), "k1", BODY));
    let gone = Stand::with(&[("tea", 1), ("gone", 1)]);
    note(post(&gone, "k2", BODY));
    assert_eq!(
        gone.lines.borrow().len(),
        2,
        "the lines are back in the cart"
    );
    note(post(&gone, "k2", BODY));
    let crowded = Stand::with(&[("tea", 1_001)]);
    note(post(&crowded, "k5", BODY));
    assert_eq!(crowded.lines.borrow().len(), 1);
    insta::assert_snapshot!(lines.join("\n"), @r"
    409 there is nothing to order
    409 the shop does not sell gone any more
    409 what was asked under this Idempotency-Key did not become an order; take a new key
    409  pieces of tea: an order has at most  of a product
    ");
    let claimed = Stand::with(&[("tea", 1)]);
    let first = id(&post(&claimed, "k3", BODY));
    let second = post(&claimed, "k4", BODY);
    assert_eq!(second.status, 409);
    assert!(
        second.body_json()["detail"]
            .as_str()
            .unwrap()
            .contains(&first)
    );
    assert_eq!(memory::take_published().len(), 1);
}

#[test]
fn a_claim_of_an_order_that_never_arrived_is_a_reason_to_wait_and_not_to_look_for_it() {
    let shop = Stand::with(&[("tea", 1)]);
    shop.claim("usr_1", "k1", "ord_lost").unwrap();
    let refused = post(&shop, "k2", BODY);
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (409, Some("5"))
    );
    insta::assert_snapshot!(refused.body_json()["detail"], @r#""an order that was begun may still arrive; send it again with its Idempotency-Key, or wait a minute""#);
}

#[test]
fn requests_that_break_rules_are_refused_with_every_place_before_anything_is_claimed() {
    let shop = Stand::with(&[("tea", 1)]);
    let long = "x".repeat(201);
    let broken = [
        BODY.replace("tok_ok", "")
            .replace("Oslo", &long)
            .replace("NO", "no"),
        BODY.replace("\"Kai 1\"", "7"),
        BODY.replace("\"token\"", "\"toke\""),
        BODY.replace("{\"payment", "{\"gift\":true,\"payment"),
        BODY.replace(r#"{"token":"tok_ok"}"#, r#"["tok_ok"]"#),
        r#"{"payment":{"token":"tok_ok"},"ship_to":["Ada","Kai 1","Oslo","0150","NO"]}"#.to_owned(),
        "{".to_owned(),
    ];
    let mut lines = Vec::new();
    for body in broken {
        let response = post(&shop, "k1", &body);
        let problem = response.body_json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let places: Vec<String> = errors
            .iter()
            .map(|error| error["pointer"].to_string())
            .collect();
        lines.push(format!("{} {}", response.status, places.join(" ")));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    422 "/payment/token" "/ship_to/city" "/ship_to/country"
    422 "/ship_to/street"
    422 "/payment/toke"
    422 "/gift"
    422 "/payment"
    422 "/ship_to"
    400
    "#);
    assert_eq!(shop.lines.borrow().len(), 1);
}

#[test]
fn an_order_needs_a_customer_and_a_key() {
    let shop = Stand::with(&[("tea", 1)]);
    assert_eq!(post(&shop, "", BODY).status, 400);
    let nobody = Request::new("POST", "/api/v1/orders")
        .unwrap()
        .with_body(BODY);
    assert_eq!(send(&nobody, &shop).status, 401);
    assert_eq!(
        send(&nobody.by("usr_1"), &shop).status,
        400,
        "there is no Idempotency-Key"
    );
    assert_eq!(shop.lines.borrow().len(), 1);
}

#[test]
fn after_a_rejection_the_same_key_still_answers_the_order_it_made() {
    let shop = Stand::with(&[("tea", 1)]);
    let order = id(&post(&shop, "k1", BODY));
    let reject = Command::Reject("Nobody carries to XX.".to_owned());
    Book::open().run(&order, &reject, second(12)).unwrap();
    shop.give_back("usr_1", &order);
    let again = post(&shop, "k1", BODY);
    assert_eq!((again.status, id(&again)), (202, order.clone()));
    assert_eq!(again.header("retry-after"), None);
    let next = post(&shop, "k2", BODY);
    assert_eq!(next.status, 202, "the lines can be ordered again");
    assert_ne!(id(&next), order);
}

#[test]
fn an_order_that_has_ended_says_how_and_no_longer_asks_to_be_asked_again() {
    let order = id(&post(&Stand::with(&[("tea", 1)]), "k1", BODY));
    let book = Book::open();
    let reject = Command::Reject("Nobody carries to XX.".to_owned());
    book.run(&order, &reject, second(12)).unwrap();
    book.run(&order, &reject, second(13)).unwrap();
    assert!(book.run(&order, &Command::Confirm, second(14)).is_err());
    let response = get("usr_1", &format!("/api/v1/orders/{order}"));
    assert_eq!(response.header("retry-after"), None);
    insta::assert_snapshot!(text(&response), @r#"{"id":"<id>","status":"rejected","reason":"Nobody carries to XX.","total":{"amount":1000,"currency":"EUR"},"lines":[{"sku":"tea","name":"TEA","quantity":1,"price":{"amount":1000,"currency":"EUR"}}],"history":[{"at":"1970-01-01T00:00:10.000Z","event":"placed"},{"at":"1970-01-01T00:00:12.000Z","event":"rejected"}]}"#);
    let topics: Vec<String> = memory::take_published()
        .into_iter()
        .map(|(topic, _)| topic)
        .collect();
    assert_eq!(topics, ["shop.order.placed.v1", "shop.order.rejected.v1"]);
}

#[test]
fn a_confirmation_is_published_with_what_it_is_about() {
    let order = id(&post(&Stand::with(&[("tea", 3)]), "k1", BODY));
    memory::take_published();
    Book::open()
        .run(&order, &Command::Confirm, second(11))
        .unwrap();
    let (topic, event) = memory::take_published().remove(0);
    assert_eq!(topic, "shop.order.confirmed.v1");
    insta::assert_snapshot!(event["data"].to_string().replace(&order, "<id>"), @r#"{"order":"<id>","total":{"amount":3000,"currency":"EUR"},"user":"usr_1"}"#);
}

#[test]
fn the_past_can_be_asked_about() {
    let order = id(&post(&Stand::with(&[("tea", 1)]), "k1", BODY));
    Book::open()
        .run(&order, &Command::Confirm, second(12))
        .unwrap();
    let at = |moment: &str| {
        let response = get("usr_1", &format!("/api/v1/orders/{order}?at={moment}"));
        format!(
            "{} {} {:?}",
            response.status,
            response.body_json()["status"],
            response.header("retry-after")
        )
    };
    let lines = [
        at("1970-01-01T00:00:09Z"),
        at("1970-01-01T00:00:10Z"),
        at("1970-01-01T02:00:11.999+02:00"),
        at("1970-01-01T00:00:12.000Z"),
        at("yesterday"),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    404 404 None
    200 "pending" None
    200 "pending" None
    200 "confirmed" None
    400 400 None
    "#);
}

#[test]
fn an_order_is_seen_by_its_owner_only_and_by_its_tag() {
    let order = id(&post(&Stand::with(&[("tea", 1)]), "k1", BODY));
    let path = format!("/api/v1/orders/{order}");
    assert_eq!(get("usr_2", &path).status, 404);
    assert_eq!(get("usr_1", "/api/v1/orders/ord_x").status, 404);
    let tag = get("usr_1", &path).header("etag").unwrap().to_owned();
    let again = Request::new("GET", &path)
        .unwrap()
        .by("usr_1")
        .with_header("if-none-match", &tag);
    assert_eq!(send(&again, &Stand::default()).status, 304);
    Book::open()
        .run(&order, &Command::Confirm, second(12))
        .unwrap();
    assert_eq!(send(&again, &Stand::default()).status, 200);
    assert_eq!(
        send(&Request::new("DELETE", &path).unwrap(), &Stand::default()).status,
        405
    );
}

/// An order that was placed, and what was published about it forgotten.
fn placed() -> String {
    let order = id(&post(&Stand::with(&[("tea", 1)]), "k1", BODY));
    memory::take_published();
    order
}

fn run(order: &str, command: &Command) {
    Book::open().run(order, command, second(12)).unwrap();
}

/// `POST` of a wish about an order.
fn wish(user: &str, order: &str, what: &str, body: &str) -> Response {
    let path = format!("/api/v1/orders/{order}/{what}");
    let request = Request::new("POST", &path).unwrap().by(user);
    send(&request.with_body(body), &Stand::default())
}

fn topics() -> Vec<String> {
    let published = memory::take_published();
    published.into_iter().map(|(topic, _)| topic).collect()
}

#[test]
fn a_wish_to_cancel_is_taken_and_told_once_however_often_it_is_sent() {
    let order = placed();
    let first = wish("usr_1", &order, "cancellation", "");
    assert_eq!(
        (first.status, first.header("retry-after")),
        (202, Some("1"))
    );
    assert_eq!(
        first.header("location").unwrap(),
        format!("/api/v1/orders/{order}")
    );
    assert_eq!(
        first.body_json()["history"][1]["event"],
        "cancellation-requested"
    );
    assert_eq!(wish("usr_1", &order, "cancellation", "{}").status, 202);
    let (topic, event) = memory::take_published().remove(0);
    assert_eq!(topic, "shop.order.cancellation-requested.v1");
    insta::assert_snapshot!(event["data"].to_string().replace(&order, "<id>"), @r#"{"order":"<id>","total":{"amount":1000,"currency":"EUR"},"user":"usr_1"}"#);
    assert_eq!(topics(), [""; 0]);
}

#[test]
fn what_cannot_be_cancelled_any_more_is_a_conflict_that_says_why() {
    let refuse = Command::RefuseCancellation("It is on its way.".to_owned());
    let ends: [&[Command]; 4] = [
        &[Command::Reject("no carrier".to_owned())],
        &[Command::RequestCancellation, Command::BeginCancellation],
        &[Command::Confirm, Command::RequestCancellation, refuse],
        &[
            Command::Confirm,
            Command::RequestReturn("too small".to_owned()),
        ],
    ];
    let mut lines = Vec::new();
    for end in ends {
        let order = placed();
        for command in end {
            run(&order, command);
        }
        let problem = wish("usr_1", &order, "cancellation", "");
        let slug = problem.body_json()["type"].to_string();
        assert_eq!(
            slug,
            r#""https://skald.dev/problems/order-not-cancellable""#
        );
        lines.push(format!(
            "{} {}",
            problem.status,
            problem.body_json()["detail"]
        ));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    409 "the order was rejected"
    409 "the order was cancelled"
    409 "a cancellation was refused before: It is on its way"
    409 "a return is under way"
    "#);
}

#[test]
fn a_confirmed_order_that_is_being_cancelled_asks_to_be_asked_again() {
    let order = placed();
    run(&order, &Command::Confirm);
    let taken = wish("usr_1", &order, "cancellation", "");
    assert_eq!(
        (taken.status, taken.header("retry-after")),
        (202, Some("1"))
    );
    let path = format!("/api/v1/orders/{order}");
    assert_eq!(get("usr_1", &path).header("retry-after"), Some("1"));
    run(&order, &Command::FinishCancellation);
    let ended = get("usr_1", &path);
    assert_eq!(ended.header("retry-after"), None);
    assert_eq!(ended.body_json()["status"], "cancelled");
    assert_eq!(
        topics(),
        [
            "shop.order.confirmed.v1",
            "shop.order.cancellation-requested.v1",
            "shop.order.cancelled.v1"
        ]
    );
}

#[test]
fn a_confirmed_order_can_be_sent_back_once_and_stays_confirmed() {
    let order = placed();
    let body = r#"{"reason":"too small"}"#;
    assert_eq!(
        wish("usr_1", &order, "return", body).status,
        409,
        "it is pending"
    );
    run(&order, &Command::Confirm);
    let taken = wish("usr_1", &order, "return", body);
    assert_eq!((taken.status, taken.header("retry-after")), (202, None));
    assert_eq!(wish("usr_1", &order, "return", body).status, 202);
    assert_eq!(wish("usr_1", &order, "cancellation", "").status, 409);
    run(&order, &Command::RefuseReturn("It was worn.".to_owned()));
    assert_eq!(wish("usr_1", &order, "return", body).status, 409);
    let seen = get("usr_1", &format!("/api/v1/orders/{order}")).body_json();
    assert_eq!(seen["status"], "confirmed");
    insta::assert_snapshot!(seen["history"].to_string(), @r#"[{"at":"1970-01-01T00:00:10.000Z","event":"placed"},{"at":"1970-01-01T00:00:12.000Z","event":"confirmed"},{"at":"1970-01-01T00:00:12.000Z","event":"return-requested","reason":"too small"},{"at":"1970-01-01T00:00:12.000Z","event":"return-refused","reason":"It was worn."}]"#);
    assert_eq!(
        topics(),
        [
            "shop.order.confirmed.v1",
            "shop.order.return-requested.v1",
            "shop.order.return-refused.v1"
        ]
    );
}

#[test]
fn wishes_are_the_owners_and_have_to_make_sense() {
    let order = placed();
    run(&order, &Command::Confirm);
    let refused = |user: &str, order: &str, what: &str, body: &str| {
        let problem = wish(user, order, what, body);
        format!("{} {}", problem.status, problem.body_json()["errors"])
    };
    let lines = [
        refused("usr_2", &order, "cancellation", ""),
        refused("usr_2", &order, "return", r#"{"reason":"mine"}"#),
        refused("usr_1", "ord_1", "return", r#"{"reason":"mine"}"#),
        refused("usr_1", &order, "cancellation", r#"{"reason":"why"}"#),
        refused("usr_1", &order, "cancellation", "now"),
        refused("usr_1", &order, "return", ""),
        refused("usr_1", &order, "return", r#"{"reason":" "}"#),
        refused("usr_1", &order, "return", r#"{"reason":7}"#),
        refused("usr_1", &order, "return", r#"{"reason":"small","keep":1}"#),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    404 null
    404 null
    404 null
    422 [{"detail":"unknown field `reason`, there are no fields","pointer":"/reason"}]
    400 null
    400 null
    422 [{"detail":"has to have 1 to 200 characters","pointer":"/reason"}]
    422 [{"detail":"invalid type: integer `7`, expected a string","pointer":"/reason"}]
    422 [{"detail":"unknown field `keep`, expected `reason`","pointer":"/keep"}]
    "#);
    assert_eq!(topics(), ["shop.order.confirmed.v1"]);
    let path = format!("/api/v1/orders/{order}/return");
    let by_nobody = Request::new("POST", &path).unwrap();
    assert_eq!(send(&by_nobody, &Stand::default()).status, 401);
    let deleted = Request::new("DELETE", &path).unwrap().by("usr_1");
    assert_eq!(send(&deleted, &Stand::default()).status, 405);
}

#[test]
fn orders_are_listed_newest_first_a_page_at_a_time() {
    let placed: Vec<String> = (0..5)
        .map(|number| {
            id(&post(
                &Stand::with(&[("tea", 1)]),
                &format!("k{number}"),
                BODY,
            ))
        })
        .collect();
    let mut listed = Vec::new();
    let mut target = "/api/v1/orders?page_size=2".to_owned();
    let mut pages = 0;
    loop {
        let page = get("usr_1", &target).body_json();
        let items = page["items"].as_array().unwrap();
        listed.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let Value::String(next) = &page["next_page_token"] else {
            break;
        };
        target = format!("/api/v1/orders?page_size=2&page_token={next}");
    }
    listed.reverse();
    assert_eq!((listed, pages), (placed, 3));
    assert_eq!(
        get("usr_2", "/api/v1/orders").body_json()["items"],
        Value::Array(Vec::new())
    );
    assert_eq!(get("usr_1", "/api/v1/orders?page_token=x").status, 400);
}
