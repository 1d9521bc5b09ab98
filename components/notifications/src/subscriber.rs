//! Events that are news for a customer.

use sdk::{
    clock,
    events::{self, CloudEvent, EventError, HandlerError},
    ids,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    domain::{Entry, Money, News},
    mailbox::Mailboxes,
};

#[derive(Deserialize)]
struct Registered {
    user: String,
    name: String,
}

/// Of something that has happened to an order; there is more in it than concerns us.
#[derive(Deserialize)]
struct Ordered {
    order: String,
    user: String,
    total: Money,
}

/// Of something that has happened to an order for a reason.
#[derive(Deserialize)]
struct Reasoned {
    order: String,
    user: String,
    reason: String,
}

/// Takes one event.
pub fn receive(message: &[u8]) -> Result<(), HandlerError> {
    let told = match events::kind(message)?.as_str() {
        "shop.identity.user-registered.v1" => tell(message, |Registered { user, name }| {
            (user, News::Registered { name })
        }),
        "shop.order.placed.v1" => ordered(message, |order, total| News::Placed { order, total }),
        "shop.order.confirmed.v1" => {
            ordered(message, |order, total| News::Confirmed { order, total })
        }
        "shop.order.rejected.v1" => {
            reasoned(message, |order, reason| News::Rejected { order, reason })
        }
        "shop.order.cancellation-requested.v1" => {
            ordered(message, |order, _| News::CancellationRequested { order })
        }
        "shop.order.cancelled.v1" => ordered(message, |order, _| News::Cancelled { order }),
        "shop.order.cancellation-refused.v1" => reasoned(message, |order, reason| {
            News::CancellationRefused { order, reason }
        }),
        "shop.order.return-requested.v1" => {
            reasoned(message, |order, _| News::ReturnRequested { order })
        }
        "shop.order.returned.v1" => {
            ordered(message, |order, total| News::Returned { order, total })
        }
        "shop.order.return-refused.v1" => reasoned(message, |order, reason| News::ReturnRefused {
            order,
            reason,
        }),
        other => return Err(HandlerError::UnknownType(other.to_owned())),
    };
    Ok(told?)
}

fn ordered(message: &[u8], news: impl FnOnce(String, Money) -> News) -> Result<(), EventError> {
    tell(message, |Ordered { order, user, total }| {
        (user, news(order, total))
    })
}

fn reasoned(message: &[u8], news: impl FnOnce(String, String) -> News) -> Result<(), EventError> {
    tell(
        message,
        |Reasoned {
             order,
             user,
             reason,
         }| (user, news(order, reason)),
    )
}

fn tell<T: DeserializeOwned>(
    message: &[u8],
    news: impl FnOnce(T) -> (String, News),
) -> Result<(), EventError> {
    let CloudEvent { id, time, data, .. } = events::parse(message)?;
    let (user, news) = news(data);
    let entry = Entry {
        id: ids::derived("ntf", time, &id),
        at: clock::format(time),
        kind: news.kind().to_owned(),
        text: news.text(),
    };
    Mailboxes::open().add(&user, &entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(kind: &str, data: Value) -> Vec<u8> {
        serde_json::to_vec(&CloudEvent::new(kind, "/shop", "subject", data)).unwrap()
    }

    fn kinds(user: &str) -> Vec<String> {
        let (entries, _) = Mailboxes::open().page(user, None, 100);
        entries.into_iter().map(|entry| entry.kind).collect()
    }

    /// One event of each topic, but the first, about one order.
    fn about_orders() -> Vec<Vec<u8>> {
        let total = json!({"amount": 1_999, "currency": "EUR"});
        let data = json!({"order": "ord_1", "user": "usr_1", "total": total, "lines": []});
        let why = json!({"order": "ord_1", "user": "usr_1", "reason": "It was worn."});
        [
            ("placed", &data),
            ("confirmed", &data),
            ("rejected", &why),
            ("cancellation-requested", &data),
            ("cancelled", &data),
            ("cancellation-refused", &why),
            ("return-requested", &why),
            ("returned", &data),
            ("return-refused", &why),
        ]
        .map(|(what, data)| message(&format!("shop.order.{what}.v1"), data.clone()))
        .into()
    }

    #[test]
    fn each_thing_that_happens_is_one_entry_newest_first() {
        let data = json!({"user": "usr_1", "email": "e@borg.is", "name": "Egil"});
        receive(&message("shop.identity.user-registered.v1", data)).unwrap();
        for event in about_orders() {
            receive(&event).unwrap();
        }
        assert_eq!(
            kinds("usr_1"),
            [
                "return-refused",
                "order-returned",
                "return-requested",
                "cancellation-refused",
                "order-cancelled",
                "cancellation-requested",
                "order-rejected",
                "order-confirmed",
                "order-placed",
                "user-registered"
            ]
        );
        assert!(kinds("usr_2").is_empty());
    }

    #[test]
    fn an_event_that_comes_twice_is_one_entry() {
        let data = json!({"user": "usr_1", "email": "e@borg.is", "name": "Egil"});
        let event = message("shop.identity.user-registered.v1", data);
        receive(&event).unwrap();
        receive(&event).unwrap();
        assert_eq!(kinds("usr_1").len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let errors = [
            message("shop.order.confirmed.v1", json!({"order": "ord_1"})),
            message("shop.order.shipped.v1", json!({})),
            b"hello".to_vec(),
        ]
        .map(|message| receive(&message).unwrap_err().to_string());
        insta::assert_snapshot!(errors[1], @r#"no handler for events of type "shop.order.shipped.v1""#);
        insta::assert_snapshot!(errors[2], @"the message is not the event it should be: expected value at line 1 column 1");
        assert!(errors[0].contains("missing field `user`"), "{}", errors[0]);
    }
}
