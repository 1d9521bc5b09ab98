//! A customer's history: as much of it as the rules look at, and no more however many orders there are.

use serde::{Deserialize, Serialize};

use super::Money;

/// Into so many slots a window is divided: orders are counted for each slot, so a window looks back on 11 to 12 twelfths of
/// its length. A list of orders would be exact, and as long as a script likes.
const SLOTS: u64 = 12;

/// Of so many purchases the amounts are kept. Enough for a median, and what was usual years ago does not matter.
const PURCHASES: usize = 16;

/// What is known of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// When the account was made, once we have heard of it.
    registered: Option<u64>,
    /// The orders within the window, by when they were placed.
    slots: Vec<Slot>,
    /// What was paid for, the newest last.
    purchases: Vec<Purchase>,
    /// How many orders were rejected since the last that stood.
    in_a_row: u32,
    /// When the last of them was.
    rejected: u64,
}

/// The orders of one span, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    /// When it begins.
    from: u64,
    currency: String,
    orders: u32,
    /// What they cost, without those that nobody pays for.
    spent: u64,
}

/// An order that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Purchase {
    order: String,
    total: Money,
}

impl Customer {
    /// The account was made at `at`.
    pub fn register(&mut self, at: u64) {
        self.registered = Some(at);
    }

    /// Counts an order that was placed at `at`; answers the slot it is in. What is older than the window is forgotten.
    pub fn place(&mut self, total: &Money, at: u64, window: u64, now: u64) -> u64 {
        self.slots.retain(|slot| slot.is_within(window, now));
        let from = at - at % (window / SLOTS).max(1);
        let added = Slot {
            from,
            currency: total.currency.clone(),
            orders: 1,
            spent: total.amount,
        };
        if let Some(slot) = self.slot(from, &total.currency) {
            slot.orders = slot.orders.saturating_add(1);
            slot.spent = slot.spent.saturating_add(total.amount);
        } else if added.is_within(window, now) {
            self.slots.push(added);
        }
        from
    }

    /// Nobody pays for an order in this slot: it was placed, but nothing is spent.
    pub fn give_back(&mut self, total: &Money, from: u64) {
        if let Some(slot) = self.slot(from, &total.currency) {
            slot.spent = slot.spent.saturating_sub(total.amount);
        }
    }

    /// An order stands, and rejections before it are forgotten.
    pub fn buy(&mut self, order: &str, total: &Money) {
        self.forget(order);
        self.purchases.push(Purchase {
            order: order.to_owned(),
            total: total.clone(),
        });
        let surplus = self.purchases.len().saturating_sub(PURCHASES);
        self.purchases.drain(..surplus);
        self.in_a_row = 0;
    }

    /// An order does not stand any more.
    pub fn forget(&mut self, order: &str) {
        self.purchases.retain(|purchase| purchase.order != order);
    }

    /// An order that was let pass was rejected at `at`. A row that was interrupted for a window begins anew.
    pub fn reject(&mut self, at: u64, window: u64) {
        self.in_a_row = self.rejections(window, at).saturating_add(1);
        self.rejected = self.rejected.max(at);
    }

    /// How many orders were placed within the window.
    pub fn orders(&self, window: u64, now: u64) -> u32 {
        let within = self.slots.iter().filter(|slot| slot.is_within(window, now));
        within.fold(0, |sum, slot| sum.saturating_add(slot.orders))
    }

    /// What was spent within the window, in this currency.
    pub fn spent(&self, currency: &str, window: u64, now: u64) -> u64 {
        let within = self.slots.iter().filter(|slot| slot.is_within(window, now));
        within
            .filter(|slot| slot.currency == currency)
            .fold(0, |sum, slot| sum.saturating_add(slot.spent))
    }

    /// How many orders were rejected in a row, the last of them within the window.
    pub fn rejections(&self, window: u64, now: u64) -> u32 {
        if now < self.rejected.saturating_add(window) {
            self.in_a_row
        } else {
            0
        }
    }

    /// What was paid for the latest purchases in this currency.
    pub fn purchases(&self, currency: &str) -> Vec<u64> {
        let totals = self.purchases.iter().map(|purchase| &purchase.total);
        totals
            .filter(|total| total.currency == currency)
            .map(|total| total.amount)
            .collect()
    }

    /// Whether an order of theirs stands.
    pub fn has_bought(&self) -> bool {
        !self.purchases.is_empty()
    }

    /// Whether the account is younger than `span`, or not known yet.
    pub fn is_new(&self, span: u64, now: u64) -> bool {
        self.registered
            .is_none_or(|at| now < at.saturating_add(span))
    }

    fn slot(&mut self, from: u64, currency: &str) -> Option<&mut Slot> {
        self.slots
            .iter_mut()
            .find(|slot| slot.from == from && slot.currency == currency)
    }
}

impl Slot {
    /// Whether it begins within the window.
    fn is_within(&self, window: u64, now: u64) -> bool {
        now < self.from.saturating_add(window)
    }
}
