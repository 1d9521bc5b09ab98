//! Translates between the host's world and ours; it decides nothing.

use sdk::clock;

use crate::{
    domain::{Line, Refusal},
    routes,
    stockroom::Stockroom,
};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/inventory", world: "inventory" });
}

use bindings::exports::shop::inventory::api;

struct Component;

impl api::Guest for Component {
    fn reserve(order: String, lines: Vec<api::Line>) -> Result<(), api::Error> {
        let lines: Vec<Line> = lines
            .into_iter()
            .map(|line| Line {
                sku: line.sku,
                quantity: line.quantity,
            })
            .collect();
        stockroom().reserve(&order, &lines).map_err(refusal)
    }

    fn sell(order: String) -> Result<(), api::Error> {
        stockroom().sell(&order).map_err(refusal)
    }

    fn release(order: String) -> Result<(), api::Error> {
        stockroom().release(&order).map_err(refusal)
    }

    fn find(sku: String) -> Result<api::Stock, api::Error> {
        let stock = stockroom().find(&sku).map_err(refusal)?;
        Ok(api::Stock {
            sku: stock.sku,
            received: stock.received,
            available: stock.available,
            reserved: stock.reserved,
            sold: stock.sold,
        })
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);

    #[spin_sdk::redis_subscriber]
    async fn receive(message: Vec<u8>) -> Result<(), sdk::events::HandlerError> {
        crate::subscriber::receive(&message, super::now())
    }
}

#[spin_sdk::http_service]
async fn serve(request: spin_sdk::http::Request) -> sdk::rest::Outgoing {
    sdk::rest::serve(request, |request| routes::answer(request, now())).await
}

fn stockroom() -> Stockroom {
    Stockroom::open(now())
}

fn now() -> u64 {
    clock::millis(clock::now())
}

fn refusal(refusal: Refusal) -> api::Error {
    match refusal {
        Refusal::UnknownSku(sku) => api::Error::UnknownSku(sku),
        Refusal::OutOfStock {
            sku,
            wanted,
            available,
        } => api::Error::OutOfStock(api::Shortage {
            sku,
            wanted,
            available,
        }),
        Refusal::Invalid(reason) => api::Error::Invalid(reason),
        Refusal::Expired(sku) => api::Error::Expired(sku),
        Refusal::Released(order) => api::Error::Released(order),
    }
}
