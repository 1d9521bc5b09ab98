//! Translates between the host's world and ours; it decides nothing.

use sdk::{clock, variables};

use crate::{
    domain::{Address, Refusal},
    routes,
    shipments::Shipments,
};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/shipping", world: "shipping" });
}

use bindings::exports::shop::shipping::api;

struct Component;

impl api::Guest for Component {
    fn book(order: String, user: String, to: api::Address) -> Result<api::Shipment, api::Error> {
        let dispatch_after = variables::get_number("dispatch_after");
        let shipment = shipments()
            .book(&order, &user, &address(to), dispatch_after)
            .map_err(refusal)?;
        Ok(api::Shipment {
            carrier: shipment.carrier,
            tracking: shipment.tracking,
        })
    }

    fn cancel(order: String) -> Result<(), api::Error> {
        shipments().cancel(&order).map_err(refusal)
    }

    fn reinstate(order: String) -> Result<(), api::Error> {
        shipments().reinstate(&order);
        Ok(())
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}

#[spin_sdk::http_service]
async fn serve(request: spin_sdk::http::Request) -> sdk::rest::Outgoing {
    sdk::rest::serve(request, |request| routes::answer(request, now())).await
}

fn shipments() -> Shipments {
    Shipments::open(now())
}

fn now() -> u64 {
    clock::millis(clock::now())
}

fn address(to: api::Address) -> Address {
    Address {
        name: to.name,
        street: to.street,
        city: to.city,
        postal_code: to.postal_code,
        country: to.country,
    }
}

fn refusal(refusal: Refusal) -> api::Error {
    match refusal {
        Refusal::NoCarrier(country) => api::Error::NoCarrier(country),
        Refusal::Invalid(reason) => api::Error::Invalid(reason),
        Refusal::Cancelled(order) => api::Error::Cancelled(order),
        Refusal::Shipped(order) => api::Error::Shipped(order),
    }
}
