//! Translates between the contracts and the plan; it decides nothing.

use sdk::events::HandlerError;

use crate::{
    domain::{self, Refusal, Services, Status, Undo},
    order::{self, Order},
};

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../wit/cart",
            "../../wit/catalog",
            "../../wit/inventory",
            "../../wit/orders",
            "../../wit/payments",
            "../../wit/shipping",
            "../../wit/checkout",
        ],
        world: "shop:checkout/checkout",
        generate_all,
    });
}

use bindings::shop::{
    cart::api as cart, inventory::api as inventory, orders::api as orders,
    payments::api as payments, shipping::api as shipping,
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

    fn undo(&self, undo: &Undo) -> Result<(), Refusal> {
        match undo {
            Undo::GiveBack { user, order } => cart::give_back(user, order).map_err(of_cart),
            Undo::Release { order } => inventory::release(order).map_err(of_inventory),
            Undo::Void { order } => payments::void(order).map_err(of_payments),
            Undo::Cancel { order } => shipping::cancel(order).map_err(of_shipping),
            Undo::Refund { order } => payments::refund(order).map_err(of_payments),
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
        Err(stuck) => Err(HandlerError::Refused(stuck.to_string())),
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
        inventory::Error::Released(_) => {
            Refusal::UndoneBefore("the pieces were released".to_owned())
        }
    }
}

fn of_payments(error: payments::Error) -> Refusal {
    match error {
        // A token that nobody knows is the customer's to change, like a card that was declined.
        payments::Error::Declined(reason) | payments::Error::Invalid(reason) => {
            Refusal::Declined(reason)
        }
        payments::Error::WrongState(state) => {
            Refusal::UndoneBefore(format!("the payment is {state}"))
        }
        payments::Error::UnknownOrder(order) => {
            Refusal::Invalid(format!("there is no payment of {order}"))
        }
    }
}

fn of_shipping(error: shipping::Error) -> Refusal {
    match error {
        shipping::Error::NoCarrier(country) => Refusal::NoCarrier(country),
        shipping::Error::Invalid(reason) => Refusal::Invalid(reason),
        shipping::Error::Cancelled(_) => {
            Refusal::UndoneBefore("the shipment was cancelled".to_owned())
        }
    }
}

fn of_cart(error: cart::Error) -> Refusal {
    match error {
        cart::Error::Empty => Refusal::Invalid("the cart is empty".to_owned()),
        cart::Error::Claimed(order) => Refusal::Invalid(format!("order {order} has the lines")),
        cart::Error::GivenBack(_) => Refusal::UndoneBefore("the lines were given back".to_owned()),
    }
}
