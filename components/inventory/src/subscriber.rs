//! A product that is new in the catalog gets its opening stock.

use sdk::{
    events::{self, HandlerError},
    variables,
};
use serde::Deserialize;

use crate::stockroom::Stockroom;

/// The topic this component listens to.
pub const PRODUCT_ADDED: &str = "shop.catalog.product-added.v1";

/// What matters here about a new product.
#[derive(Deserialize)]
struct ProductAdded {
    sku: String,
}

/// Takes one event; hearing it twice delivers nothing more.
pub fn receive(message: &[u8], now: u64) -> Result<(), HandlerError> {
    let added: ProductAdded = events::parse_only(PRODUCT_ADDED, message)?.data;
    let pieces = variables::get_number("opening_stock");
    let pieces = u32::try_from(pieces)
        .map_err(|_| HandlerError::Refused(format!("an opening stock of {pieces} is too much")))?;
    Stockroom::open(now).receive(&added.sku, pieces);
    Ok(())
}

#[cfg(test)]
mod tests {
    use sdk::{events::CloudEvent, memory};
    use serde_json::json;

    use super::*;

    fn message(kind: &str, sku: &str) -> Vec<u8> {
        let data = json!({"sku": sku, "name": "Tea", "description": "", "price": {"amount": 1, "currency": "EUR"}});
        serde_json::to_vec(&CloudEvent::new(kind, "/shop/catalog", sku, data)).unwrap()
    }

    #[test]
    fn a_new_product_gets_its_opening_stock_once() {
        memory::set_variable("opening_stock", "100");
        let message = message(PRODUCT_ADDED, "tea");
        receive(&message, 0).unwrap();
        receive(&message, 0).unwrap();
        assert_eq!(Stockroom::open(0).find("tea").unwrap().received, 100);
    }

    #[test]
    fn an_event_of_another_type_is_not_swallowed() {
        insta::assert_snapshot!(
            receive(&message("shop.catalog.renamed.v1", "tea"), 0).unwrap_err(),
            @r#"no handler for events of type "shop.catalog.renamed.v1""#
        );
    }
}
