//! The exports: HTTP, events, and the contract `shop:catalog/api`.

use sdk::rest::Outgoing;
use spin_sdk::http::Request;

use self::bindings::exports::shop::catalog::api;
use crate::{domain, routes, shelf::Shelf};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/catalog", world: "catalog" });
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use sdk::events::HandlerError;

    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);

    #[spin_sdk::redis_subscriber]
    async fn receive(message: Vec<u8>) -> Result<(), HandlerError> {
        crate::subscriber::receive(&message)
    }
}

struct Component;

impl api::Guest for Component {
    fn products(skus: Vec<String>) -> Result<Vec<api::Product>, api::Error> {
        Shelf::open()
            .find_all(&skus)
            .map(|products| products.into_iter().map(product).collect())
            .map_err(api::Error::UnknownSku)
    }
}

#[spin_sdk::http_service]
async fn serve(request: Request) -> Outgoing {
    sdk::rest::serve(request, routes::answer).await
}

fn product(product: domain::Product) -> api::Product {
    api::Product {
        sku: product.sku,
        name: product.name,
        description: product.description,
        price: api::Money {
            amount: product.price.amount,
            currency: product.price.currency,
        },
    }
}
