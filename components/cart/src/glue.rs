//! The exports: HTTP, events, and the contract `shop:cart/api`.

use sdk::rest::Outgoing;
use spin_sdk::http::Request;

use self::bindings::exports::shop::cart::api;
use crate::{
    domain::{Claim, Refusal},
    drawer::Drawer,
    routes,
};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/cart", world: "cart" });
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
    fn claim(user: String, key: String, order: String) -> Result<api::ClaimedLines, api::Error> {
        Drawer::open()
            .claim(&user, &key, &order)
            .map(claim)
            .map_err(refusal)
    }

    fn consume(user: String, order: String) -> Result<(), api::Error> {
        Drawer::open().consume(&user, &order).map_err(refusal)
    }

    fn give_back(user: String, order: String) -> Result<(), api::Error> {
        Drawer::open().give_back(&user, &order);
        Ok(())
    }
}

#[spin_sdk::http_service]
async fn serve(request: Request) -> Outgoing {
    sdk::rest::serve(request, routes::answer).await
}

fn claim(claim: Claim) -> api::ClaimedLines {
    let lines = claim.lines.into_iter().map(|line| api::Line {
        sku: line.sku,
        quantity: line.quantity,
    });
    api::ClaimedLines {
        order: claim.order,
        lines: lines.collect(),
    }
}

fn refusal(refusal: Refusal) -> api::Error {
    match refusal {
        Refusal::Empty => api::Error::Empty,
        Refusal::Claimed(order) => api::Error::Claimed(order),
        Refusal::GivenBack(order) => api::Error::GivenBack(order),
        // Rules about putting things in; a claim cannot break them.
        Refusal::Quantity(_) | Refusal::Full | Refusal::NoTotal(_) => {
            sdk::unavailable(&format!("a claim was refused: {refusal}"))
        }
    }
}
