//! The rules of carts and claims, on values. Time comes in as milliseconds since 1970.
//!
//! ```text
//!            claim                 order placed
//!  lines ───────────► tentative ───────────────► firm
//!    ▲                  │    │                   │  │
//!    │  a minute passes │    │ consume           │  │ consume
//!    └──── give back ───┴────┼───── give back ───┘  │
//!                            └──────────► gone ◄────┘
//! ```
//!
//! An order may be heard of after its claim went back by itself. It gets what is still there, as a claim of its own
//! beside the one under way.

mod view;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use view::{Item, Money, PricedLine, View, view};

/// Pieces of one SKU that make sense in one order.
pub const MAX_QUANTITY: u32 = 1_000;

/// Lines that make sense in one cart; keeps a cart a small document.
pub const MAX_LINES: usize = 100;

/// How long an order may take to be heard of: deliveries take milliseconds, their retries some seconds.
pub const TENTATIVE_MILLIS: u64 = 60_000;

/// So many pieces of a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub sku: String,
    /// How many. A customer puts in 1 to [`MAX_QUANTITY`]; lines given back may make it more.
    pub quantity: u32,
}

/// Lines that belong to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What the claimer calls its request; the same key is the same claim.
    pub key: String,
    /// Whose lines they are now.
    pub order: String,
    /// The lines.
    pub lines: Vec<Line>,
    /// When it was made.
    pub since: u64,
    /// Whether the order has been heard of.
    pub firm: bool,
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The order stands; the lines are gone.
    Consumed,
    /// The order fell through; the lines are back in the cart.
    GivenBack,
}

/// A claim that is over; kept so that its key keeps its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The claim.
    pub claim: Claim,
    /// How it ended.
    pub end: End,
}

/// What is kept of a claim that went back, by its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The claim.
    pub claim: Claim,
    /// Whether somebody gave it back. If it went back by itself, its order may still be heard of.
    pub for_good: bool,
}

/// A customer's cart. One claim at a time; new lines gather beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    lines: Vec<Line>,
    claim: Option<Claim>,
    /// Claims of orders that were heard of late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    late: Vec<Claim>,
}

/// Why a cart stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A quantity outside 1 to [`MAX_QUANTITY`].
    #[error("the quantity has to be 1 to {MAX_QUANTITY}, not {0}")]
    Quantity(u32),
    /// One line too many.
    #[error("a cart holds at most {MAX_LINES} lines")]
    Full,
    /// The total is more than money can count, or in two currencies.
    #[error("the cart has no total: {0}")]
    NoTotal(&'static str),
    /// There is nothing to claim.
    #[error("the cart is empty")]
    Empty,
    /// The order that holds the lines.
    #[error("the lines belong to order {0}")]
    Claimed(String),
    /// The order whose claim was given back.
    #[error("the claim of order {0} was given back")]
    GivenBack(String),
}

impl Cart {
    /// What is in it, in the order it was put there; claimed lines are not.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The claim under way.
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// Sets the quantity of a SKU.
    pub fn put(&mut self, sku: &str, quantity: u32) -> Result<(), Refusal> {
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(Refusal::Quantity(quantity));
        }
        if let Some(line) = self.lines.iter_mut().find(|line| line.sku == sku) {
            line.quantity = quantity;
        } else if self.lines.len() >= MAX_LINES {
            return Err(Refusal::Full);
        } else {
            self.lines.push(Line {
                sku: sku.to_owned(),
                quantity,
            });
        }
        Ok(())
    }

    /// Takes a SKU out; answers whether it was there.
    pub fn remove(&mut self, sku: &str) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| line.sku != sku);
        self.lines.len() < before
    }

    /// Gives the lines to `order`. `ended` is what the key meant before, if its claim is over. Settle first.
    pub fn take(
        &mut self,
        key: &str,
        order: &str,
        ended: Option<Ended>,
        now: u64,
    ) -> Result<Claim, Refusal> {
        if let Some(Ended { claim, end }) = ended {
            return match end {
                End::Consumed => Ok(claim),
                End::GivenBack => Err(Refusal::GivenBack(claim.order)),
            };
        }
        if let Some(claim) = &self.claim {
            return if claim.key == key {
                Ok(claim.clone())
            } else {
                Err(Refusal::Claimed(claim.order.clone()))
            };
        }
        if self.lines.is_empty() {
            return Err(Refusal::Empty);
        }
        let claim = Claim {
            key: key.to_owned(),
            order: order.to_owned(),
            lines: std::mem::take(&mut self.lines),
            since: now,
            firm: false,
        };
        self.claim = Some(claim.clone());
        Ok(claim)
    }

    /// The order has been heard of: its claim stays until it is consumed or given back. Answers whether that is news.
    pub fn hear_of(&mut self, order: &str) -> bool {
        self.claim
            .as_mut()
            .filter(|claim| claim.order == order && !claim.firm)
            .is_some_and(|claim| {
                claim.firm = true;
                true
            })
    }

    /// An order is heard of whose claim went back by itself: it gets what is still there of its lines.
    pub fn reclaim(&mut self, claim: Claim) {
        let lines = claim.lines.iter().filter_map(|line| self.withdraw(line));
        let lines = lines.collect();
        self.lines.retain(|line| line.quantity > 0);
        self.late.push(Claim {
            lines,
            firm: true,
            ..claim
        });
    }

    /// The order stands. `None`: it holds nothing here, and nothing changes.
    pub fn consume(&mut self, order: &str) -> Option<Ended> {
        let claim = self.let_go(order)?;
        Some(Ended {
            claim,
            end: End::Consumed,
        })
    }

    /// The order fell through: its lines are added to what is here. `None` as for [`Self::consume`].
    pub fn give_back(&mut self, order: &str) -> Option<Ended> {
        let claim = self.let_go(order)?;
        self.merge(&claim.lines);
        Some(Ended {
            claim,
            end: End::GivenBack,
        })
    }

    /// Gives back a claim whose order should have been heard of by now.
    pub fn settle(&mut self, now: u64) -> Option<Ended> {
        let expired = self
            .claim
            .as_ref()
            .filter(|claim| !claim.firm && now.saturating_sub(claim.since) > TENTATIVE_MILLIS)?;
        let order = expired.order.clone();
        self.give_back(&order)
    }

    fn let_go(&mut self, order: &str) -> Option<Claim> {
        self.claim
            .take_if(|claim| claim.order == order)
            .or_else(|| {
                let at = self.late.iter().position(|claim| claim.order == order)?;
                Some(self.late.remove(at))
            })
    }

    /// Takes as many pieces out as there are, at most those of `wanted`; the line stays, with none if need be.
    fn withdraw(&mut self, wanted: &Line) -> Option<Line> {
        let line = self.lines.iter_mut().find(|line| line.sku == wanted.sku)?;
        let quantity = line.quantity.min(wanted.quantity);
        line.quantity -= quantity;
        Some(Line {
            sku: wanted.sku.clone(),
            quantity,
        })
    }

    /// Neither a line nor the number of lines is kept to its maximum: nothing a customer chose is thrown away.
    fn merge(&mut self, lines: &[Line]) {
        for back in lines {
            match self.lines.iter_mut().find(|line| line.sku == back.sku) {
                Some(line) => line.quantity = line.quantity.saturating_add(back.quantity),
                None => self.lines.push(back.clone()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
