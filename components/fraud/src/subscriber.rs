//! What becomes of orders is heard, not asked for: it is what histories are made of.

use sdk::{
    clock,
    events::{self, CloudEvent, HandlerError},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    domain::{Money, Outcome, Request},
    screening::Screening,
};

/// A new account, as far as it matters here.
#[derive(Deserialize)]
struct Registered {
    user: String,
}

/// A new order, as far as it matters here.
#[derive(Deserialize)]
struct Placed {
    order: String,
    user: String,
    total: Money,
}

/// Something that happened to an order. Why an order was rejected is said in words for customers, and words are not for
/// deciding by.
#[derive(Deserialize)]
struct Happened {
    order: String,
    user: String,
}

/// Takes one event at `now`, in milliseconds since 1970; hearing it twice, or late, changes nothing. What counts is when
/// something happened, not when it is heard: a new subscriber hears of years at once.
pub fn receive(message: &[u8], now: u64) -> Result<(), HandlerError> {
    match events::kind(message)?.as_str() {
        "shop.identity.user-registered.v1" => {
            let (Registered { user }, at) = read(message)?;
            Screening::open(now).register(&user, at);
            Ok(())
        }
        "shop.order.placed.v1" => {
            let (placed, at) = read(message)?;
            let Placed { order, user, total } = placed;
            let request = Request { order, user, total };
            Screening::open(now).place(&request, at);
            Ok(())
        }
        "shop.order.confirmed.v1" => ended(message, Outcome::Confirmed, now),
        "shop.order.rejected.v1" => ended(message, Outcome::Rejected, now),
        "shop.order.cancelled.v1" => ended(message, Outcome::Cancelled, now),
        "shop.order.returned.v1" => ended(message, Outcome::Returned, now),
        other => Err(HandlerError::UnknownType(other.to_owned())),
    }
}

fn ended(message: &[u8], outcome: Outcome, now: u64) -> Result<(), HandlerError> {
    let (Happened { order, user }, at) = read(message)?;
    Screening::open(now).end(&order, &user, outcome, at);
    Ok(())
}

/// What is said, and of when.
fn read<T: DeserializeOwned>(message: &[u8]) -> Result<(T, u64), HandlerError> {
    let CloudEvent { time, data, .. } = events::parse(message)?;
    Ok((data, clock::millis(time)))
}

#[cfg(test)]
mod tests;
