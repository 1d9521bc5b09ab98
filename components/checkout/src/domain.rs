//! The checkout as a saga: a plain sequence of calls, each effect preceded by how it is undone.
//!
//! The plan is here, the services are a port. Whatever is called may be called again: the event that starts a
//! checkout is delivered until the checkout has ended, and a run that was cut off begins again from the top.

use sdk::saga::{Failed, Scope};

use crate::order::Order;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// The lines go back to the user's cart.
    GiveBack {
        /// Whose cart.
        user: String,
        /// The order that holds them.
        order: String,
    },
    /// The pieces are available again.
    Release {
        /// The order that holds or bought them.
        order: String,
    },
    /// The money that was set aside is let go of.
    Void {
        /// The order it was set aside for.
        order: String,
    },
    /// The carrier is called off.
    Cancel {
        /// The order that was to be carried.
        order: String,
    },
    /// The money that was taken is given back.
    Refund {
        /// The order it was taken for.
        order: String,
    },
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
    /// The payment provider said no; why.
    #[error("declined: {0}")]
    Declined(String),
    /// Nobody carries to this country.
    #[error("no carrier to {0}")]
    NoCarrier(String),
    /// An earlier run had begun to undo, and was cut off; what was found.
    #[error("undone before: {0}")]
    UndoneBefore(String),
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
    /// Undoes one effect.
    fn undo(&self, undo: &Undo) -> Result<(), Refusal>;
}

/// How a checkout has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The order stands.
    Confirmed,
    /// Everything is undone, and the order fell because of this.
    Rejected(Refusal),
    /// There was nothing to do.
    EndedBefore(Status),
}

/// Why a checkout has not ended; it has to be run again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// Nobody knows the order.
    #[error("the order cannot be looked up: {0}")]
    Unknown(Refusal),
    /// These could not be undone.
    #[error("not undone: {}", list(.0))]
    NotUndone(Vec<Failed<Undo, Refusal>>),
    /// The order does not let itself be rejected.
    #[error("the order cannot be rejected: {0}")]
    NotRejected(Refusal),
}

/// Carries the order to its end.
pub fn run(services: &impl Services, order: &Order) -> Result<Outcome, Stuck> {
    match services.status(order).map_err(Stuck::Unknown)? {
        Status::Pending => {}
        ended @ (Status::Confirmed | Status::Rejected | Status::Cancelled) => {
            return Ok(Outcome::EndedBefore(ended));
        }
    }
    let mut scope = Scope::new("checkout");
    match carry(services, &mut scope, order) {
        Ok(()) => {
            scope.commit();
            Ok(Outcome::Confirmed)
        }
        Err(refusal) => {
            let scope = if reaches_further(&refusal) {
                everything(order)
            } else {
                scope
            };
            give_up(services, scope, order, refusal)
        }
    }
}

/// The steps. The lines were claimed when the order was placed, so giving them back comes first: it is done last.
fn carry(services: &impl Services, scope: &mut Scope<Undo>, order: &Order) -> Result<(), Refusal> {
    scope.register(Undo::give_back(order));

    step(scope, Undo::release(order), || services.reserve(order))?;
    step(scope, Undo::void(order), || services.authorise(order))?;
    step(scope, Undo::cancel(order), || services.book(order))?;
    step(scope, Undo::refund(order), || services.capture(order))?;

    services.sell(order)?;
    services.consume(order)?;
    services.confirm(order)
}

/// One effect after its undo. What is refused has not happened, so its undo is withdrawn: an undo leaves a mark, and a
/// run that begins again would meet the mark instead of the reason.
fn step(
    scope: &mut Scope<Undo>,
    undo: Undo,
    effect: impl FnOnce() -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    scope.register(undo);
    effect().inspect_err(|_| scope.withdraw())
}

/// Undoes what is registered, and tells the order why.
fn give_up(
    services: &impl Services,
    scope: Scope<Undo>,
    order: &Order,
    refusal: Refusal,
) -> Result<Outcome, Stuck> {
    let report = scope.rollback(|undo| services.undo(undo));
    if !report.is_complete() {
        return Err(Stuck::NotUndone(report.failed));
    }
    match services.reject(order, &refusal.in_words(order)) {
        Ok(()) => Ok(Outcome::Rejected(refusal)),
        Err(Refusal::Ended(Status::Cancelled)) => Ok(Outcome::EndedBefore(Status::Cancelled)),
        Err(reason) => Err(Stuck::NotRejected(reason)),
    }
}

/// Whether an earlier run may have come further than this one, so that its effects have to be undone too.
fn reaches_further(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::UndoneBefore(_) => true,
        Refusal::UnknownProduct(_)
        | Refusal::OutOfStock { .. }
        | Refusal::Expired(_)
        | Refusal::Declined(_)
        | Refusal::NoCarrier(_)
        | Refusal::Ended(_)
        | Refusal::Invalid(_) => false,
    }
}

/// Every undo there is, in the order in which a run registers them.
fn everything(order: &Order) -> Scope<Undo> {
    let mut scope = Scope::new("checkout, begun before");
    for undo in [
        Undo::give_back,
        Undo::release,
        Undo::void,
        Undo::cancel,
        Undo::refund,
    ] {
        scope.register(undo(order));
    }
    scope
}

fn list(failed: &[Failed<Undo, Refusal>]) -> String {
    let line = |failed: &Failed<Undo, Refusal>| format!("{}: {}", failed.undo.name(), failed.error);
    failed.iter().map(line).collect::<Vec<_>>().join("; ")
}

// === impl Undo ===

impl Undo {
    fn give_back(order: &Order) -> Self {
        Self::GiveBack {
            user: order.user.clone(),
            order: order.id.clone(),
        }
    }

    fn release(order: &Order) -> Self {
        Self::Release {
            order: order.id.clone(),
        }
    }

    fn void(order: &Order) -> Self {
        Self::Void {
            order: order.id.clone(),
        }
    }

    fn cancel(order: &Order) -> Self {
        Self::Cancel {
            order: order.id.clone(),
        }
    }

    fn refund(order: &Order) -> Self {
        Self::Refund {
            order: order.id.clone(),
        }
    }

    /// In one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GiveBack { .. } => "give-back",
            Self::Release { .. } => "release",
            Self::Void { .. } => "void",
            Self::Cancel { .. } => "cancel",
            Self::Refund { .. } => "refund",
        }
    }
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
            Self::Declined(reason) => format!("The payment was not possible: {reason}."),
            Self::NoCarrier(country) => format!("Nobody carries to {country}."),
            Self::UndoneBefore(_) | Self::Ended(_) | Self::Invalid(_) => {
                "The order could not be completed.".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests;
