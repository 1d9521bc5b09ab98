//! Sentences about payments and a provider whose replies get lost.

use std::{cell::RefCell, collections::VecDeque};

use sdk::{
    memory,
    rest::{Problem, Response, json},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    domain::{Charge, Money},
    provider::Ask,
};

/// A provider whose answers are written down beforehand; `None` is a reply that never arrives.
struct Script {
    answers: RefCell<VecDeque<Option<Response>>>,
    asked: RefCell<Vec<Ask>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Option<Response>>) -> Self {
        Self {
            answers: RefCell::new(answers.into_iter().collect()),
            asked: RefCell::default(),
        }
    }

    /// What was asked, a line each.
    fn asked(&self) -> String {
        let line = |ask: &Ask| {
            format!(
                "{} [{}] {}",
                ask.path,
                ask.key,
                String::from_utf8_lossy(&ask.body)
            )
        };
        self.asked
            .borrow()
            .iter()
            .map(|ask| line(ask).trim_end().to_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Provider for Script {
    fn send(&self, ask: &Ask) -> Result<Response, String> {
        self.asked.borrow_mut().push(ask.clone());
        let answer = self
            .answers
            .borrow_mut()
            .pop_front()
            .expect("no more answers are written down");
        answer.ok_or_else(|| "no answer".to_owned())
    }
}

fn receipt(sums: [u64; 4]) -> Option<Response> {
    let [authorised, captured, voided, refunded] = sums;
    let currency = if authorised == 0 { "" } else { "EUR" };
    let receipt: Value = json!({
        "currency": currency, "authorised": authorised,
        "captured": captured, "voided": voided, "refunded": refunded,
    });
    Some(json(200, &receipt))
}

fn problem(status: u16, detail: &str) -> Option<Response> {
    Some(Problem::new(status, "no", "No", detail).into_response(None))
}

fn authorise() -> Command {
    Command::Authorise(Charge {
        user: "usr_1".to_owned(),
        total: Money {
            amount: 1999,
            currency: "EUR".to_owned(),
        },
        token: "tok_ok".to_owned(),
    })
}

/// One call, as the host runs it: what fails has written nothing.
fn call(script: &Script, command: &Command) -> Result<Balance, Failure> {
    memory::unit(|| run(script, "ord_1", command))
}

#[test]
fn the_provider_is_asked_once_for_each_operation_under_a_key_of_its_own() {
    let script = Script::new([
        receipt([1999, 0, 0, 0]),
        receipt([1999, 1999, 0, 0]),
        receipt([1999, 1999, 0, 1999]),
    ]);
    for command in [
        authorise(),
        authorise(),
        Command::Capture,
        Command::Capture,
        Command::Refund,
        Command::Refund,
    ] {
        call(&script, &command).unwrap();
    }
    insta::assert_snapshot!(script.asked(), @r#"
    /v1/payments/ord_1/authorise [ord_1-authorise] {"amount":1999,"currency":"EUR","token":"tok_ok"}
    /v1/payments/ord_1/capture [ord_1-capture]
    /v1/payments/ord_1/refund [ord_1-refund]
    "#);
    let balance = find("ord_1").unwrap().balance();
    assert_eq!(
        balance,
        Balance {
            authorised: 1999,
            captured: 1999,
            voided: 0,
            refunded: 1999
        }
    );
}

#[test]
fn after_a_lost_reply_the_same_key_is_used_again() {
    let script = Script::new([None, receipt([1999, 0, 0, 0])]);
    assert_eq!(
        call(&script, &authorise()),
        Err(Failure::Unavailable("no answer".to_owned()))
    );
    assert!(find("ord_1").is_err(), "what failed was not written");
    assert_eq!(call(&script, &authorise()).unwrap().authorised, 1999);
    assert_eq!(script.asked.borrow()[0], script.asked.borrow()[1]);
}

#[test]
fn money_whose_authorisation_was_never_heard_of_is_let_go_of() {
    let script = Script::new([None, receipt([1999, 0, 1999, 0])]);
    call(&script, &authorise()).unwrap_err();
    call(&script, &Command::Void).unwrap();
    let balance = find("ord_1").unwrap().balance();
    assert_eq!((balance.authorised, balance.voided), (1999, 1999));
}

#[test]
fn after_a_void_nothing_is_authorised_any_more() {
    let script = Script::new([receipt([0, 0, 0, 0])]);
    call(&script, &Command::Void).unwrap();
    call(&script, &Command::Void).unwrap();
    let refusal = call(&script, &authorise()).unwrap_err();
    assert_eq!(refusal, Failure::Refused(Refusal::WrongState("voided")));
}

#[test]
fn the_providers_no_is_told_in_its_words_and_leaves_nothing() {
    let script = Script::new([problem(402, "the card was declined by its bank")]);
    let declined = Refusal::Declined("the card was declined by its bank".to_owned());
    assert_eq!(call(&script, &authorise()), Err(Failure::Refused(declined)));
    assert!(find("ord_1").is_err());
}

#[test]
fn other_refusals_are_ours_to_explain_and_the_rest_is_tried_again() {
    let kind = |answer| match call(&Script::new([answer]), &authorise()).unwrap_err() {
        Failure::Refused(Refusal::Invalid(reason)) => format!("invalid: {reason}"),
        Failure::Refused(other) => other.to_string(),
        Failure::Unavailable(reason) => format!("unavailable: {reason}"),
    };
    let lines = [
        kind(problem(422, "the token is unknown")),
        kind(Some(Response::new(409, Vec::new()))),
        kind(problem(429, "slow down")),
        kind(problem(503, "try again later")),
        kind(Some(Response::new(200, b"<html>".to_vec()))),
        kind(Some(Response::new(302, Vec::new()))),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    invalid: the token is unknown
    invalid: the provider refused
    unavailable: slow down
    unavailable: the provider answered 503
    unavailable: the receipt cannot be read: expected value at line 1 column 1
    unavailable: the provider answered 302
    ");
}

#[test]
fn what_was_never_authorised_is_neither_captured_nor_refunded() {
    let script = Script::new([]);
    let unknown = Failure::Refused(Refusal::UnknownOrder("ord_1".to_owned()));
    assert_eq!(call(&script, &Command::Capture), Err(unknown));
    assert_eq!(call(&script, &Command::Refund), Ok(Balance::default()));
    open("ord_1", "usr_1");
    assert_eq!(
        call(&script, &Command::Capture),
        Err(Failure::Refused(Refusal::WrongState("opened")))
    );
}

#[test]
fn an_id_that_would_change_the_address_is_refused() {
    for order in ["", "ord/../x", "ord 1", &"x".repeat(100)] {
        let refusal = run(&Script::new([]), order, &Command::Void);
        assert!(
            matches!(refusal, Err(Failure::Refused(Refusal::Invalid(_)))),
            "{order:?}"
        );
    }
}
