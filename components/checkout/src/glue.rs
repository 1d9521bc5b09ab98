//! Translates between the contracts and the plan; it decides nothing.

use sdk::{events::HandlerError, saga::Scope};

use crate::{
    domain::{self, NOT_COMPLETED, Refusal, Services, Status, Undo},
    order::{self, Order},
};

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../wit/saga",
            "../../wit/cart",
            "../../wit/fraud",
            "../../wit/inventory",
            "../../wit/catalog",
            "../../wit/orders",
            "../../wit/payments",
            "../../wit/shipping",
            "../../wit/companions/cart",
            "../../wit/companions/fraud",
            "../../wit/companions/inventory",
            "../../wit/companions/orders",
            "../../wit/companions/payments",
            "../../wit/companions/shipping",
            "../../wit/checkout",
        ],
        world: "shop:checkout/checkout",
        with: {
            "skald:saga/flow@0.1.0": sdk::saga::host::flow,
            "skald:saga/undo@0.1.0": sdk::saga::host::undo,
        },
        generate_all,
    });
}

use bindings::shop::{
    cart::api as cart, cart_saga::api_undo as cart_undo, fraud::api as fraud,
    fraud_saga::api_undo as fraud_undo, inventory::api as inventory,
    inventory_saga::api_undo as inventory_undo, orders::api as orders,
    orders_saga::api_undo as orders_undo, payments::api as payments,
    payments_saga::api_undo as payments_undo, shipping::api as shipping,
    shipping_saga::api_undo as shipping_undo,
};

/// The services, through their contracts.
struct Contracts;

impl Services for Contracts {
    fn status(&self, order: &Order) -> Result<Status, Refusal> {
        orders::find(&order.id).map(status).map_err(of_orders)
    }

    fn reserve(&self, order: &Order) -> Result<(), Refusal> {
        let line = |line: &order::Line| inventory::Line {
            sku: line.sku.clone(),
            quantity: line.quantity,
        };
        let lines: Vec<inventory::Line> = order.lines.iter().map(line).collect();
        inventory::reserve(&order.id, &lines).map_err(of_inventory)
    }

    fn screen(&self, order: &Order) -> Result<(), Refusal> {
        let total = fraud::Money {
            amount: order.total.amount,
            currency: order.total.currency.clone(),
        };
        let ship_to = fraud::Address {
            name: order.ship_to.name.clone(),
            street: order.ship_to.street.clone(),
            city: order.ship_to.city.clone(),
            postal_code: order.ship_to.postal_code.clone(),
            country: order.ship_to.country.clone(),
        };
        let request = fraud::Request {
            order: order.id.clone(),
            user: order.user.clone(),
            total,
            ship_to,
        };
        match fraud::screen(&request).map_err(of_fraud)? {
            fraud::Verdict::Approved(_) => Ok(()),
            fraud::Verdict::Declined(found) => Err(Refusal::Suspicious(found.score)),
        }
    }

    fn authorise(&self, order: &Order) -> Result<(), Refusal> {
        let total = payments::Money {
            amount: order.total.amount,
            currency: order.total.currency.clone(),
        };
        let request = payments::Request {
            order: order.id.clone(),
            user: order.user.clone(),
            total,
            token: order.payment.token.clone(),
        };
        payments::authorise(&request).map(drop).map_err(of_payments)
    }

    fn book(&self, order: &Order) -> Result<(), Refusal> {
        let to = shipping::Address {
            name: order.ship_to.name.clone(),
            street: order.ship_to.street.clone(),
            city: order.ship_to.city.clone(),
            postal_code: order.ship_to.postal_code.clone(),
            country: order.ship_to.country.clone(),
        };
        shipping::book(&order.id, &order.user, &to)
            .map(drop)
            .map_err(of_shipping)
    }

    fn capture(&self, order: &Order) -> Result<(), Refusal> {
        payments::capture(&order.id).map(drop).map_err(of_payments)
    }

    fn sell(&self, order: &Order) -> Result<(), Refusal> {
        inventory::sell(&order.id).map_err(of_inventory)
    }

