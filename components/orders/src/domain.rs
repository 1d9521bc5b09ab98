//! The rules of orders: what events may happen to one, and what it is after them.
//!
//! ```text
//!   (nothing) ──placed──▶ pending ──confirmed──▶ confirmed
//!                            ├─────rejected───▶ rejected
//!                            └─────cancelled──▶ cancelled
//! ```

pub mod news;
pub mod pricing;
pub mod request;
pub mod shop;
pub mod view;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In minor units.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
}

/// So many pieces of one product, at the price of the moment the order was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub sku: String,
    /// What it was called.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Of one piece.
    pub price: Money,
}

/// Where an order goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The person.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// The place.
    pub city: String,
    /// As the country writes it.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
}

/// What an order is made of. The means of payment is not kept: only the checkout needs it, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Whose order it is.
    pub user: String,
    /// What is bought.
    pub lines: Vec<Line>,
    /// For how much.
    pub total: Money,
    /// Where it goes.
    pub ship_to: Address,
}

/// What can happen to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It came to be.
    Placed(Box<Placed>),
    /// It is paid and on its way.
    Confirmed,
    /// It cannot be.
    Rejected {
        /// Why, in words for the customer.
        reason: String,
    },
    /// It is not wanted any more. The contract knows this end; no command leads to it yet.
    Cancelled,
}

/// An event, and when it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// When.
    #[serde(with = "sdk::clock::rfc3339")]
    pub at: OffsetDateTime,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The checkout is at work.
    Pending,
    /// It is paid and on its way.
    Confirmed,
    /// It could not be.
    Rejected,
    /// It was not wanted any more.
    Cancelled,
}

/// What an order is after its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What it is made of.
    pub placed: Placed,
    /// How it stands.
    pub status: Status,
    /// Why it was rejected, if it was.
    pub reason: Option<String>,
}

/// What may be asked of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is paid and on its way.
    Confirm,
    /// It cannot be; why.
    Reject(String),
}

/// The order has ended otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order has ended: {0:?}")]
pub struct Ended(pub Status);

/// The order after `events`; none if it was never placed.
pub fn fold(events: &[Recorded]) -> Option<Order> {
    events
        .iter()
        .fold(None, |order, recorded| apply(order, &recorded.event))
}

/// The events up to a moment.
pub fn until(events: &[Recorded], moment: OffsetDateTime) -> &[Recorded] {
    let count = events
        .iter()
        .take_while(|recorded| recorded.at <= moment)
        .count();
    events.get(..count).unwrap_or(events)
}

fn apply(order: Option<Order>, event: &Event) -> Option<Order> {
    let ended = |status, reason| {
        order.map(|order| Order {
            status,
            reason,
            ..order
        })
    };
    match event {
        Event::Placed(placed) => Some(Order {
            placed: (**placed).clone(),
            status: Status::Pending,
            reason: None,
        }),
        Event::Confirmed => ended(Status::Confirmed, None),
        Event::Rejected { reason } => ended(Status::Rejected, Some(reason.clone())),
        Event::Cancelled => ended(Status::Cancelled, None),
    }
}

// === impl Order ===

impl Order {
    /// What happens on `command`: an event, or nothing if it has happened before.
    pub fn decide(&self, command: &Command) -> Result<Option<Event>, Ended> {
        match (self.status, command) {
            (Status::Pending, Command::Confirm) => Ok(Some(Event::Confirmed)),
            (Status::Pending, Command::Reject(reason)) => Ok(Some(Event::Rejected {
                reason: reason.clone(),
            })),
            (Status::Confirmed, Command::Confirm) | (Status::Rejected, Command::Reject(_)) => {
                Ok(None)
            }
            (Status::Confirmed, Command::Reject(_))
            | (Status::Rejected, Command::Confirm)
            | (Status::Cancelled, Command::Confirm | Command::Reject(_)) => Err(Ended(self.status)),
        }
    }
}

// === impl Event ===

impl Event {
    /// In one word, as histories show it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Placed(_) => "placed",
            Self::Confirmed => "confirmed",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests;
