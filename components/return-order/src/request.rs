//! The event that starts a return, as far as it matters here.

use sdk::events::{self, HandlerError};
use serde::Deserialize;

/// The topic this component listens to.
pub const RETURN_REQUESTED: &str = "shop.order.return-requested.v1";

/// A wish to send an order back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// Which order.
    pub order: String,
    /// Why, in the customer's words.
    pub reason: String,
}

/// Reads the event of a wish.
pub fn parse(message: &[u8]) -> Result<Request, HandlerError> {
    Ok(events::parse_only(RETURN_REQUESTED, message)?.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_no_wish_to_return_is_refused_with_the_reason() {
        let placed = r#"{"specversion":"1.0","type":"shop.order.placed.v1"}"#;
        let refusal = parse(placed.as_bytes()).unwrap_err();
        insta::assert_snapshot!(refusal, @r#"no handler for events of type "shop.order.placed.v1""#);
        let wish = r#"{"specversion":"1.0","id":"evt_1","source":"/shop/orders","subject":"ord_1",
            "type":"shop.order.return-requested.v1","time":"2026-08-21T09:30:00Z",
            "data":{"order":"ord_1","user":"usr_1","reason":"too small"}}"#;
        assert_eq!(parse(wish.as_bytes()).unwrap().order, "ord_1");
    }
}
