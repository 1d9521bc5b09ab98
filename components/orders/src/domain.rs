//! The rules of orders: what events may happen to one, and what it is after them.
//!
//! ```text
//!   (nothing) ──placed──▶ pending ──confirmed──▶ confirmed ──┐
//!                            ├─────rejected───▶ rejected     │
//!                            └─────cancelled──▶ cancelled ◀──┘
//! ```
//!
//! Beside its status an order has what its customer wishes: first perhaps to cancel it, or later to return it, never both
//! at once. Each wish is asked for once, and settled once.

mod decide;
pub mod news;
pub mod pricing;
pub mod request;
pub mod shop;
pub mod view;
pub mod wish;

use std::ops::Range;

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
    /// Its customer wishes to cancel it.
    CancellationRequested,
    /// It is not wanted any more, and nothing is left of what was done for it.
    Cancelled,
    /// It stays, though its customer wished otherwise.
    CancellationRefused {
        /// Why, in words for the customer.
        reason: String,
    },
    /// Its customer wishes to send it back.
    ReturnRequested {
        /// Why, in the customer's words.
        reason: String,
    },
    /// The goods are back, and the money is.
    Returned,
    /// The goods are not taken back.
    ReturnRefused {
        /// Why, in words for the customer.
        reason: String,
    },
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

/// How far a wish of the customer has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// There is none.
    #[default]
    None,
    /// It is being looked into.
    Open,
    /// It came true.
    Granted,
    /// It did not; why.
    Refused(String),
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
    /// Whether it was confirmed once, however it stands now.
    pub was_confirmed: bool,
    /// The wish to cancel it.
    pub cancellation: Wish,
    /// The wish to send it back.
    pub sending_back: Wish,
}

/// What may be asked of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is paid and on its way.
    Confirm,
    /// It cannot be; why.
    Reject(String),
    /// It is not to be, however far it has come; why.
    Abandon(String),
    /// The customer wishes to cancel it.
    RequestCancellation,
    /// The wish is looked into; an order that is pending is cancelled at once.
    BeginCancellation,
    /// Nothing is left of what was done for it.
    FinishCancellation,
    /// The wish cannot be met; why.
    RefuseCancellation(String),
    /// The customer wishes to send it back; why.
    RequestReturn(String),
    /// The goods and the money are back.
    FinishReturn,
    /// The goods are not taken back; why.
    RefuseReturn(String),
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The order has ended otherwise.
    #[error("the order has ended: {0:?}")]
    Ended(Status),
    /// Something else rules it out; what, in words for the customer.
    #[error("{0}")]
    NotOpen(String),
}

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

/// Adds what happens now. A clock that was set back must not put an event before the ones it follows.
pub fn append(events: &mut Vec<Recorded>, event: Event, now: OffsetDateTime) {
    let at = events.last().map_or(now, |last| now.max(last.at));
    events.push(Recorded { at, event });
}

/// The numbers of at most `size` of `count` orders, the newest from the one with number `from` on.
pub fn newest(count: u64, from: Option<u64>, size: usize) -> Range<u64> {
    let end = from.map_or(count, |from| count.min(from.saturating_add(1)));
    end.saturating_sub(u64::try_from(size).unwrap_or(u64::MAX))..end
}

fn apply(order: Option<Order>, event: &Event) -> Option<Order> {
    if let Event::Placed(placed) = event {
        return Some(Order {
            placed: (**placed).clone(),
            status: Status::Pending,
            reason: None,
            was_confirmed: false,
            cancellation: Wish::None,
            sending_back: Wish::None,
        });
    }
    let mut order = order?;
    match event {
        Event::Placed(_) => {}
        Event::Confirmed => {
            order.status = Status::Confirmed;
            order.was_confirmed = true;
        }
        Event::Rejected { reason } => {
            order.status = Status::Rejected;
            order.reason = Some(reason.clone());
        }
        Event::CancellationRequested => order.cancellation = Wish::Open,
        Event::Cancelled => {
            order.status = Status::Cancelled;
            order.cancellation = Wish::Granted;
            if order.sending_back == Wish::Open {
                // The money is back already, and the goods have not left.
                order.sending_back = Wish::Granted;
            }
        }
        Event::CancellationRefused { reason } => {
            order.cancellation = Wish::Refused(reason.clone());
        }
        Event::ReturnRequested { .. } => order.sending_back = Wish::Open,
        Event::Returned => order.sending_back = Wish::Granted,
        Event::ReturnRefused { reason } => order.sending_back = Wish::Refused(reason.clone()),
    }
    Some(order)
}

// === impl Order ===

impl Order {
    /// Whether something is going on that ends by itself soon, so that it is worth asking again.
    pub fn is_changing(&self) -> bool {
        let cancelling = self.cancellation == Wish::Open && self.status == Status::Confirmed;
        self.status == Status::Pending || cancelling
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
            Self::CancellationRequested => "cancellation-requested",
            Self::Cancelled => "cancelled",
            Self::CancellationRefused { .. } => "cancellation-refused",
            Self::ReturnRequested { .. } => "return-requested",
            Self::Returned => "returned",
            Self::ReturnRefused { .. } => "return-refused",
        }
    }

    /// Why, where a wish was made or refused. Why an order was rejected stands with its status.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::CancellationRefused { reason }
            | Self::ReturnRequested { reason }
            | Self::ReturnRefused { reason } => Some(reason),
            Self::Placed(_)
            | Self::Confirmed
            | Self::Rejected { .. }
            | Self::CancellationRequested
            | Self::Cancelled
            | Self::Returned => None,
        }
    }
}

#[cfg(test)]
mod tests;
