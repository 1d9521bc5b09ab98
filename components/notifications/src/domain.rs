//! What is worth telling a customer, and in which words.

use serde::{Deserialize, Serialize};

/// Something that happened to a customer; whose mailbox it belongs to stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// They have become a customer.
    Registered {
        /// How they call themselves.
        name: String,
    },
    /// They have ordered.
    Placed {
        /// The order.
        order: String,
        /// What it costs.
        total: Money,
    },
    /// Their order is paid and on its way.
    Confirmed {
        /// The order.
        order: String,
        /// What they paid.
        total: Money,
    },
    /// Their order cannot be.
    Rejected {
        /// The order.
        order: String,
        /// Why, in words for them.
        reason: String,
    },
    /// They wish to cancel an order.
    CancellationRequested {
        /// The order.
        order: String,
    },
    /// Their order is cancelled.
    Cancelled {
        /// The order.
        order: String,
    },
    /// Their order cannot be cancelled any more.
    CancellationRefused {
        /// The order.
        order: String,
        /// Why, in words for them.
        reason: String,
    },
    /// They wish to send an order back.
    ReturnRequested {
        /// The order.
        order: String,
    },
    /// Their order is taken back.
    Returned {
        /// The order.
        order: String,
        /// What they get back.
        total: Money,
    },
    /// Their order is not taken back.
    ReturnRefused {
        /// The order.
        order: String,
        /// Why, in words for them.
        reason: String,
    },
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Money {
    /// In minor units: 1999 is 19.99 EUR.
    pub amount: u64,
    /// ISO 4217, upper case.
    pub currency: String,
}

/// One thing a customer was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `ntf_…`, derived from the event, so that an event heard twice is one entry.
    pub id: String,
    /// When it happened, RFC 3339.
    pub at: String,
    /// What happened: `order-confirmed`.
    pub kind: String,
    /// In words.
    pub text: String,
}

impl News {
    /// What kind of entry it makes.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "user-registered",
            Self::Placed { .. } => "order-placed",
            Self::Confirmed { .. } => "order-confirmed",
            Self::Rejected { .. } => "order-rejected",
            Self::CancellationRequested { .. } => "cancellation-requested",
            Self::Cancelled { .. } => "order-cancelled",
            Self::CancellationRefused { .. } => "cancellation-refused",
            Self::ReturnRequested { .. } => "return-requested",
            Self::Returned { .. } => "order-returned",
            Self::ReturnRefused { .. } => "return-refused",
        }
    }

    /// The words for it.
    pub fn text(&self) -> String {
        match self {
            Self::Registered { name } => format!("Welcome, {name}! Your account is ready."),
            Self::Placed { order, total } => {
                format!("We have your order {order} over {}.", amount(total))
            }
            Self::Confirmed { order, total } => {
                let total = amount(total);
                format!("Your order {order} is paid ({total}) and on its way.")
            }
            Self::Rejected { order, reason } => {
                format!(
                    "We could not fulfil your order {order}: {}.",
                    clause(reason)
                )
            }
            Self::CancellationRequested { order } => format!("You wish to cancel order {order}."),
            Self::Cancelled { order } => {
                format!("Your order {order} is cancelled; you owe nothing.")
            }
            Self::CancellationRefused { order, reason } => {
                format!(
                    "We could not cancel your order {order}: {}.",
                    clause(reason)
                )
            }
            Self::ReturnRequested { order } => {
                format!("You wish to return your order {order}. We will tell you what we decide.")
            }
            Self::Returned { order, total } => {
                let total = amount(total);
                format!("We have taken your order {order} back; you get {total} back.")
            }
            Self::ReturnRefused { order, reason } => {
                format!(
                    "We do not take your order {order} back: {}.",
                    clause(reason)
                )
            }
        }
    }
}

/// Reasons are sentences of others; some bring their own full stop.
fn clause(reason: &str) -> &str {
    reason.trim_end_matches('.')
}

/// The numbers of the entries on a page, newest first, and where the next page begins. Entries are numbered from 0 in the
/// order they came; `before` is where the page begins, `count` if it is the first.
pub fn page(count: u64, before: Option<u64>, size: u64) -> (Vec<u64>, Option<u64>) {
    let end = before.map_or(count, |before| before.min(count));
    let start = end.saturating_sub(size);
    ((start..end).rev().collect(), (start > 0).then_some(start))
}

/// Minor units are hundredths except in the currencies that have none or thousandths (ISO 4217).
fn amount(money: &Money) -> String {
    let digits: u32 = match money.currency.as_str() {
        "CLP" | "ISK" | "JPY" | "KRW" | "VND" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    };
    let unit = 10_u64.pow(digits);
    let (whole, rest) = (money.amount / unit, money.amount % unit);
    match digits {
        0 => format!("{whole} {}", money.currency),
        _ => format!(
            "{whole}.{rest:0width$} {}",
            money.currency,
            width = digits as usize
        ),
    }
}

#[cfg(test)]
mod tests;
