//! The checkout as a saga: a plain sequence of calls, each effect preceded by how it is undone.
//!
//! The plan is here, the services are a port. The host writes down every call with its answer: a run that is cut off is
//! played again from the beginning with the answers it had, so each step happens once, and the plan need not ask what an
//! earlier run has done.
//!
//! Steps go one after the other, though the first could run beside each other: most take a millisecond, money must not
//! move before all else has been granted, and a customer is told of one refusal, always the same.

use sdk::saga::{Scope, status};

use super::order::Order;

/// What customers are told if a person or a crash of ours has ended the checkout.
pub const NOT_COMPLETED: &str = "The order could not be completed.";

/// What customers are told if their order does not look like one of theirs: the same, whatever was found.
pub const NOT_ACCEPTED: &str = "The order could not be accepted.";

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The checkout is at work, or will be.
    Pending,
    /// It is paid and on its way.
    Confirmed,
    /// It could not be.
    Rejected,
    /// It was not wanted any more.
    Cancelled,
}

/// How an effect is undone: data, registered before the effect. Each does no harm where there is nothing to undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// The order ends, as [`NOT_COMPLETED`], even if it was confirmed and the answer was lost.
    Abandon,
    /// The lines go back to the user's cart.
    GiveBack,
    /// The pieces are available again.
    Release,
    /// What the order was to cost does not count as spent by its customer.
    Withdraw,
    /// The money that was set aside is let go of.
    Void,
    /// The carrier is called off.
    Cancel,
    /// The money that was taken is given back.
    Refund,
}

/// Why a service refuses a step. None of these goes away by trying again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stockroom does not know a product.
    #[error("unknown product {0}")]
    UnknownProduct(String),
    /// There are too few pieces.
    #[error("{available} of {sku} available")]
    OutOfStock {
        /// Of what.
        sku: String,
        /// How many there are.
        available: u32,
    },
    /// The pieces waited too long and others have them.
    #[error("the hold on {0} has expired")]
    Expired(String),
    /// It does not look like an order of this customer's; with how many points. What was found is in the answer of the
    /// step, for the shop's people alone.
    #[error("declined by screening with {0} points")]
    Suspicious(u32),
    /// The payment provider said no; why.
    #[error("declined: {0}")]
    Declined(String),
    /// Nobody carries to this country.
    #[error("no carrier to {0}")]
    NoCarrier(String),
    /// The order has ended while we were at it.
    #[error("the order has ended: {0:?}")]
    Ended(Status),
    /// A service says that what we ask makes no sense.
    #[error("{0}")]
    Invalid(String),
}

/// The services a checkout calls. A call that fails otherwise than with a refusal does not return.
pub trait Services {
    /// Where the order stands.
    fn status(&self, order: &Order) -> Result<Status, Refusal>;
    /// Holds the pieces.
    fn reserve(&self, order: &Order) -> Result<(), Refusal>;
    /// Weighs the order against its customer's history.
    fn screen(&self, order: &Order) -> Result<(), Refusal>;
    /// Sets the money aside.
    fn authorise(&self, order: &Order) -> Result<(), Refusal>;
    /// Books a carrier.
    fn book(&self, order: &Order) -> Result<(), Refusal>;
    /// Takes the money.
    fn capture(&self, order: &Order) -> Result<(), Refusal>;
    /// The held pieces are sold.
    fn sell(&self, order: &Order) -> Result<(), Refusal>;
    /// The lines are gone from the cart for good.
    fn consume(&self, order: &Order) -> Result<(), Refusal>;
    /// The order stands.
    fn confirm(&self, order: &Order) -> Result<(), Refusal>;
    /// The order falls; why, in words for the customer.
    fn reject(&self, order: &Order, reason: &str) -> Result<(), Refusal>;
    /// Registers how an effect on the order is undone.
    fn register(&self, scope: &Scope, undo: Undo, order: &Order);
}

/// How a checkout has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The order stands.
    Confirmed,
    /// Everything is undone because of this, and the order has fallen if it had not before.
    Undone(Refusal),
    /// There was nothing to do.
    EndedBefore(Status),
}

/// The order does not let itself be rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order cannot be rejected: {0}")]
pub struct NotRejected(Refusal);

