//! What customers read, and turning the pages of a mailbox.

use proptest::prelude::*;

use super::*;

fn money(amount: u64, currency: &str) -> Money {
    Money {
        amount,
        currency: currency.to_owned(),
    }
}

#[test]
fn customers_are_told_in_words() {
    let order = "ord_1".to_owned();
    let news = [
        News::Registered {
            name: "Egil".to_owned(),
        },
        News::Placed {
            order: order.clone(),
            total: money(1_999, "EUR"),
        },
        News::Confirmed {
            order: order.clone(),
            total: money(5, "EUR"),
        },
        News::Rejected {
            order: order.clone(),
            reason: "the card was declined".to_owned(),
        },
        News::CancellationRequested {
            order: order.clone(),
        },
        News::Cancelled {
            order: order.clone(),
        },
        News::CancellationRefused {
            order: order.clone(),
            reason: "It is on its way already.".to_owned(),
        },
        News::ReturnRequested {
            order: order.clone(),
        },
        News::Returned {
            order: order.clone(),
            total: money(1_999, "EUR"),
        },
        News::ReturnRefused {
            order,
            reason: "It was worn.".to_owned(),
        },
    ];
    let told: Vec<String> = news
        .iter()
        .map(|news| format!("{}: {}", news.kind(), news.text()))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    user-registered: Welcome, Egil! Your account is ready.
    order-placed: We have your order ord_1 over 19.99 EUR.
    order-confirmed: Your order ord_1 is paid (0.05 EUR) and on its way.
    order-rejected: We could not fulfil your order ord_1: the card was declined.
    cancellation-requested: You wish to cancel order ord_1.
    order-cancelled: Your order ord_1 is cancelled; you owe nothing.
    cancellation-refused: We could not cancel your order ord_1: It is on its way already.
    return-requested: You wish to return your order ord_1. We will tell you what we decide.
    order-returned: We have taken your order ord_1 back; you get 19.99 EUR back.
    return-refused: We do not take your order ord_1 back: It was worn.
    ");
}

#[test]
fn amounts_have_the_digits_of_their_currency() {
    let shown = [
        (1_999, "EUR"),
        (100, "EUR"),
        (7, "NOK"),
        (500, "ISK"),
        (1_234, "KWD"),
        (u64::MAX, "EUR"),
    ]
    .map(|(minor, currency)| amount(&money(minor, currency)));
    insta::assert_snapshot!(shown.join("\n"), @r"
    19.99 EUR
    1.00 EUR
    0.07 NOK
    500 ISK
    1.234 KWD
    184467440737095516.15 EUR
    ");
}

proptest! {
    #[test]
    fn pages_put_together_are_the_mailbox_newest_first(count in 0_u64..300, size in 1_u64..100) {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let (numbers, next) = page(count, before, size);
            prop_assert!(numbers.len() as u64 <= size);
            seen.extend(numbers);
            before = next;
            if before.is_none() {
                break;
            }
        }
        prop_assert_eq!(seen, (0..count).rev().collect::<Vec<_>>());
    }

    #[test]
    fn what_comes_while_paging_moves_nothing(count in 1_u64..300, more in 0_u64..10, size in 1_u64..100) {
        let (_, next) = page(count, None, size);
        if let Some(next) = next {
            prop_assert_eq!(page(count, Some(next), size), page(count + more, Some(next), size));
        }
    }
}
