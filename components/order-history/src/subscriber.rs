//! What is heard of customers, products and orders.

use sdk::{
    clock,
    events::{self, CloudEvent, HandlerError},
};
use serde::Deserialize;

use crate::{
    archive::{Archive, Named},
    domain::{Label, Line, Milestone, Money, Placed, Reached},
};

/// What a customer is called, from the first event about them on.
#[derive(Deserialize)]
struct UserNamed {
    user: String,
    name: String,
    /// Of the name; the first has none.
    #[serde(default)]
    revision: u64,
}

/// What a product is called, likewise.
#[derive(Deserialize)]
struct ProductNamed {
    sku: String,
    name: String,
    #[serde(default)]
    revision: u64,
}

#[derive(Deserialize)]
struct OrderPlaced {
    order: String,
    user: String,
    lines: Vec<Line>,
    total: Money,
}

/// Of something that has happened to an order.
#[derive(Deserialize)]
struct OrderReached {
    order: String,
    #[serde(default)]
    reason: Option<String>,
}

/// Takes one event.
pub fn receive(message: &[u8]) -> Result<(), HandlerError> {
    let kind = events::kind(message)?;
    match kind.as_str() {
        "shop.identity.user-registered.v1" | "shop.identity.user-renamed.v1" => {
            let said: UserNamed = events::parse(message)?.data;
            let label = Label::new(&said.name, said.revision);
            Archive::open().name(Named::Customer(&said.user), &label);
        }
        "shop.catalog.product-added.v1" | "shop.catalog.product-renamed.v1" => {
            let said: ProductNamed = events::parse(message)?.data;
            let label = Label::new(&said.name, said.revision);
            Archive::open().name(Named::Product(&said.sku), &label);
        }
        "shop.order.placed.v1" => placed(events::parse(message)?),
        other => match Milestone::of_topic(other) {
            Some(event) => reached(event, events::parse(message)?),
            None => return Err(HandlerError::UnknownType(kind)),
        },
    }
    Ok(())
}

fn placed(event: CloudEvent<OrderPlaced>) {
    let (at, said) = (clock::format(event.time), event.data);
    let placed = Placed {
        user: said.user,
        lines: said.lines,
        total: said.total,
        at,
    };
    Archive::open().learn(&said.order, |record| record.place(placed));
}

fn reached(milestone: Milestone, event: CloudEvent<OrderReached>) {
    let reached = Reached {
        event: milestone,
        at: clock::format(event.time),
        reason: event.data.reason,
    };
    Archive::open().learn(&event.data.order, |record| record.reach(reached));
}

#[cfg(test)]
mod tests;
