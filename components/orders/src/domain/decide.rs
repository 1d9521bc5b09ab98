//! What happens to an order when something is asked of it: an event, nothing because it has happened, or a denial.

use super::{Command, Denial, Event, Order, Status, Wish};

/// What a command leads to.
type Decision = Result<Option<Event>, Denial>;

impl Order {
    /// What happens on `command`: an event, or nothing if it has happened before or there is nothing to do.
    pub fn decide(&self, command: &Command) -> Decision {
        match command {
            Command::Confirm => self.confirm(),
            Command::Reject(reason) => self.reject(reason),
            Command::Abandon(reason) => Ok(self.abandon(reason)),
            Command::RequestCancellation => self.request_cancellation(),
            Command::BeginCancellation => self.cancel(Status::Pending),
            Command::FinishCancellation => self.cancel(Status::Confirmed),
            Command::RefuseCancellation(reason) => Ok(self.refuse_cancellation(reason)),
            Command::RequestReturn(reason) => self.request_return(reason),
            Command::FinishReturn => self.finish_return(),
            Command::RefuseReturn(reason) => Ok(self.refuse_return(reason)),
        }
    }

    /// How the order stood when its cancellation began; the same however often it is asked.
    pub fn cancelled_from(&self) -> Status {
        if self.was_confirmed {
            Status::Confirmed
        } else {
            Status::Pending
        }
    }

    fn confirm(&self) -> Decision {
        match self.status {
            Status::Pending => Ok(Some(Event::Confirmed)),
            Status::Confirmed => Ok(None),
            Status::Rejected | Status::Cancelled => Err(Denial::Ended(self.status)),
        }
    }

    /// A checkout that is undone rejects its order, also one that was cancelled under its hands.
    fn reject(&self, reason: &str) -> Decision {
        match self.status {
            Status::Pending => Ok(Some(Event::Rejected {
                reason: reason.to_owned(),
            })),
            Status::Rejected | Status::Cancelled => Ok(None),
            Status::Confirmed => Err(Denial::Ended(self.status)),
        }
    }

    /// Nothing is left of what was done for the order, so it has to end, if it has not.
    fn abandon(&self, reason: &str) -> Option<Event> {
        match self.status {
            Status::Pending => Some(Event::Rejected {
                reason: reason.to_owned(),
            }),
            Status::Confirmed if self.sending_back != Wish::Granted => Some(Event::Cancelled),
            Status::Confirmed | Status::Rejected | Status::Cancelled => None,
        }
    }

    fn request_cancellation(&self) -> Decision {
        self.is_alive()?;
        match (&self.cancellation, &self.sending_back) {
            (Wish::None, Wish::None) => Ok(Some(Event::CancellationRequested)),
            (Wish::Open, _) => Ok(None),
            (Wish::Refused(reason), _) => not_open(&format!(
                "a cancellation was refused before: {}",
                clause(reason)
            )),
            (_, Wish::Open) => not_open("a return is under way"),
            (_, Wish::Granted | Wish::Refused(_)) => not_open("a return was decided on before"),
            // An order whose cancellation was granted is cancelled, and so not alive.
            (Wish::Granted, Wish::None) => Ok(None),
        }
    }

    /// Cancels an order that stands like `when`; what stands otherwise is left as it is, if the wish is open.
    fn cancel(&self, when: Status) -> Decision {
        match (self.status, &self.cancellation) {
            (Status::Cancelled, _) => Ok(None),
            (Status::Rejected, _) => Err(Denial::Ended(self.status)),
            (status, Wish::Open) if status == when => Ok(Some(Event::Cancelled)),
            (Status::Confirmed, Wish::Open) => Ok(None),
            // Whoever finishes has to have begun, and then the order is not pending any more.
            (Status::Pending, Wish::Open) => not_open("the cancellation has not begun"),
            (Status::Pending | Status::Confirmed, Wish::None | Wish::Granted) => {
                not_open("nobody wishes to cancel the order")
            }
            (Status::Pending | Status::Confirmed, Wish::Refused(_)) => {
                not_open("the cancellation was refused")
            }
        }
    }

    fn refuse_cancellation(&self, reason: &str) -> Option<Event> {
        let standing = matches!(self.status, Status::Pending | Status::Confirmed);
        (standing && self.cancellation == Wish::Open).then(|| Event::CancellationRefused {
            reason: reason.to_owned(),
        })
    }

    fn request_return(&self, reason: &str) -> Decision {
        self.is_alive()?;
        match (self.status, &self.cancellation, &self.sending_back) {
            (_, _, Wish::Open) => Ok(None),
            (_, _, Wish::Granted) => not_open("the order was returned before"),
            (_, _, Wish::Refused(reason)) => {
                not_open(&format!("a return was refused before: {}", clause(reason)))
            }
            (_, Wish::Open, Wish::None) => not_open("a cancellation is under way"),
            (Status::Confirmed, _, Wish::None) => Ok(Some(Event::ReturnRequested {
                reason: reason.to_owned(),
            })),
            (Status::Pending | Status::Rejected | Status::Cancelled, _, Wish::None) => {
                not_open("the order is not confirmed yet")
            }
        }
    }

    fn finish_return(&self) -> Decision {
        match &self.sending_back {
            Wish::Open => Ok(Some(Event::Returned)),
            Wish::Granted => Ok(None),
            Wish::None => not_open("nobody wishes to return the order"),
            Wish::Refused(_) => not_open("the return was refused"),
        }
    }

    fn refuse_return(&self, reason: &str) -> Option<Event> {
        (self.sending_back == Wish::Open).then(|| Event::ReturnRefused {
            reason: reason.to_owned(),
        })
    }

    fn is_alive(&self) -> Result<(), Denial> {
        match self.status {
            Status::Pending | Status::Confirmed => Ok(()),
            Status::Rejected | Status::Cancelled => Err(Denial::Ended(self.status)),
        }
    }
}

fn not_open(why: &str) -> Decision {
    Err(Denial::NotOpen(why.to_owned()))
}

/// Reasons are sentences; inside another one they lose their full stop.
fn clause(reason: &str) -> &str {
    reason.trim_end_matches('.')
}
