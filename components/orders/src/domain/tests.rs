//! Sentences about orders, and the promise that state is the sum of events.

use proptest::{prop_assert, prop_assert_eq, proptest};
use time::Duration;

use super::{
    pricing::{NoPrice, Product, priced, total},
    *,
};

fn line(quantity: u32, amount: u64, currency: &str) -> Line {
    let price = Money {
        amount,
        currency: currency.to_owned(),
    };
    Line {
        sku: "tea".to_owned(),
        name: "Tea".to_owned(),
        quantity,
        price,
    }
}

fn placed() -> Event {
    let lines = vec![line(2, 500, "EUR")];
    let ship_to = Address {
        name: "Ada".to_owned(),
        street: "Kai 1".to_owned(),
        city: "Oslo".to_owned(),
        postal_code: "0150".to_owned(),
        country: "NO".to_owned(),
    };
    let total = total(&lines).unwrap();
    Event::Placed(Box::new(Placed {
        user: "usr_1".to_owned(),
        lines,
        total,
        ship_to,
    }))
}

fn second(number: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(number)
}

fn recorded(events: impl IntoIterator<Item = Event>) -> Vec<Recorded> {
    events
        .into_iter()
        .zip(1..)
        .map(|(event, number)| Recorded {
            at: second(number),
            event,
        })
        .collect()
}

fn reject() -> Command {
    Command::Reject("no carrier".to_owned())
}

#[test]
fn every_command_has_an_answer_in_every_state() {
    let ends = [
        None,
        Some(Event::Confirmed),
        Some(Event::Rejected {
            reason: "why".to_owned(),
        }),
        Some(Event::Cancelled),
    ];
    let mut lines = Vec::new();
    for end in ends {
        let order = fold(&recorded([placed()].into_iter().chain(end))).unwrap();
        for command in [Command::Confirm, reject()] {
            let answer = match order.decide(&command) {
                Ok(Some(event)) => event.name().to_owned(),
                Ok(None) => "nothing new".to_owned(),
                Err(ended) => ended.to_string(),
            };
            lines.push(format!("{:?} {command:?}: {answer}", order.status));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Pending Confirm: confirmed
    Pending Reject("no carrier"): rejected
    Confirmed Confirm: nothing new
    Confirmed Reject("no carrier"): the order has ended: Confirmed
    Rejected Confirm: the order has ended: Rejected
    Rejected Reject("no carrier"): nothing new
    Cancelled Confirm: the order has ended: Cancelled
    Cancelled Reject("no carrier"): the order has ended: Cancelled
    "#);
}

#[test]
fn the_past_is_the_fold_of_the_events_up_to_then() {
    let events = recorded([
        placed(),
        Event::Rejected {
            reason: "why".to_owned(),
        },
    ]);
    assert_eq!(fold(until(&events, second(0))), None);
    assert_eq!(
        fold(until(&events, second(1))).unwrap().status,
        Status::Pending
    );
    let now = fold(until(&events, second(2))).unwrap();
    assert_eq!(
        (now.status, now.reason.as_deref()),
        (Status::Rejected, Some("why"))
    );
}

#[test]
fn events_are_stored_with_their_names() {
    let events = recorded([Event::Rejected {
        reason: "why".to_owned(),
    }]);
    insta::assert_snapshot!(serde_json::to_string(&events).unwrap(), @r#"[{"at":"1970-01-01T00:00:01.000Z","event":"rejected","reason":"why"}]"#);
    let all = recorded([placed(), Event::Confirmed, Event::Cancelled]);
    let json = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Recorded>>(&json).unwrap(), all);
}

#[test]
fn a_total_has_one_currency_and_fits() {
    assert_eq!(
        total(&[line(2, 500, "EUR"), line(1, 1, "EUR")])
            .unwrap()
            .amount,
        1001
    );
    assert_eq!(total(&[]), Err(NoPrice::Nothing));
    assert_eq!(
        total(&[line(1, 1, "EUR"), line(1, 1, "NOK")]),
        Err(NoPrice::Currencies)
    );
    assert_eq!(total(&[line(2, u64::MAX, "EUR")]), Err(NoPrice::TooMuch));
    assert_eq!(
        total(&[line(1, u64::MAX, "EUR"), line(1, 1, "EUR")]),
        Err(NoPrice::TooMuch)
    );
}

#[test]
fn a_line_without_a_product_has_no_price() {
    let price = Money {
        amount: 1,
        currency: "EUR".to_owned(),
    };
    let tea = Product {
        name: "Tea".to_owned(),
        price,
    };
    let lines = [("tea".to_owned(), 1), ("mug".to_owned(), 1)];
    assert_eq!(
        priced(&lines, vec![tea]),
        Err(NoPrice::Unknown("mug".to_owned()))
    );
}

proptest! {
    #[test]
    fn an_order_ends_once_whatever_it_is_told(confirms in proptest::collection::vec(proptest::bool::ANY, 0..12)) {
        let mut events = recorded([placed()]);
        for confirm in confirms {
            let command = if confirm { Command::Confirm } else { reject() };
            if let Ok(Some(event)) = fold(&events).unwrap().decide(&command) {
                events.push(Recorded { at: second(9), event });
                prop_assert_eq!(fold(&events).unwrap().decide(&command), Ok(None));
            }
            prop_assert!(events.len() <= 2);
        }
    }
}