/// Carries the order to its end.
///
/// Whatever ends the run, nothing of it stays and the order has an end of its own: the first scope says which. It stands
/// apart from the others because a refusal is told in its own words, once everything else is undone.
pub fn run(services: &impl Services, order: &Order) -> Result<Outcome, NotRejected> {
    let whole = Scope::new("order");
    services.register(&whole, Undo::Abandon, order);
    // The lines were claimed when the order was placed, so giving them back comes first: it is done last.
    let effects = Scope::new("checkout");
    services.register(&effects, Undo::GiveBack, order);

    status("Looking at the order");
    match services.status(order) {
        Ok(Status::Pending) => {}
        Ok(Status::Confirmed) => {
            whole.commit();
            effects.commit();
            return Ok(Outcome::EndedBefore(Status::Confirmed));
        }
        Ok(ended @ (Status::Rejected | Status::Cancelled)) => {
            status("The order ended before the checkout began");
            effects.rollback("the order has ended");
            whole.commit();
            return Ok(Outcome::EndedBefore(ended));
        }
        Err(refusal) => return give_up(services, (Some(whole), effects), order, refusal),
    }
    if let Err(refusal) = carry(services, &effects, order) {
        return give_up(services, (Some(whole), effects), order, refusal);
    }
    // Two scopes are not committed at once, and between them somebody may cancel the run: from here on the order ends
    // with the rest, or stands with it.
    services.register(&effects, Undo::Abandon, order);
    whole.commit();
    match services.confirm(order) {
        Ok(()) => {
            // At once: an order that stands keeps its goods.
            effects.commit();
            status("Confirmed");
            Ok(Outcome::Confirmed)
        }
        Err(refusal) => give_up(services, (None, effects), order, refusal),
    }
}

/// The steps, each after its undo: if an answer is lost, the effect may still have happened.
fn carry(services: &impl Services, effects: &Scope, order: &Order) -> Result<(), Refusal> {
    status("Reserving the goods");
    services.register(effects, Undo::Release, order);
    services.reserve(order)?;

    // Before any money moves, and after what is refused to everybody: whose order is out of stock has not been suspected.
    status("Looking at the customer's history");
    services.register(effects, Undo::Withdraw, order);
    services.screen(order)?;

    status("Setting the money aside");
    services.register(effects, Undo::Void, order);
    services.authorise(order)?;

    status("Booking a carrier");
    services.register(effects, Undo::Cancel, order);
    services.book(order)?;

    status("Taking the money");
    services.register(effects, Undo::Refund, order);
    services.capture(order)?;

    status("Completing the order");
    services.sell(order)?;
    services.consume(order)
}

/// Undoes what is registered, and tells the order why.
fn give_up(
    services: &impl Services,
    (whole, effects): (Option<Scope>, Scope),
    order: &Order,
    refusal: Refusal,
) -> Result<Outcome, NotRejected> {
    let words = refusal.in_words(order);
    status(&format!("Undoing everything. {words}"));
    effects.rollback(&refusal.to_string());
    services.reject(order, &words).map_err(NotRejected)?;
    if let Some(whole) = whole {
        whole.commit();
    }
    status(&format!("Undone. {words}"));
    Ok(Outcome::Undone(refusal))
}

// === impl Refusal ===

impl Refusal {
    /// For the customer, who knows products by their names and nothing of how a shop works inside.
    pub fn in_words(&self, order: &Order) -> String {
        match self {
            Self::UnknownProduct(sku) => format!("{} is not sold any more.", order.name_of(sku)),
            Self::OutOfStock { sku, available: 0 } => {
                format!("{} is out of stock.", order.name_of(sku))
            }
            Self::OutOfStock { sku, available: 1 } => {
                format!("There is only one piece of {} left.", order.name_of(sku))
            }
            Self::OutOfStock { sku, available } => {
                format!(
                    "There are only {available} pieces of {} left.",
                    order.name_of(sku)
                )
            }
            Self::Expired(sku) => {
                format!(
                    "{} was sold out while the order was under way.",
                    order.name_of(sku)
                )
            }
            // Whoever tries out how far they can go must not learn from it what they ran into.
            Self::Suspicious(_) => NOT_ACCEPTED.to_owned(),
            Self::Declined(reason) => format!("The payment was not possible: {reason}."),
            Self::NoCarrier(country) => format!("Nobody carries to {country}."),
            Self::Ended(Status::Cancelled) => "It was cancelled.".to_owned(),
            Self::Ended(_) | Self::Invalid(_) => NOT_COMPLETED.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
