//! The rules of the stockroom: pieces are received, held for an order, sold, and given back.
//!
//! Decides on values only. Of every SKU, at every moment: available + reserved + sold = received.
//! A hold that has expired counts for nothing; it is dropped when its shelf is next written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How long pieces wait for an order that is under way: longer than any checkout that is still alive,
/// shorter than a customer who has left.
pub const HOLD_MILLIS: u64 = 15 * 60 * 1000;

/// The most pieces of one line, as the contract says.
pub const MOST_PIECES: u32 = 1_000;

/// So many pieces of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: u32,
}

/// Pieces that wait for an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// For whom.
    pub order: String,
    /// How many.
    pub quantity: u32,
    /// From this moment on, in milliseconds since 1970, they wait no longer.
    pub expires: u64,
}

/// The record of one SKU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Pieces ever delivered.
    pub received: u32,
    /// Pieces that customers have bought.
    pub sold: u32,
    /// Pieces that wait for orders; some may have expired.
    pub holds: Vec<Hold>,
}

/// What one shelf looks like from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stock {
    /// What.
    pub sku: String,
    /// Pieces ever delivered.
    pub received: u32,
    /// Pieces that can be reserved.
    pub available: u32,
    /// Pieces that wait for orders.
    pub reserved: u32,
    /// Pieces that customers have bought.
    pub sold: u32,
}

/// How far an order has come.
///
/// ```text
///   (unknown) ──reserve──▶ Held ──sell──▶ Sold
///       │                   │              │
///       └────release────────┴──────────────┴──▶ Released   (for good)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Pieces wait for it, unless they have waited too long.
    Held,
    /// The pieces are the customer's.
    Sold,
    /// It holds nothing, and never will.
    Released,
}

/// The record of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// What it asked for, each SKU once, sorted by SKU.
    pub lines: Vec<Line>,
    /// How far it has come.
    pub progress: Progress,
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such shelf.
    #[error("there is no product {0}")]
    UnknownSku(String),
    /// Too few pieces are free.
    #[error("{wanted} of {sku} wanted, {available} available")]
    OutOfStock {
        /// What.
        sku: String,
        /// How many were asked for.
        wanted: u32,
        /// How many are free.
        available: u32,
    },
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Pieces of this SKU waited too long, and others have them now.
    #[error("the hold on {0} has expired and the pieces are gone")]
    Expired(String),
    /// This order was released before.
    #[error("order {0} was released before")]
    Released(String),
}

/// What one command needs: the order's record, and the shelves its lines name (those that exist).
///
/// A command that is refused changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desk {
    /// The order's record, if it has one.
    pub allocation: Option<Allocation>,
    /// The shelves by SKU.
    pub shelves: BTreeMap<String, Shelf>,
}

// === impl Shelf ===

impl Shelf {
    /// The shelf of a product that has just been added. A product that is known already is delivered nothing more.
    pub fn opened(existing: Option<&Self>, pieces: u32) -> Option<Self> {
        match existing {
            Some(_) => None,
            None => Some(Self {
                received: pieces,
                ..Self::default()
            }),
        }
    }

    /// How many pieces wait for orders at this moment.
    pub fn reserved(&self, now: u64) -> u32 {
        self.holds
            .iter()
            .filter(|hold| hold.is_alive(now))
            .map(|hold| hold.quantity)
            .sum()
    }

    /// How many pieces are free at this moment.
    pub fn available(&self, now: u64) -> u32 {
        self.received - self.sold - self.reserved(now)
    }

    /// What this shelf looks like from outside at this moment.
    pub fn stock(&self, sku: &str, now: u64) -> Stock {
        Stock {
            sku: sku.to_owned(),
            received: self.received,
            available: self.available(now),
            reserved: self.reserved(now),
            sold: self.sold,
        }
    }

    fn drop_expired(&mut self, now: u64) {
        self.holds.retain(|hold| hold.is_alive(now));
    }

    fn let_go(&mut self, order: &str) {
        self.holds.retain(|hold| hold.order != order);
    }
}

// === impl Hold ===

impl Hold {
    fn is_alive(&self, now: u64) -> bool {
        now < self.expires
    }
}

// === impl Desk ===

