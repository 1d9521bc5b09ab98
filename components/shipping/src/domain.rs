//! The rules of shipping: who carries where, what a tracking number looks like, and how a shipment lives.
//!
//! ```text
//!   (unknown) ──book──▶ Booked ───cancel────▶ Cancelled
//!       │                  ◀────reinstate────    ▲
//!       └──────────────cancel (for good)─────────┘
//! ```
//!
//! What is booked leaves some time later, by itself: from then on it is shipped, and stays so. Times are milliseconds
//! since 1970.

use serde::{Deserialize, Serialize};

/// No part of an address is longer, as the API says.
const LONGEST_PART: usize = 200;

/// The digits of a tracking number: 36, so that two checks fit into one character.
const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// 36^13 is more than 2^64, so every hash fits.
const TRACKING_LENGTH: usize = 13;

/// A country that exists for nobody: it is how a refusal is tried out.
const NOWHERE: &str = "XX";

/// Where an order goes.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// A carrier that has been booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Who carries it.
    pub carrier: String,
    /// Under which number.
    pub tracking: String,
}

/// The record of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Record {
    /// The carrier knows of it.
    Booked(Booking),
    /// Nothing will be carried any more.
    Cancelled {
        /// What was booked before; nothing if it was cancelled first.
        booked: Option<Booking>,
    },
}

/// What was booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Whose order it is.
    pub user: String,
    /// The carrier and the number.
    pub shipment: Shipment,
    /// When it leaves. What was booked before this was noted has left.
    #[serde(default)]
    pub leaves: u64,
}

/// What is to be booked.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'a> {
    /// For which order.
    pub order: &'a str,
    /// Whose order it is.
    pub user: &'a str,
    /// Where it goes.
    pub to: &'a Address,
    /// When it leaves, if nobody calls it off before.
    pub leaves: u64,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody carries to this country.
    #[error("nobody carries to {0}")]
    NoCarrier(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The order's shipment was cancelled before.
    #[error("the shipment of order {0} was cancelled before")]
    Cancelled(String),
    /// The order's shipment has left.
    #[error("the shipment of order {0} has left")]
    Shipped(String),
}

/// Books a carrier. What is booked already stays as it is, and is the answer again.
pub fn book(known: Option<&Record>, parcel: &Parcel<'_>) -> Result<Record, Refusal> {
    let Parcel {
        order,
        user,
        to,
        leaves,
    } = *parcel;
    match known {
        Some(known @ Record::Booked(booking)) if booking.user == user => Ok(known.clone()),
        Some(Record::Booked(_)) => Err(Refusal::Invalid(format!(
            "order {order} is another customer's"
        ))),
        Some(Record::Cancelled { .. }) => Err(Refusal::Cancelled(order.to_owned())),
        None => {
            check(order, to)?;
            let carrier =
                carrier(&to.country).ok_or_else(|| Refusal::NoCarrier(to.country.clone()))?;
            let shipment = Shipment {
                carrier: carrier.name.to_owned(),
                tracking: tracking(carrier.prefix, order),
            };
            Ok(Record::Booked(Booking {
                user: user.to_owned(),
                shipment,
                leaves,
            }))
        }
    }
}

/// Calls the carrier off, unless the shipment has left. Where nothing is booked, nothing can be booked later.
pub fn cancel(known: Option<&Record>, order: &str, now: u64) -> Result<Record, Refusal> {
    match known {
        None => Ok(Record::Cancelled { booked: None }),
        Some(Record::Booked(booking)) if booking.has_left(now) => {
            Err(Refusal::Shipped(order.to_owned()))
        }
        Some(Record::Booked(booking)) => Ok(Record::Cancelled {
            booked: Some(booking.clone()),
        }),
        Some(cancelled @ Record::Cancelled { .. }) => Ok(cancelled.clone()),
    }
}

