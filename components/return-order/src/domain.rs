//! A return as a saga: it waits for a person, then calls what gives goods and money back.
//!
//! Until somebody agrees there is nothing to undo but the wish itself. Once somebody has, nothing can be refused and nothing
//! is to be taken back any more: the scope is committed, and the rest goes forward however long it takes.

use sdk::saga::{Scope, WaitError, status, wait};

use super::decision;

/// What customers are told if a person or a crash of ours has ended the return.
pub const NOT_RETURNED: &str = "The return could not be completed.";

/// The signal that is waited for.
pub const DECISION: &str = "decision";

/// How long somebody has to decide: the two weeks in which customers may change their minds, too.
pub const PATIENCE_MILLIS: u64 = 14 * 24 * 60 * 60 * 1_000;

/// Why a service refuses a step. None of these goes away by trying again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// The services a return calls. A call that fails otherwise than with a refusal does not return.
pub trait Services {
    /// Milliseconds since 1970.
    fn now(&self) -> u64;
    /// Gives the money back.
    fn refund(&self, order: &str) -> Result<(), Refusal>;
    /// The pieces are available again.
    fn release(&self, order: &str) -> Result<(), Refusal>;
    /// The order is returned.
    fn finish(&self, order: &str) -> Result<(), Refusal>;
    /// The order is not taken back; why, in words for the customer.
    fn refuse(&self, order: &str, reason: &str) -> Result<(), Refusal>;
    /// Registers that the return is refused, as [`NOT_RETURNED`], if the run does not get through.
    fn register_refusal(&self, scope: &Scope, order: &str);
}

/// How a return has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Goods and money are back.
    Returned,
    /// They are not; why, in words for the customer.
    Refused(String),
}

/// Looks into the wish to send the order back, which has this reason.
pub fn run(services: &impl Services, order: &str, reason: &str) -> Result<Outcome, Refusal> {
    let wish = Scope::new("return");
    services.register_refusal(&wish, order);
    if let Err(refusal) = approval(services, reason) {
        services.refuse(order, &refusal)?;
        wish.commit();
        status(&format!("Refused. {refusal}"));
        return Ok(Outcome::Refused(refusal));
    }
    wish.commit();
    status("Giving the money back");
    services.refund(order)?;
    status("Putting the goods back");
    services.release(order)?;
    services.finish(order)?;
    status("Returned");
    Ok(Outcome::Returned)
}

/// Waits until somebody agrees; the error is why nobody does, in words for the customer. A decision that cannot be read is
/// none: whoever sent it sees so, and may send another as long as there is time.
fn approval(services: &impl Services, reason: &str) -> Result<(), String> {
    let until = services.now().saturating_add(PATIENCE_MILLIS);
    let mut left = PATIENCE_MILLIS;
    status(&format!("Waiting for approval. Reason: {reason}"));
    loop {
        let payload = wait(DECISION, Some(left)).map_err(|error| match error {
            WaitError::TimedOut => "Nobody decided in time.".to_owned(),
            WaitError::Unsupported => NOT_RETURNED.to_owned(),
        })?;
        match decision::parse(&payload) {
            Ok(decision) if decision.approved => return Ok(()),
            Ok(decision) => return Err(decision.refusal()),
            Err(mistake) => status(&format!(
                "Waiting for approval; the last decision could not be read ({mistake}). Reason: {reason}"
            )),
        }
        left = until.saturating_sub(services.now());
    }
}

#[cfg(test)]
mod tests;
