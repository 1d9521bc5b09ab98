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

fn why() -> String {
    "why".to_owned()
}

/// Every order there can be, by what has happened to it.
fn histories() -> Vec<Vec<Event>> {
    let rejected = Event::Rejected { reason: why() };
    let refused = Event::CancellationRefused { reason: why() };
    let sent = Event::ReturnRequested { reason: why() };
    let kept = Event::ReturnRefused { reason: why() };
    let (wished, confirmed, cancelled) = (
        Event::CancellationRequested,
        Event::Confirmed,
        Event::Cancelled,
    );
    vec![
        vec![],
        vec![confirmed.clone()],
        vec![rejected.clone()],
        vec![wished.clone()],
        vec![wished.clone(), rejected],
        vec![wished.clone(), cancelled.clone()],
        vec![confirmed.clone(), wished.clone()],
        vec![confirmed.clone(), wished.clone(), cancelled],
        vec![confirmed.clone(), wished, refused],
        vec![confirmed.clone(), sent.clone()],
        vec![confirmed.clone(), sent.clone(), Event::Returned],
        vec![confirmed, sent, kept],
    ]
}

fn commands() -> [Command; 10] {
    [
        Command::Confirm,
        reject(),
        Command::Abandon(why()),
        Command::RequestCancellation,
        Command::BeginCancellation,
        Command::FinishCancellation,
        Command::RefuseCancellation(why()),
        Command::RequestReturn(why()),
        Command::FinishReturn,
        Command::RefuseReturn(why()),
    ]
}

/// A line for each order there can be, with what these commands lead to; a dash is nothing.
fn table(commands: &[Command]) -> String {
    let line = |history: Vec<Event>| {
        let names: Vec<&str> = history.iter().map(Event::name).collect();
        let order = fold(&recorded([placed()].into_iter().chain(history))).unwrap();
        let answer = |command| match order.decide(command) {
            Ok(event) => event.map_or("-", |event| event.name()).to_owned(),
            Err(denial) => format!("no: {denial}"),
        };
        let answers: Vec<String> = commands.iter().map(answer).collect();
        format!("[{}] {}", names.join(", "), answers.join(" | "))
    };
    let lines: Vec<String> = histories().into_iter().map(line).collect();
    lines.join("\n")
}

