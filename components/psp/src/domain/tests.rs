//! Sentences about the provider, and one property of its books.

use proptest::prelude::{Just, Strategy, prop, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::*;

fn authorise(token: &str) -> Command {
    Command::Authorise(Charge {
        amount: 1999,
        currency: "EUR".to_owned(),
        token: token.to_owned(),
    })
}

fn key(command: &Command) -> String {
    format!("{:?}", command.operation())
}

/// Serves the commands one after the other and writes down each end.
fn trace(commands: &[Command]) -> String {
    let mut account = Account::default();
    let mut lines = Vec::new();
    for command in commands {
        let outcome = account.serve(command, &key(command));
        let reply = match &outcome.reply {
            Ok(Books {
                authorised,
                captured,
                voided,
                refunded,
                ..
            }) => {
                format!("a{authorised} c{captured} v{voided} r{refunded}")
            }
            Err(denial) => denial.to_string(),
        };
        lines.push(format!(
            "{:?}: {reply}, {:?}",
            command.operation(),
            outcome.delivery
        ));
        account = outcome.account;
    }
    lines.join("\n")
}

#[test]
fn money_is_set_aside_taken_and_given_back() {
    let commands = [
        authorise("tok_ok"),
        Command::Capture,
        Command::Void,
        Command::Refund,
        Command::Capture,
    ];
    insta::assert_snapshot!(trace(&commands), @r"
    Authorise: a1999 c0 v0 r0, Prompt
    Capture: a1999 c1999 v0 r0, Prompt
    Void: the payment was captured, Prompt
    Refund: a1999 c1999 v0 r1999, Prompt
    Capture: the payment was refunded, Prompt
    ");
}

#[test]
fn what_was_voided_first_is_never_authorised() {
    insta::assert_snapshot!(trace(&[Command::Void, authorise("tok_ok"), Command::Refund]), @r"
    Void: a0 c0 v0 r0, Prompt
    Authorise: the payment was voided, Prompt
    Refund: a0 c0 v0 r0, Prompt
    ");
}

#[test]
fn a_flaky_payment_fails_twice_and_then_works() {
    let commands = [
        authorise("tok_flaky"),
        authorise("tok_flaky"),
        authorise("tok_flaky"),
        Command::Capture,
    ];
    insta::assert_snapshot!(trace(&commands), @r"
    Authorise: try again later, Prompt
    Authorise: try again later, Prompt
    Authorise: a1999 c0 v0 r0, Prompt
    Capture: a1999 c1999 v0 r0, Prompt
    ");
}

#[test]
fn a_lost_reply_is_lost_once_for_each_payment_and_the_effect_stays() {
    let commands = [
        authorise("tok_lost_reply"),
        authorise("tok_lost_reply"),
        Command::Capture,
        Command::Capture,
        Command::Refund,
        Command::Refund,
    ];
    insta::assert_snapshot!(trace(&commands), @r"
    Authorise: a1999 c0 v0 r0, Lost
    Authorise: a1999 c0 v0 r0, Prompt
    Capture: a1999 c1999 v0 r0, Prompt
    Capture: a1999 c1999 v0 r0, Prompt
    Refund: a1999 c1999 v0 r1999, Prompt
    Refund: a1999 c1999 v0 r1999, Prompt
    ");
}

#[test]
fn a_slow_reply_is_slow_once() {
    insta::assert_snapshot!(trace(&[authorise("tok_slow"), authorise("tok_slow"), Command::Capture]), @r"
    Authorise: a1999 c0 v0 r0, Slow
    Authorise: a1999 c0 v0 r0, Prompt
    Capture: a1999 c1999 v0 r0, Prompt
    ");
}

#[test]
fn declined_and_unknown_tokens_leave_no_money_behind() {
    insta::assert_snapshot!(trace(&[authorise("tok_declined"), authorise("tok_other"), Command::Capture]), @r"
    Authorise: the card was declined by its bank, Prompt
    Authorise: the token is unknown, Prompt
    Capture: the payment is unknown, Prompt
    ");
}

#[test]
fn an_operation_that_was_done_is_not_done_under_another_key() {
    let account = Account::default().serve(&authorise("tok_ok"), "k1").account;
    let again = account.serve(&authorise("tok_ok"), "k2");
    insta::assert_snapshot!(again.reply.unwrap_err(), @"the operation was done under another key");
    assert_eq!(again.account, account);
}

#[test]
fn another_amount_for_the_same_payment_is_refused() {
    let account = Account::default().serve(&authorise("tok_ok"), "k").account;
    let other = Charge {
        amount: 1,
        currency: "EUR".to_owned(),
        token: "tok_ok".to_owned(),
    };
    let outcome = account.serve(&Command::Authorise(other), "k");
    insta::assert_snapshot!(outcome.reply.unwrap_err(), @"another charge was authorised");
}

fn command() -> impl Strategy<Value = Command> {
    let tokens = [
        "tok_ok",
        "tok_flaky",
        "tok_lost_reply",
        "tok_slow",
        "tok_declined",
        "tok_none",
    ];
    prop_oneof![
        2 => prop::sample::select(tokens.to_vec()).prop_map(authorise),
        2 => Just(Command::Capture),
        1 => Just(Command::Void),
        1 => Just(Command::Refund),
    ]
}

proptest! {
    #[test]
    fn the_books_never_lose_money_and_a_repeated_success_changes_no_sum(
        commands in prop::collection::vec(command(), 0..30),
    ) {
        let mut account = Account::default();
        for command in &commands {
            let before = account.books();
            let outcome = account.serve(command, &key(command));
            account = outcome.account;
            let books = account.books();
            prop_assert!(books.captured + books.voided <= books.authorised);
            prop_assert!(books.refunded <= books.captured);
            prop_assert!(books.authorised >= before.authorised && books.captured >= before.captured);
            prop_assert!(books.voided >= before.voided && books.refunded >= before.refunded);
            if outcome.reply.is_ok() {
                let again = account.serve(command, &key(command));
                prop_assert_eq!(again.reply, outcome.reply);
                prop_assert_eq!(again.account.books(), books);
            } else {
                prop_assert_eq!(&books, &before);
            }
        }
    }
}
