//! A placed order has a payment from the start, so that its owner may ask about it.

use sdk::events::{self, HandlerError};
use serde::Deserialize;

use crate::service;

/// The topic this component listens to.
pub const ORDER_PLACED: &str = "shop.order.placed.v1";

/// What matters here about a placed order.
#[derive(Deserialize)]
struct OrderPlaced {
    order: String,
    user: String,
}

/// Takes one event; hearing it twice, or late, changes nothing.
pub fn receive(message: &[u8]) -> Result<(), HandlerError> {
    let placed: OrderPlaced = events::parse_only(ORDER_PLACED, message)?.data;
    service::open(&placed.order, &placed.user);
    Ok(())
}

#[cfg(test)]
mod tests {
    use sdk::events::CloudEvent;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_placed_order_has_an_owner_and_no_money_yet() {
        let data =
            json!({"order": "ord_1", "user": "usr_1", "total": {"amount": 1, "currency": "EUR"}});
        let event = CloudEvent::new(ORDER_PLACED, "/shop/orders", "ord_1", data);
        let message = serde_json::to_vec(&event).unwrap();
        receive(&message).unwrap();
        receive(&message).unwrap();
        let other = CloudEvent::new(
            "shop.order.confirmed.v1",
            "/shop/orders",
            "ord_1",
            json!({}),
        );
        let refused = receive(&serde_json::to_vec(&other).unwrap());
        assert!(matches!(refused, Err(HandlerError::UnknownType(_))));
        let payment = service::find("ord_1").unwrap();
        assert_eq!(payment.owner.as_deref(), Some("usr_1"));
        assert_eq!(payment.balance().authorised, 0);
    }
}