#[test]
fn a_checkouts_commands_have_an_answer_in_every_state() {
    insta::assert_snapshot!(table(&commands()[..3]), @r"
    [] confirmed | rejected | rejected
    [confirmed] - | no: the order has ended: Confirmed | cancelled
    [rejected] no: the order has ended: Rejected | - | -
    [cancellation-requested] confirmed | rejected | rejected
    [cancellation-requested, rejected] no: the order has ended: Rejected | - | -
    [cancellation-requested, cancelled] no: the order has ended: Cancelled | - | -
    [confirmed, cancellation-requested] - | no: the order has ended: Confirmed | cancelled
    [confirmed, cancellation-requested, cancelled] no: the order has ended: Cancelled | - | -
    [confirmed, cancellation-requested, cancellation-refused] - | no: the order has ended: Confirmed | cancelled
    [confirmed, return-requested] - | no: the order has ended: Confirmed | cancelled
    [confirmed, return-requested, returned] - | no: the order has ended: Confirmed | -
    [confirmed, return-requested, return-refused] - | no: the order has ended: Confirmed | cancelled
    ");
}

#[test]
fn commands_about_a_cancellation_have_an_answer_in_every_state() {
    insta::assert_snapshot!(table(&commands()[3..7]), @r"
    [] cancellation-requested | no: nobody wishes to cancel the order | no: nobody wishes to cancel the order | -
    [confirmed] cancellation-requested | no: nobody wishes to cancel the order | no: nobody wishes to cancel the order | -
    [rejected] no: the order has ended: Rejected | no: the order has ended: Rejected | no: the order has ended: Rejected | -
    [cancellation-requested] - | cancelled | no: the cancellation has not begun | cancellation-refused
    [cancellation-requested, rejected] no: the order has ended: Rejected | no: the order has ended: Rejected | no: the order has ended: Rejected | -
    [cancellation-requested, cancelled] no: the order has ended: Cancelled | - | - | -
    [confirmed, cancellation-requested] - | - | cancelled | cancellation-refused
    [confirmed, cancellation-requested, cancelled] no: the order has ended: Cancelled | - | - | -
    [confirmed, cancellation-requested, cancellation-refused] no: a cancellation was refused before: why | no: the cancellation was refused | no: the cancellation was refused | -
    [confirmed, return-requested] no: a return is under way | no: nobody wishes to cancel the order | no: nobody wishes to cancel the order | -
    [confirmed, return-requested, returned] no: a return was decided on before | no: nobody wishes to cancel the order | no: nobody wishes to cancel the order | -
    [confirmed, return-requested, return-refused] no: a return was decided on before | no: nobody wishes to cancel the order | no: nobody wishes to cancel the order | -
    ");
}

#[test]
fn commands_about_a_return_have_an_answer_in_every_state() {
    insta::assert_snapshot!(table(&commands()[7..]), @r"
    [] no: the order is not confirmed yet | no: nobody wishes to return the order | -
    [confirmed] return-requested | no: nobody wishes to return the order | -
    [rejected] no: the order has ended: Rejected | no: nobody wishes to return the order | -
    [cancellation-requested] no: a cancellation is under way | no: nobody wishes to return the order | -
    [cancellation-requested, rejected] no: the order has ended: Rejected | no: nobody wishes to return the order | -
    [cancellation-requested, cancelled] no: the order has ended: Cancelled | no: nobody wishes to return the order | -
    [confirmed, cancellation-requested] no: a cancellation is under way | no: nobody wishes to return the order | -
    [confirmed, cancellation-requested, cancelled] no: the order has ended: Cancelled | no: nobody wishes to return the order | -
    [confirmed, cancellation-requested, cancellation-refused] return-requested | no: nobody wishes to return the order | -
    [confirmed, return-requested] - | returned | return-refused
    [confirmed, return-requested, returned] no: the order was returned before | - | -
    [confirmed, return-requested, return-refused] no: a return was refused before: why | no: the return was refused | -
    ");
}

#[test]
fn a_cancellation_answers_how_the_order_stood_however_often_it_begins() {
    let mut events = recorded([placed(), Event::CancellationRequested]);
    for _ in 0..2 {
        let before = fold(&events).unwrap();
        let event = before.decide(&Command::BeginCancellation).unwrap();
        assert_eq!(before.cancelled_from(), Status::Pending);
        events.extend(event.map(|event| Recorded {
            at: second(9),
            event,
        }));
    }
    let confirmed = recorded([
        placed(),
        Event::Confirmed,
        Event::CancellationRequested,
        Event::Cancelled,
    ]);
    assert_eq!(
        fold(&confirmed).unwrap().cancelled_from(),
        Status::Confirmed
    );
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
    let all = recorded([placed()].into_iter().chain(histories().concat()));
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
    fn whatever_an_order_is_told_it_ends_once_and_each_wish_is_settled_once(
        told in proptest::collection::vec(0..10_usize, 0..24),
    ) {
        let mut events = recorded([placed()]);
        let commands = commands();
        for command in told.into_iter().map(|number| &commands[number]) {
            let before = fold(&events).unwrap();
            if let Ok(Some(event)) = before.decide(command) {
                events.push(Recorded { at: second(9), event });
                let after = fold(&events).unwrap();
                prop_assert_eq!(after.decide(command), Ok(None), "{:?} is idempotent", command);
                let ended = matches!(before.status, Status::Rejected | Status::Cancelled);
                prop_assert!(!ended || before.status == after.status);
                prop_assert!(before.status != Status::Confirmed || after.status != Status::Rejected);
            }
        }
        let names: Vec<&str> = events.iter().map(|recorded| recorded.event.name()).collect();
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), names.len(), "nothing happens twice: {:?}", names);
        prop_assert!(!(names.contains(&"cancelled") && names.contains(&"returned")), "{:?}", names);
    }
}