impl Desk {
    /// Holds the pieces for `order`: all lines or none. A second call changes nothing.
    pub fn reserve(&mut self, order: &str, lines: &[Line], now: u64) -> Result<(), Refusal> {
        let lines = merged(lines)?;
        match &self.allocation {
            None => {}
            Some(known) => return known.answers(order, &lines),
        }
        for line in &lines {
            let shelf = self
                .shelves
                .get(&line.sku)
                .ok_or_else(|| Refusal::UnknownSku(line.sku.clone()))?;
            let available = shelf.available(now);
            if available < line.quantity {
                return Err(Refusal::OutOfStock {
                    sku: line.sku.clone(),
                    wanted: line.quantity,
                    available,
                });
            }
        }
        for line in &lines {
            self.on_shelf(&line.sku, now, |shelf| {
                let expires = now.saturating_add(HOLD_MILLIS);
                shelf.holds.push(Hold {
                    order: order.to_owned(),
                    quantity: line.quantity,
                    expires,
                });
            });
        }
        self.allocation = Some(Allocation {
            lines,
            progress: Progress::Held,
        });
        Ok(())
    }

    /// The held pieces are sold. What has expired is taken again if the pieces are still there.
    pub fn sell(&mut self, order: &str, now: u64) -> Result<(), Refusal> {
        let Some(allocation) = self.allocation.clone() else {
            return Err(Refusal::Invalid(format!("order {order} holds nothing")));
        };
        match allocation.progress {
            Progress::Sold => return Ok(()),
            Progress::Released => return Err(Refusal::Released(order.to_owned())),
            Progress::Held => {}
        }
        for line in &allocation.lines {
            let shelf = self
                .shelves
                .get(&line.sku)
                .ok_or_else(|| Refusal::UnknownSku(line.sku.clone()))?;
            let held = shelf
                .holds
                .iter()
                .any(|hold| hold.order == order && hold.is_alive(now));
            if !held && shelf.available(now) < line.quantity {
                return Err(Refusal::Expired(line.sku.clone()));
            }
        }
        for line in &allocation.lines {
            self.on_shelf(&line.sku, now, |shelf| {
                shelf.let_go(order);
                shelf.sold += line.quantity;
            });
        }
        self.allocation = Some(Allocation {
            progress: Progress::Sold,
            ..allocation
        });
        Ok(())
    }

    /// The pieces that the order holds or bought are available again, and it can hold nothing later.
    pub fn release(&mut self, order: &str, now: u64) {
        let allocation = self.allocation.take();
        let (lines, progress) = match allocation {
            None => (Vec::new(), Progress::Released),
            Some(known) => (known.lines, known.progress),
        };
        for line in &lines {
            self.on_shelf(&line.sku, now, |shelf| match progress {
                Progress::Held => shelf.let_go(order),
                Progress::Sold => shelf.sold -= line.quantity,
                Progress::Released => {}
            });
        }
        self.allocation = Some(Allocation {
            lines,
            progress: Progress::Released,
        });
    }

    fn on_shelf(&mut self, sku: &str, now: u64, change: impl FnOnce(&mut Shelf)) {
        if let Some(shelf) = self.shelves.get_mut(sku) {
            shelf.drop_expired(now);
            change(shelf);
        }
    }
}

// === impl Allocation ===

impl Allocation {
    /// What a second `reserve` is told.
    fn answers(&self, order: &str, lines: &[Line]) -> Result<(), Refusal> {
        match self.progress {
            Progress::Released => Err(Refusal::Released(order.to_owned())),
            Progress::Held | Progress::Sold if self.lines == lines => Ok(()),
            Progress::Held | Progress::Sold => Err(Refusal::Invalid(format!(
                "order {order} holds other lines already"
            ))),
        }
    }
}

/// Each SKU once, sorted. A SKU that is named twice wants the sum.
fn merged(lines: &[Line]) -> Result<Vec<Line>, Refusal> {
    if lines.is_empty() {
        return Err(Refusal::Invalid("there are no lines".to_owned()));
    }
    let mut sums: BTreeMap<&str, u32> = BTreeMap::new();
    for line in lines {
        if line.quantity == 0 || line.quantity > MOST_PIECES {
            let (sku, quantity) = (&line.sku, line.quantity);
            let reason = format!("{quantity} pieces of {sku}: a line has 1 to {MOST_PIECES}");
            return Err(Refusal::Invalid(reason));
        }
        let sum = sums.entry(&line.sku).or_default();
        *sum = sum.saturating_add(line.quantity);
    }
    Ok(sums
        .into_iter()
        .map(|(sku, quantity)| Line {
            sku: sku.to_owned(),
            quantity,
        })
        .collect())
}

#[cfg(test)]
mod tests;
