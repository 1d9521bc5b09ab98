//! Translates between the contracts and the plan; it decides nothing.

use sdk::{events::HandlerError, saga::Scope};

use crate::{
    domain::{self, NOT_CANCELLED, Refusal, Services, Standing, Undo},
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
            "../../wit/shipping",
            "../../wit/companions/orders",
            "../../wit/companions/shipping",
            "../../wit/cancel-order",
        ],
        world: "shop:cancel-order/cancel-order",
        with: {
            "skald:saga/flow@0.1.0": sdk::saga::host::flow,
            "skald:saga/undo@0.1.0": sdk::saga::host::undo,
        },
        generate_all,
    });
}

use bindings::shop::{
    inventory::api as inventory, orders::api as orders, orders_saga::api_undo as orders_undo,
    payments::api as payments, shipping::api as shipping, shipping_saga::api_undo as shipping_undo,
};

/// The services, through their contracts.
struct Contracts;

impl Services for Contracts {
    fn begin(&self, order: &str) -> Result<Standing, Refusal> {
        match orders::begin_cancellation(order).map_err(of_orders)? {
            orders::Status::Pending => Ok(Standing::Pending),
            orders::Status::Confirmed => Ok(Standing::Confirmed),
            ended @ (orders::Status::Rejected | orders::Status::Cancelled) => {
                Err(of_orders(orders::Error::Ended(ended)))
            }
        }
    }

    fn call_off(&self, order: &str) -> Result<(), Refusal> {
        shipping::cancel(order).map_err(of_shipping)
    }

    fn refund(&self, order: &str) -> Result<(), Refusal> {
        payments::refund(order).map_err(|error| Refusal::Invalid(format!("refund: {error:?}")))
    }

    fn release(&self, order: &str) -> Result<(), Refusal> {
        inventory::release(order).map_err(|error| Refusal::Invalid(format!("release: {error:?}")))
    }

    fn finish(&self, order: &str) -> Result<(), Refusal> {
        orders::finish_cancellation(order).map_err(of_orders)
    }

    fn refuse(&self, order: &str, reason: &str) -> Result<(), Refusal> {
        orders::refuse_cancellation(order, reason).map_err(of_orders)
    }

    fn register(&self, scope: &Scope, undo: Undo, order: &str) {
        match undo {
            Undo::Refuse => {
                orders_undo::refuse_cancellation(scope.handle(), order, NOT_CANCELLED);
            }
            Undo::Reinstate => shipping_undo::reinstate(scope.handle(), order),
        }
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
    domain::run(&Contracts, &request.order)
        .map(drop)
        .map_err(|refusal| HandlerError::Refused(refusal.to_string()))
}

fn of_orders(error: orders::Error) -> Refusal {
    match error {
        orders::Error::UnknownOrder(order) => {
            Refusal::NotOpen(format!("there is no order {order}"))
        }
        orders::Error::Ended(how) => Refusal::NotOpen(format!("the order has ended: {how:?}")),
        orders::Error::NotOpen(why) => Refusal::NotOpen(why),
    }
}

fn of_shipping(error: shipping::Error) -> Refusal {
    match error {
        shipping::Error::Shipped(_) => Refusal::Shipped,
        shipping::Error::NoCarrier(reason)
        | shipping::Error::Invalid(reason)
        | shipping::Error::Cancelled(reason) => Refusal::Invalid(reason),
    }
}