/// Takes a cancellation back. Where nothing that was booked is cancelled, there is nothing to take back.
pub fn reinstate(known: &Record) -> Record {
    match known {
        Record::Cancelled {
            booked: Some(booking),
        } => Record::Booked(booking.clone()),
        Record::Cancelled { booked: None } | Record::Booked(_) => known.clone(),
    }
}

// === impl Record ===

impl Record {
    /// The shipment, if it is this user's and was ever booked, with a word for how it stands.
    pub fn seen_by(&self, user: &str, now: u64) -> Option<(&Shipment, &'static str)> {
        let (booking, status) = match self {
            Self::Booked(booking) if booking.has_left(now) => (booking, "shipped"),
            Self::Booked(booking) => (booking, "booked"),
            Self::Cancelled {
                booked: Some(booking),
            } => (booking, "cancelled"),
            Self::Cancelled { booked: None } => return None,
        };
        (booking.user == user).then_some((&booking.shipment, status))
    }
}

// === impl Booking ===

impl Booking {
    /// Whether it is out of reach.
    pub fn has_left(&self, now: u64) -> bool {
        now >= self.leaves
    }
}

/// Who carries, and how its numbers begin.
#[derive(Clone, Copy, Debug)]
struct Carrier {
    name: &'static str,
    prefix: &'static str,
}

/// The carrier for a country. Countries without one of their own are served by an international carrier.
fn carrier(country: &str) -> Option<Carrier> {
    let (name, prefix) = match country {
        NOWHERE => return None,
        "DE" | "AT" | "CH" => ("Alpenbote", "AB"),
        "DK" | "FI" | "IS" | "NO" | "SE" => ("Nordlys Post", "NP"),
        "BE" | "FR" | "LU" | "NL" => ("Canal Express", "CE"),
        "ES" | "IT" | "PT" => ("Meridiana", "ME"),
        "GB" | "IE" => ("Heron Parcels", "HP"),
        "CA" | "US" => ("Great Lakes Freight", "GL"),
        _ => ("Longship International", "LI"),
    };
    Some(Carrier { name, prefix })
}

/// `NP-3W5E11264SGSF-7`: the same for the same order, and different for others as far as anybody will ever see.
fn tracking(prefix: &str, order: &str) -> String {
    let mut rest = hash(order.as_bytes());
    let mut digits = [0_u8; TRACKING_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = letter(rest % 36);
        rest /= 36;
    }
    let digits: String = digits.iter().map(|digit| char::from(*digit)).collect();
    let check = check_digit(&digits);
    format!("{prefix}-{digits}-{check}")
}

/// Luhn's check for 36 digits: it notices any single wrong character.
fn check_digit(digits: &str) -> char {
    let sum: u64 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let factor = if place % 2 == 0 { 2 } else { 1 };
            let product = value(byte) * factor;
            product / 36 + product % 36
        })
        .sum();
    char::from(letter((36 - sum % 36) % 36))
}

fn letter(value: u64) -> u8 {
    // Callers pass remainders of 36, so there is always one.
    usize::try_from(value)
        .ok()
        .and_then(|at| DIGITS.get(at))
        .copied()
        .unwrap_or(b'0')
}

fn value(byte: u8) -> u64 {
    char::from(byte).to_digit(36).map_or(0, u64::from)
}

/// FNV-1a with 64 bits: it spreads well, and nobody gains by making two orders meet.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn check(order: &str, to: &Address) -> Result<(), Refusal> {
    let invalid = |reason: String| Err(Refusal::Invalid(reason));
    if order.is_empty() {
        return invalid("the order has no id".to_owned());
    }
    let parts = [
        ("name", &to.name),
        ("street", &to.street),
        ("city", &to.city),
        ("postal code", &to.postal_code),
    ];
    for (what, part) in parts {
        if part.trim().is_empty() || part.chars().count() > LONGEST_PART {
            return invalid(format!(
                "the {what} has to have 1 to {LONGEST_PART} characters"
            ));
        }
    }
    if to.country.len() != 2 || !to.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return invalid("the country has to be two upper-case letters".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