    fn consume(&self, order: &Order) -> Result<(), Refusal> {
        cart::consume(&order.user, &order.id).map_err(of_cart)
    }

    fn confirm(&self, order: &Order) -> Result<(), Refusal> {
        orders::confirm(&order.id).map_err(of_orders)
    }

    fn reject(&self, order: &Order, reason: &str) -> Result<(), Refusal> {
        orders::reject(&order.id, reason).map_err(of_orders)
    }

    fn register(&self, scope: &Scope, undo: Undo, order: &Order) {
        let (on, id) = (scope.handle(), order.id.as_str());
        match undo {
            Undo::Abandon => orders_undo::abandon(on, id, NOT_COMPLETED),
            Undo::GiveBack => cart_undo::give_back(on, &order.user, id),
            Undo::Release => inventory_undo::release(on, id),
            Undo::Withdraw => fraud_undo::withdraw(on, id),
            Undo::Void => payments_undo::void(on, id),
            Undo::Cancel => shipping_undo::cancel(on, id),
            Undo::Refund => payments_undo::refund(on, id),
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
    let order = order::parse(message)?;
    match domain::run(&Contracts, &order) {
        Ok(_) => Ok(()),
        Err(reason) => Err(HandlerError::Refused(reason.to_string())),
    }
}

fn status(status: orders::Status) -> Status {
    match status {
        orders::Status::Pending => Status::Pending,
        orders::Status::Confirmed => Status::Confirmed,
        orders::Status::Rejected => Status::Rejected,
        orders::Status::Cancelled => Status::Cancelled,
    }
}

fn of_orders(error: orders::Error) -> Refusal {
    match error {
        orders::Error::UnknownOrder(order) => {
            Refusal::Invalid(format!("there is no order {order}"))
        }
        orders::Error::Ended(how) => Refusal::Ended(status(how)),
        orders::Error::NotOpen(why) => Refusal::Invalid(why),
    }
}

fn of_inventory(error: inventory::Error) -> Refusal {
    match error {
        inventory::Error::UnknownSku(sku) => Refusal::UnknownProduct(sku),
        inventory::Error::OutOfStock(shortage) => Refusal::OutOfStock {
            sku: shortage.sku,
            available: shortage.available,
        },
        inventory::Error::Invalid(reason) => Refusal::Invalid(reason),
        inventory::Error::Expired(sku) => Refusal::Expired(sku),
        inventory::Error::Released(order) => {
            Refusal::Invalid(format!("the pieces of {order} were released"))
        }
    }
}

fn of_fraud(error: fraud::Error) -> Refusal {
    match error {
        fraud::Error::Invalid(reason) => Refusal::Invalid(reason),
        fraud::Error::Withdrawn(order) => {
            Refusal::Invalid(format!("the screening of {order} was withdrawn"))
        }
    }
}

fn of_payments(error: payments::Error) -> Refusal {
    match error {
        // A token that nobody knows is the customer's to change, like a card that was declined.
        payments::Error::Declined(reason) | payments::Error::Invalid(reason) => {
            Refusal::Declined(reason)
        }
        payments::Error::WrongState(state) => Refusal::Invalid(format!("the payment is {state}")),
        payments::Error::UnknownOrder(order) => {
            Refusal::Invalid(format!("there is no payment of {order}"))
        }
    }
}

fn of_shipping(error: shipping::Error) -> Refusal {
    match error {
        shipping::Error::NoCarrier(country) => Refusal::NoCarrier(country),
        shipping::Error::Invalid(reason) => Refusal::Invalid(reason),
        shipping::Error::Cancelled(order) => {
            Refusal::Invalid(format!("the shipment of {order} was cancelled"))
        }
        shipping::Error::Shipped(order) => {
            Refusal::Invalid(format!("the shipment of {order} has left"))
        }
    }
}

fn of_cart(error: cart::Error) -> Refusal {
    match error {
        cart::Error::Empty => Refusal::Invalid("the cart is empty".to_owned()),
        cart::Error::Claimed(order) => Refusal::Invalid(format!("order {order} has the lines")),
        cart::Error::GivenBack(order) => {
            Refusal::Invalid(format!("the lines of {order} were given back"))
        }
    }
}
