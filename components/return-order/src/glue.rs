//! Translates between the contracts and the plan; it decides nothing.

use sdk::{clock, events::HandlerError, saga::Scope};

use crate::{
    domain::{self, NOT_RETURNED, Refusal, Services},
    request,
};

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../wit/saga",
            "../../wit/cart",
            "../../wit/catalog",
            "../../wit/inventory",
            "../../wit/orders",
            "../../wit/payments",
            "../../wit/companions/orders",
            "../../wit/return-order",
        ],
        world: "shop:return-order/return-order",
        with: {
            "skald:saga/flow@0.1.0": sdk::saga::host::flow,
            "skald:saga/undo@0.1.0": sdk::saga::host::undo,
        },
        generate_all,
    });
}

use bindings::shop::{
    inventory::api as inventory, orders::api as orders, orders_saga::api_undo as orders_undo,
    payments::api as payments,
};

/// The services, through their contracts.
struct Contracts;

impl Services for Contracts {
    fn now(&self) -> u64 {
        clock::millis(clock::now())
    }

    fn refund(&self, order: &str) -> Result<(), Refusal> {
        payments::refund(order).map_err(|error| Refusal(format!("refund: {error:?}")))
    }

    fn release(&self, order: &str) -> Result<(), Refusal> {
        inventory::release(order).map_err(|error| Refusal(format!("release: {error:?}")))
    }

    fn finish(&self, order: &str) -> Result<(), Refusal> {
        orders::finish_return(order).map_err(of_orders)
    }

    fn refuse(&self, order: &str, reason: &str) -> Result<(), Refusal> {
        orders::refuse_return(order, reason).map_err(of_orders)
    }

    fn register_refusal(&self, scope: &Scope, order: &str) {
        orders_undo::refuse_return(scope.handle(), order, NOT_RETURNED);
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    #[spin_sdk::redis_subscriber]
    async fn receive(message: Vec<u8>) -> Result<(), sdk::events::HandlerError> {
        super::receive(&message)
    }
}

fn receive(message: &[u8]) -> Result<(), HandlerError> {
    let request = request::parse(message)?;
    domain::run(&Contracts, &request.order, &request.reason)
        .map(drop)
        .map_err(|refusal| HandlerError::Refused(refusal.to_string()))
}

fn of_orders(error: orders::Error) -> Refusal {
    match error {
        orders::Error::UnknownOrder(order) => Refusal(format!("there is no order {order}")),
        orders::Error::Ended(how) => Refusal(format!("the order has ended: {how:?}")),
        orders::Error::NotOpen(why) => Refusal(why),
    }
}
