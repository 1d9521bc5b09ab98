//! Translates between the host's world and ours; it decides nothing.

use sdk::clock;

use crate::{
    book::{Book, Refusal},
    domain::{
        Command, Denial, Money, Order, Status,
        pricing::Product,
        shop::{Claim, NoClaim, Shop},
    },
    routes,
};

mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit/cart", "../../wit/catalog", "../../wit/orders"],
        world: "shop:orders/orders",
        generate_all,
    });
}

use bindings::{
    exports::shop::orders::api,
    shop::{cart::api as cart, catalog::api as catalog},
};

struct Component;

/// The cart and the catalog, through their contracts.
struct Contracts;

impl Shop for Contracts {
    fn claim(&self, user: &str, key: &str, order: &str) -> Result<Claim, NoClaim> {
        let claim = cart::claim(user, key, order).map_err(no_claim)?;
        let lines = claim
            .lines
            .into_iter()
            .map(|line| (line.sku, line.quantity))
            .collect();
        Ok(Claim {
            order: claim.order,
            lines,
        })
    }

    fn give_back(&self, user: &str, order: &str) {
        // A claim that is not given back now goes back by itself within a minute.
        let _ = cart::give_back(user, order);
    }

    fn products(&self, skus: &[String]) -> Result<Vec<Product>, String> {
        let products = catalog::products(skus).map_err(|catalog::Error::UnknownSku(sku)| sku)?;
        Ok(products.into_iter().map(product).collect())
    }
}

impl api::Guest for Component {
    fn confirm(order: String) -> Result<(), api::Error> {
        run(&order, &Command::Confirm).map(drop)
    }

    fn reject(order: String, reason: String) -> Result<(), api::Error> {
        run(&order, &Command::Reject(reason)).map(drop)
    }

    fn abandon(order: String, reason: String) -> Result<(), api::Error> {
        run(&order, &Command::Abandon(reason)).map(drop)
    }

    fn begin_cancellation(order: String) -> Result<api::Status, api::Error> {
        run(&order, &Command::BeginCancellation).map(|before| status(before.cancelled_from()))
    }

    fn finish_cancellation(order: String) -> Result<(), api::Error> {
        run(&order, &Command::FinishCancellation).map(drop)
    }

    fn refuse_cancellation(order: String, reason: String) -> Result<(), api::Error> {
        run(&order, &Command::RefuseCancellation(reason)).map(drop)
    }

    fn finish_return(order: String) -> Result<(), api::Error> {
        run(&order, &Command::FinishReturn).map(drop)
    }

    fn refuse_return(order: String, reason: String) -> Result<(), api::Error> {
        run(&order, &Command::RefuseReturn(reason)).map(drop)
    }

    fn find(order: String) -> Result<api::Status, api::Error> {
        Book::open().status(&order).map(status).map_err(refusal)
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}

#[spin_sdk::http_service]
async fn serve(request: spin_sdk::http::Request) -> sdk::rest::Outgoing {
    sdk::rest::serve(request, |request| {
        routes::answer(request, &Contracts, clock::now())
    })
    .await
}

fn run(order: &str, command: &Command) -> Result<Order, api::Error> {
    Book::open()
        .run(order, command, clock::now())
        .map_err(refusal)
}

fn product(product: catalog::Product) -> Product {
    let catalog::Money { amount, currency } = product.price;
    Product {
        name: product.name,
        price: Money { amount, currency },
    }
}

fn no_claim(error: cart::Error) -> NoClaim {
    match error {
        cart::Error::Empty => NoClaim::Empty,
        cart::Error::Claimed(order) => NoClaim::Claimed(order),
        cart::Error::GivenBack(order) => NoClaim::GivenBack(order),
    }
}

fn refusal(refusal: Refusal) -> api::Error {
    match refusal {
        Refusal::Unknown(order) => api::Error::UnknownOrder(order),
        Refusal::Denied(Denial::Ended(how)) => api::Error::Ended(status(how)),
        Refusal::Denied(Denial::NotOpen(why)) => api::Error::NotOpen(why),
    }
}

fn status(status: Status) -> api::Status {
    match status {
        Status::Pending => api::Status::Pending,
        Status::Confirmed => api::Status::Confirmed,
        Status::Rejected => api::Status::Rejected,
        Status::Cancelled => api::Status::Cancelled,
    }
}
