//! What customers wish about an order that is placed: what they send, and why it cannot be.
//!
//! A wish is only noted and told here; the sagas `cancel-order` and `return-order` look into it.

use sdk::rest::{Problem, parse_body};
use serde::Deserialize;

use super::{Command, Denial, Status};

/// No reason is longer, as with other texts of the API.
const LONGEST_REASON: usize = 200;

/// A cancellation needs no words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CancellationRequest {}

/// Why an order is sent back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReturnRequest {
    reason: String,
}

/// The command in the body of a wish to cancel, which may be empty.
pub fn cancellation(body: &[u8]) -> Result<Command, Problem> {
    if !body.trim_ascii().is_empty() {
        let CancellationRequest {} = parse_body(body)?;
    }
    Ok(Command::RequestCancellation)
}

/// The command in the body of a wish to send an order back.
pub fn sending_back(body: &[u8]) -> Result<Command, Problem> {
    let ReturnRequest { reason } = parse_body(body)?;
    if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail = format!("has to have 1 to {LONGEST_REASON} characters");
        let problem = Problem::unprocessable("the return breaks a rule");
        return Err(problem.with_error("/reason", detail));
    }
    Ok(Command::RequestReturn(reason))
}

/// What a customer is told whose wish cannot be.
pub fn conflict(wish: &Command, denial: &Denial) -> Problem {
    let (slug, title) = if matches!(wish, Command::RequestReturn(_)) {
        ("order-not-returnable", "Order cannot be returned")
    } else {
        ("order-not-cancellable", "Order cannot be cancelled")
    };
    let detail = match denial {
        Denial::Ended(Status::Cancelled) => "the order was cancelled",
        Denial::Ended(Status::Rejected) => "the order was rejected",
        Denial::Ended(Status::Pending | Status::Confirmed) => "the order has not ended",
        Denial::NotOpen(why) => why,
    };
    Problem::new(409, slug, title, detail)
}
