//! What the catalog does about events: a new application gets the demo range.

use sdk::events::{self, CloudEvent, HandlerError};
use serde_json::Value;

use crate::{domain, shelf::Shelf};

/// The host says this once for each new data directory.
const APPLICATION_CREATED: &str = "skald.application.created.v1";

/// The shop sells something new; the data is the product.
const PRODUCT_ADDED: &str = "shop.catalog.product-added.v1";

/// Takes one event.
pub fn receive(message: &[u8]) -> Result<(), HandlerError> {
    let event: CloudEvent<Value> = events::parse_only(APPLICATION_CREATED, message)?;
    for product in Shelf::open().add(domain::range()) {
        let sku = product.sku.clone();
        let added = CloudEvent::new(PRODUCT_ADDED, "/shop/catalog", &sku, product);
        events::publish(&added.caused_by(&event));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created() -> Vec<u8> {
        let event = CloudEvent::new(APPLICATION_CREATED, "/skald", "shop", serde_json::json!({}));
        serde_json::to_vec(&event).unwrap()
    }

    #[test]
    fn a_new_application_gets_the_demo_range_once() {
        receive(&created()).unwrap();
        let published = sdk::memory::take_published();
        assert_eq!(published.len(), domain::range().len());
        for ((topic, event), product) in published.iter().zip(domain::range()) {
            assert_eq!(topic, PRODUCT_ADDED);
            assert_eq!(event["subject"], product.sku);
            assert_eq!(event["data"], serde_json::to_value(&product).unwrap());
        }
        receive(&created()).unwrap();
        assert!(sdk::memory::take_published().is_empty());
        assert_eq!(Shelf::open().all(), domain::range());
    }

    #[test]
    fn events_of_other_types_are_refused() {
        let event = CloudEvent::new("shop.order.placed.v1", "/", "1", ());
        let message = serde_json::to_vec(&event).unwrap();
        let error = receive(&message).unwrap_err();
        insta::assert_snapshot!(error, @r#"no handler for events of type "shop.order.placed.v1""#);
        assert!(Shelf::open().all().is_empty());
    }
}
