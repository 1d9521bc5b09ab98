//! From where on something counts against an order. The manifest has the numbers.

/// The limits. A limit of 0 switches its rule off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How far back the shop looks when it counts orders, money, rejections and neighbours, in milliseconds.
    pub window: u64,
    /// What one order may cost, in minor units.
    pub order: u64,
    /// How many times the usual amount an order may cost.
    pub unusual: u64,
    /// How many orders a customer may place within the window.
    pub orders: u64,
    /// What a customer may spend within the window, in minor units.
    pub spending: u64,
    /// How many orders may be rejected in a row before the next is declined.
    pub rejections: u64,
    /// How many customers may order to one address within the window.
    pub neighbours: u64,
    /// How long an account is new, in milliseconds.
    pub new_account: u64,
    /// What the first order of a new account may cost, in minor units.
    pub first_order: u64,
}

/// Whether `found` is beyond `limit`, if there is one.
pub(super) fn exceeds(found: u64, limit: u64) -> bool {
    limit > 0 && found > limit
}
