//! The rules, one function each: what is found against an order, if anything.

use super::{Customer, Doorstep, Limits, Money, Reason, limits::exceeds};

/// So many purchases are a habit; one or two say nothing about the next.
const HABIT: usize = 3;

/// No order of this shop is so large: who means it should call.
pub fn above_limit(total: &Money, limits: &Limits) -> Option<Reason> {
    exceeds(total.amount, limits.order).then_some(Reason::AboveLimit(total.amount))
}

/// Stolen cards are emptied fast: many orders within the window, this one included. Orders that were declined, rejected or
/// cancelled count, too, or a script could try as long as it likes.
pub fn many_orders(customer: &Customer, limits: &Limits, now: u64) -> Option<Reason> {
    let orders = customer.orders(limits.window, now);
    exceeds(u64::from(orders), limits.orders).then_some(Reason::ManyOrders(orders))
}

/// The same in money: what is paid, or being paid for, within the window, this order included.
pub fn much_spent(customer: &Customer, total: &Money, limits: &Limits, now: u64) -> Option<Reason> {
    let spent = customer.spent(&total.currency, limits.window, now);
    exceeds(spent, limits.spending).then_some(Reason::MuchSpent(spent))
}

/// Somebody tries cards out: one order after the other was let pass and rejected nevertheless. What was rejected before
/// or by a screening does not count: that goods are sold out is not the customer's doing, and our own no must not lead to
/// the next.
pub fn many_rejections(customer: &Customer, limits: &Limits, now: u64) -> Option<Reason> {
    let rejections = customer.rejections(limits.window, now);
    (limits.rejections > 0 && u64::from(rejections) >= limits.rejections)
        .then_some(Reason::ManyRejections(rejections))
}

/// Somebody else shops on this account: the order costs many times the median of what was bought before. The median, since
/// one wedding must not make every later order usual.
pub fn unusual_amount(customer: &Customer, total: &Money, limits: &Limits) -> Option<Reason> {
    let mut amounts = customer.purchases(&total.currency);
    if amounts.len() < HABIT {
        return None;
    }
    amounts.sort_unstable();
    let median = amounts.get(amounts.len() / 2).copied()?.max(1);
    (limits.unusual > 0 && total.amount > median.saturating_mul(limits.unusual))
        .then_some(Reason::UnusualAmount(total.amount / median))
}

/// Accounts that are made by the dozen still need one place where the parcels arrive.
pub fn shared_address(
    doorstep: &Doorstep,
    user: &str,
    limits: &Limits,
    now: u64,
) -> Option<Reason> {
    let customers = doorstep.customers_with(user, limits.window, now);
    exceeds(u64::from(customers), limits.neighbours).then_some(Reason::SharedAddress(customers))
}

/// Who means to be a customer begins small. An account that nobody has told us of yet is as new as can be.
pub fn large_first_order(
    customer: &Customer,
    total: &Money,
    limits: &Limits,
    now: u64,
) -> Option<Reason> {
    let is_first = !customer.has_bought() && customer.is_new(limits.new_account, now);
    (is_first && exceeds(total.amount, limits.first_order))
        .then_some(Reason::LargeFirstOrder(total.amount))
}
