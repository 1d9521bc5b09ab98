//! Every pair of state and command, and what becomes of money.

use super::*;

fn euros(amount: u64) -> Money {
    Money {
        amount,
        currency: "EUR".to_owned(),
    }
}

fn authorise(user: &str, amount: u64) -> Command {
    Command::Authorise(Charge {
        user: user.to_owned(),
        total: euros(amount),
        token: "tok_ok".to_owned(),
    })
}

fn states() -> [State; 6] {
    [
        State::Opened,
        State::Authorised(euros(5)),
        State::Captured(euros(5)),
        State::Refunded(euros(5)),
        State::Voided(Some(euros(5))),
        State::Voided(None),
    ]
}

fn payment(state: State) -> Payment {
    Payment {
        owner: Some("usr_1".to_owned()),
        state,
    }
}

fn receipt(authorised: u64, captured: u64, voided: u64, refunded: u64) -> Receipt {
    Receipt {
        currency: "EUR".to_owned(),
        authorised,
        captured,
        voided,
        refunded,
    }
}

#[test]
fn every_command_has_an_answer_in_every_state() {
    let commands = [
        authorise("usr_1", 5),
        authorise("usr_1", 6),
        Command::Capture,
        Command::Void,
        Command::Refund,
    ];
    let mut lines = Vec::new();
    for state in states() {
        for command in &commands {
            let answer = match payment(state.clone()).decide(command) {
                Ok(step) => format!("{step:?}"),
                Err(refusal) => refusal.to_string(),
            };
            lines.push(format!("{} {}: {answer}", state.name(), command.name()));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    opened authorise: Ask
    opened authorise: Ask
    opened capture: the payment is opened
    opened void: Ask
    opened refund: Settled
    authorised authorise: Settled
    authorised authorise: another amount was authorised for this order
    authorised capture: Ask
    authorised void: Ask
    authorised refund: Ask
    captured authorise: Settled
    captured authorise: another amount was authorised for this order
    captured capture: Settled
    captured void: Settled
    captured refund: Ask
    refunded authorise: the payment is refunded
    refunded authorise: the payment is refunded
    refunded capture: the payment is refunded
    refunded void: Settled
    refunded refund: Settled
    voided authorise: the payment is voided
    voided authorise: the payment is voided
    voided capture: the payment is voided
    voided void: Settled
    voided refund: Settled
    voided authorise: the payment is voided
    voided authorise: the payment is voided
    voided capture: the payment is voided
    voided void: Settled
    voided refund: Settled
    ");
}

#[test]
fn a_payment_is_its_owners() {
    let refusal = payment(State::Opened)
        .decide(&authorise("usr_2", 5))
        .unwrap_err();
    insta::assert_snapshot!(refusal, @"the order is another customer's");
    let nobodys = Payment::default()
        .after(&authorise("usr_2", 5), &receipt(5, 0, 0, 0))
        .unwrap();
    assert_eq!(nobodys.owner.as_deref(), Some("usr_2"));
    assert_eq!(nobodys.owned_by("usr_3").owner.as_deref(), Some("usr_2"));
}

#[test]
fn charges_that_make_no_sense_never_reach_the_provider() {
    let charge = Charge {
        user: "usr_1".to_owned(),
        total: euros(5),
        token: "tok_ok".to_owned(),
    };
    let broken = [
        Charge {
            total: euros(0),
            ..charge.clone()
        },
        Charge {
            total: Money {
                amount: 5,
                currency: String::new(),
            },
            ..charge.clone()
        },
        Charge {
            token: String::new(),
            ..charge
        },
    ];
    for charge in broken {
        let refusal = Payment::default().decide(&Command::Authorise(charge));
        assert!(matches!(refusal, Err(Refusal::Invalid(_))));
    }
}

#[test]
fn a_void_after_a_lost_reply_records_what_the_provider_let_go_of() {
    let lost = payment(State::Opened)
        .after(&Command::Void, &receipt(5, 0, 5, 0))
        .unwrap();
    assert_eq!(
        lost.balance(),
        Balance {
            authorised: 5,
            voided: 5,
            ..Balance::default()
        }
    );
    let nothing = payment(State::Opened)
        .after(&Command::Void, &receipt(0, 0, 0, 0))
        .unwrap();
    assert_eq!(nothing.balance(), Balance::default());
}

#[test]
fn a_refund_after_a_lost_capture_records_what_the_provider_gave_back() {
    let lost = payment(State::Authorised(euros(5)))
        .after(&Command::Refund, &receipt(5, 5, 0, 5))
        .unwrap();
    assert_eq!(
        lost.balance(),
        Balance {
            authorised: 5,
            captured: 5,
            voided: 0,
            refunded: 5
        }
    );
    let nothing = payment(State::Authorised(euros(5)))
        .after(&Command::Refund, &receipt(5, 0, 0, 0))
        .unwrap();
    assert_eq!(nothing.state, State::Authorised(euros(5)));
}

#[test]
fn a_receipt_that_does_not_fit_is_refused() {
    let opened = payment(State::Opened);
    assert!(
        opened
            .after(&authorise("usr_1", 5), &receipt(4, 0, 0, 0))
            .is_err()
    );
    let authorised = payment(State::Authorised(euros(5)));
    assert!(
        authorised
            .after(&Command::Capture, &receipt(5, 0, 0, 0))
            .is_err()
    );
}

#[test]
fn captured_and_voided_are_never_more_than_authorised() {
    for state in states() {
        let balance = payment(state).balance();
        assert!(balance.captured + balance.voided <= balance.authorised);
        assert!(balance.refunded <= balance.captured);
    }
}
