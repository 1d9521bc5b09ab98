//! The event that starts a checkout, as far as it matters here.

use sdk::events::{self, HandlerError};
use serde::Deserialize;

/// The topic this component listens to.
pub const ORDER_PLACED: &str = "shop.order.placed.v1";

/// An order, as it was placed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Order {
    /// Its id.
    #[serde(rename = "order")]
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// What is bought.
    pub lines: Vec<Line>,
    /// For how much.
    pub total: Money,
    /// How it is paid.
    pub payment: Payment,
    /// Where it goes.
    pub ship_to: Address,
}

/// So many pieces of one product.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// What.
    pub sku: String,
    /// What it is called.
    pub name: String,
    /// How many.
    pub quantity: u32,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Money {
    /// In minor units.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
}

/// A means of payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Payment {
    /// The payment provider's word for it.
    pub token: String,
}

/// Where an order goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Address {
    /// The person.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// The place.
    pub city: String,
    /// As the country writes it.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
}

/// Reads the event of a placed order.
pub fn parse(message: &[u8]) -> Result<Order, HandlerError> {
    Ok(events::parse_only(ORDER_PLACED, message)?.data)
}

// === impl Order ===

impl Order {
    /// What the product is called in this order.
    pub fn name_of<'a>(&'a self, sku: &'a str) -> &'a str {
        self.lines
            .iter()
            .find(|line| line.sku == sku)
            .map_or(sku, |line| line.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(message: &str) -> String {
        parse(message.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_message_that_is_no_placed_order_is_refused_with_the_reason() {
        let confirmed = r#"{"specversion":"1.0","type":"shop.order.confirmed.v1"}"#;
        let lines = [refusal(confirmed), refusal("{}"), refusal("")];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        no handler for events of type "shop.order.confirmed.v1"
        the message is not the event it should be: missing field `type` at line 1 column 2
        the message is not the event it should be: EOF while parsing a value at line 1 column 0
        "#);
    }
}
