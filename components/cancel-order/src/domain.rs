//! A cancellation as a saga: what the checkout has done is undone by calls that are steps themselves.
//!
//! `orders` decides between this run and the checkout, which may be at work at the same moment: an order that is still
//! pending is cancelled there and then, and the checkout finds out when it wants to confirm. Of an order that is confirmed,
//! the carrier is called off first, because that alone can be refused. After it nothing can, and nothing is to be taken
//! back any more: the scope is committed, and the rest goes forward however long it takes. There is one scope, since two
//! are not committed at once, and between them somebody may cancel the run.

use sdk::saga::{Scope, status};

/// What customers are told if a person or a crash of ours has ended the cancellation.
pub const NOT_CANCELLED: &str = "The order could not be cancelled.";

/// How an order stood when its cancellation began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The checkout was at work, or had not begun: now the order is cancelled.
    Pending,
    /// It was paid and on its way.
    Confirmed,
}

/// How an effect is undone: data, registered before the effect. Each does no harm where there is nothing to undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// The wish is refused, as [`NOT_CANCELLED`].
    Refuse,
    /// The carrier is booked as before.
    Reinstate,
}

/// Why a service refuses a step. None of these goes away by trying again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The order has ended otherwise, or nobody wishes to cancel it (any more); what was found.
    #[error("{0}")]
    NotOpen(String),
    /// The parcel has left.
    #[error("the parcel has left")]
    Shipped,
    /// A service says that what we ask makes no sense.
    #[error("{0}")]
    Invalid(String),
}

/// The services a cancellation calls. A call that fails otherwise than with a refusal does not return.
pub trait Services {
    /// Cancels the order if it is pending; answers how it stood.
    fn begin(&self, order: &str) -> Result<Standing, Refusal>;
    /// Calls the carrier off.
    fn call_off(&self, order: &str) -> Result<(), Refusal>;
    /// Gives the money back.
    fn refund(&self, order: &str) -> Result<(), Refusal>;
    /// The pieces are available again.
    fn release(&self, order: &str) -> Result<(), Refusal>;
    /// The order is cancelled.
    fn finish(&self, order: &str) -> Result<(), Refusal>;
    /// The order stays; why, in words for the customer.
    fn refuse(&self, order: &str, reason: &str) -> Result<(), Refusal>;
    /// Registers how an effect on the order is undone.
    fn register(&self, scope: &Scope, undo: Undo, order: &str);
}

/// How a cancellation has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The order had not been confirmed; the checkout undoes what it has done.
    Withdrawn,
    /// What was done for the order is undone.
    Cancelled,
    /// The order stays, because of this.
    Refused(Refusal),
    /// There was nothing to do, because of this.
    NothingToDo(Refusal),
}

/// Looks into the wish to cancel the order.
pub fn run(services: &impl Services, order: &str) -> Result<Outcome, Refusal> {
    let wish = Scope::new("cancellation");
    services.register(&wish, Undo::Refuse, order);
    status("Finding out how far the order has come");
    match services.begin(order) {
        Ok(Standing::Confirmed) => {}
        Ok(Standing::Pending) => {
            wish.commit();
            status("Cancelled before it was paid; the checkout undoes its part");
            return Ok(Outcome::Withdrawn);
        }
        Err(refusal) => {
            wish.commit();
            status(&format!("Nothing to cancel: {refusal}"));
            return Ok(Outcome::NothingToDo(refusal));
        }
    }
    services.register(&wish, Undo::Reinstate, order);
    status("Calling the carrier off");
    if let Err(refusal) = services.call_off(order) {
        // What is refused has not happened, so there is nothing to reinstate.
        services.refuse(order, refusal.in_words())?;
        wish.commit();
        status(&format!("Refused. {}", refusal.in_words()));
        return Ok(Outcome::Refused(refusal));
    }
    wish.commit();
    give_back(services, order)?;
    status("Cancelled");
    Ok(Outcome::Cancelled)
}

/// What cannot be refused, and is not taken back.
fn give_back(services: &impl Services, order: &str) -> Result<(), Refusal> {
    status("Giving the money back");
    services.refund(order)?;
    status("Putting the goods back");
    services.release(order)?;
    services.finish(order)
}

// === impl Refusal ===

impl Refusal {
    /// For the customer.
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::Shipped => "It is on its way already.",
            Self::NotOpen(_) | Self::Invalid(_) => NOT_CANCELLED,
        }
    }
}

#[cfg(test)]
mod tests;
