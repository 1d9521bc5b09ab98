//! How orders are weighed: what an order has against it, how much that counts, and what becomes of the customer's history.
//!
//! Rules that are sure enough decline an order by themselves; the others are suspicions, and it takes two. An order is
//! counted once, whoever tells of it first: the event of its placing, or its screening. What it costs counts as spent until
//! it is known that nobody pays for it.
//!
//! ```text
//!   (unknown) ──placed, screened──▶ counted ──declined, withdrawn, rejected,──▶ given back
//!                                             cancelled, returned
//! ```
//!
//! Times and spans are milliseconds, times since 1970; amounts are minor units of the order's currency. Amounts in
//! different currencies are never added or compared.

pub mod customer;
pub mod doorstep;
pub mod limits;
pub mod record;
pub mod rules;

use serde::{Deserialize, Serialize};

pub use customer::Customer;
pub use doorstep::Doorstep;
pub use limits::Limits;
pub use record::{Outcome, Record};

/// From how many points on an order is declined.
const DECLINED_FROM: u32 = 100;

/// No id is longer. Ids become parts of keys, so they are checked at the door.
const LONGEST_ID: usize = 64;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In minor units.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
}

/// An order that is to be screened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub order: String,
    /// Whose it is.
    pub user: String,
    /// For how much.
    pub total: Money,
}

/// What speaks against an order, and how much of it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It costs more than any order may: so much.
    AboveLimit(u64),
    /// It costs so many times what the customer usually spends.
    UnusualAmount(u64),
    /// The customer has placed so many orders within the window.
    ManyOrders(u32),
    /// The customer has spent so much within the window.
    MuchSpent(u64),
    /// So many orders of the customer were rejected in a row.
    ManyRejections(u32),
    /// So many customers have ordered to this address within the window.
    SharedAddress(u32),
    /// A new account begins with an order over so much.
    LargeFirstOrder(u64),
}

/// Everything that speaks against an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The points of all reasons together.
    pub score: u32,
    /// The reasons.
    pub reasons: Vec<Reason>,
}

/// What follows from an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Go on.
    Approved(Assessment),
    /// Do not charge for this order.
    Declined(Assessment),
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The order's screening was withdrawn before.
    #[error("the screening of order {0} was withdrawn before")]
    Withdrawn(String),
}

/// Weighs an order that its customer's history already counts.
pub fn assess(
    request: &Request,
    customer: &Customer,
    doorstep: &Doorstep,
    limits: &Limits,
    now: u64,
) -> Verdict {
    let total = &request.total;
    let found = [
        rules::above_limit(total, limits),
        rules::many_orders(customer, limits, now),
        rules::much_spent(customer, total, limits, now),
        rules::many_rejections(customer, limits, now),
        rules::unusual_amount(customer, total, limits),
        rules::shared_address(doorstep, &request.user, limits, now),
        rules::large_first_order(customer, total, limits, now),
    ];
    let reasons: Vec<Reason> = found.into_iter().flatten().collect();
    let score = reasons.iter().copied().map(Reason::points).sum();
    let assessment = Assessment { score, reasons };
    if score >= DECLINED_FROM {
        Verdict::Declined(assessment)
    } else {
        Verdict::Approved(assessment)
    }
}

// === impl Request ===

impl Request {
    /// Whether its ids can be ones.
    pub fn check(&self) -> Result<(), Refusal> {
        check_id("order", &self.order)?;
        check_id("user", &self.user)
    }
}

/// Whether `id` can be the id of a `what`.
pub fn check_id(what: &str, id: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(plain) {
        return Err(Refusal::Invalid(format!("the {what}'s id is not one")));
    }
    Ok(())
}

// === impl Reason ===

impl Reason {
    /// How much it counts.
    fn points(self) -> u32 {
        match self {
            // What the shop does not want to happen at all, whoever does it.
            Self::AboveLimit(_)
            | Self::ManyOrders(_)
            | Self::MuchSpent(_)
            | Self::ManyRejections(_) => DECLINED_FROM,
            // What honest people do, too: a wedding, a dormitory, somebody who has just found the shop. Two of these are
            // one too many.
            Self::UnusualAmount(_) | Self::SharedAddress(_) | Self::LargeFirstOrder(_) => {
                DECLINED_FROM / 2
            }
        }
    }
}

#[cfg(test)]
mod tests;
