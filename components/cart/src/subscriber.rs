//! What the cart does about events: it keeps a copy of names and prices, and holds on to claims of orders it hears of.

use sdk::events::{self, HandlerError};
use serde::Deserialize;

use crate::{
    domain::{Item, Money},
    drawer::Drawer,
};

const PRODUCT_ADDED: &str = "shop.catalog.product-added.v1";
const PRODUCT_RENAMED: &str = "shop.catalog.product-renamed.v1";
const ORDER_PLACED: &str = "shop.order.placed.v1";

#[derive(Deserialize)]
struct ProductAdded {
    sku: String,
    name: String,
    price: Money,
}

#[derive(Deserialize)]
struct ProductRenamed {
    sku: String,
    name: String,
}

#[derive(Deserialize)]
struct OrderPlaced {
    order: String,
    user: String,
}

/// Takes one event.
pub fn receive(message: &[u8]) -> Result<(), HandlerError> {
    match events::kind(message)?.as_str() {
        PRODUCT_ADDED => {
            let ProductAdded { sku, name, price } = events::parse(message)?.data;
            Drawer::open().learn(&sku, &Item { name, price });
            Ok(())
        }
        PRODUCT_RENAMED => {
            let ProductRenamed { sku, name } = events::parse(message)?.data;
            Drawer::open().rename(&sku, name);
            Ok(())
        }
        ORDER_PLACED => {
            let OrderPlaced { order, user } = events::parse(message)?.data;
            Drawer::open().hear_of(&user, &order);
            Ok(())
        }
        other => Err(HandlerError::UnknownType(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use sdk::events::CloudEvent;
    use serde_json::{Value, json};

    use super::*;

    fn hear(kind: &str, data: Value) -> Result<(), HandlerError> {
        let event = CloudEvent::new(kind, "/shop", "subject", data);
        receive(&serde_json::to_vec(&event).unwrap())
    }

    #[test]
    fn names_and_prices_are_learned_from_the_catalog() {
        let product = json!({"sku": "ale-horn", "name": "Ale horn", "description": "…",
            "price": {"amount": 3_490, "currency": "EUR"}});
        hear(PRODUCT_ADDED, product).unwrap();
        let item = Drawer::open().item("ale-horn").unwrap();
        assert_eq!((item.name.as_str(), item.price.amount), ("Ale horn", 3_490));
        assert!(hear(PRODUCT_ADDED, json!({"sku": "x"})).is_err());
        assert!(hear("shop.order.confirmed.v1", json!({})).is_err());
    }

    #[test]
    fn a_product_that_is_renamed_keeps_its_price() {
        let price = json!({"amount": 3_490, "currency": "EUR"});
        let product = json!({"sku": "ale-horn", "name": "Ale horn", "price": price});
        hear(PRODUCT_ADDED, product).unwrap();
        for sku in ["ale-horn", "longship"] {
            let renamed = json!({"sku": sku, "name": "Mead horn", "revision": 1});
            hear(PRODUCT_RENAMED, renamed).unwrap();
        }
        let item = Drawer::open().item("ale-horn").unwrap();
        assert_eq!(
            (item.name.as_str(), item.price.amount),
            ("Mead horn", 3_490)
        );
        assert_eq!(Drawer::open().item("longship"), None);
    }

    #[test]
    fn an_order_that_is_heard_of_makes_its_claim_firm() {
        let drawer = Drawer::open();
        drawer
            .change("usr_1", |cart| cart.put("ale-horn", 1))
            .unwrap();
        drawer.claim("usr_1", "key", "ord_1").unwrap();
        let placed =
            json!({"order": "ord_1", "user": "usr_1", "lines": [], "payment": {"token": "tok_ok"}});
        hear(ORDER_PLACED, placed.clone()).unwrap();
        hear(ORDER_PLACED, placed).unwrap();
        assert!(drawer.cart("usr_1").claim().unwrap().firm);
        hear(ORDER_PLACED, json!({"order": "ord_9", "user": "usr_9"})).unwrap();
        assert_eq!(drawer.cart("usr_9"), crate::domain::Cart::default());
    }
}
