//! The ports of the sagas over whoever carries a call: a rehearsal, or the coordinator.

use sdk::saga::Scope;

use super::{
    call::{Answer, Call, Charge, Error, Parcel, Piece, Status, Suspect},
    cancel_order::domain as cancelling,
    checkout::{domain as checkout, order::Order},
    return_order::domain as returning,
};

/// Carries the calls of a saga. Each is about the one order there is.
pub(crate) trait Caller {
    /// Makes a step.
    fn call(&self, call: Call) -> Answer;
    /// Registers an undo.
    fn register(&self, scope: &Scope, undo: Call);
    /// Milliseconds since 1970, as the saga sees them.
    fn now(&self) -> u64;
}

impl<C: Caller> checkout::Services for C {
    fn status(&self, _: &Order) -> Result<checkout::Status, checkout::Refusal> {
        let status = self.call(Call::Find).map_err(refused)?;
        let status = status.ok_or_else(|| checkout::Refusal::Invalid("no status".to_owned()))?;
        Ok(status.into())
    }

    fn reserve(&self, order: &Order) -> Result<(), checkout::Refusal> {
        let piece = |line: &super::checkout::order::Line| Piece {
            sku: line.sku.clone(),
            quantity: line.quantity,
        };
        carry(self, Call::Reserve(order.lines.iter().map(piece).collect()))
    }

    fn screen(&self, order: &Order) -> Result<(), checkout::Refusal> {
        let suspect = Suspect {
            user: order.user.clone(),
            amount: order.total.amount,
            currency: order.total.currency.clone(),
        };
        carry(self, Call::Screen(suspect))
    }

    fn authorise(&self, order: &Order) -> Result<(), checkout::Refusal> {
        let charge = Charge {
            user: order.user.clone(),
            amount: order.total.amount,
            currency: order.total.currency.clone(),
            token: order.payment.token.clone(),
        };
        carry(self, Call::Authorise(charge))
    }

    fn book(&self, order: &Order) -> Result<(), checkout::Refusal> {
        let parcel = Parcel {
            user: order.user.clone(),
            name: order.ship_to.name.clone(),
            street: order.ship_to.street.clone(),
            city: order.ship_to.city.clone(),
            postal_code: order.ship_to.postal_code.clone(),
            country: order.ship_to.country.clone(),
        };
        carry(self, Call::Book(parcel))
    }

    fn capture(&self, _: &Order) -> Result<(), checkout::Refusal> {
        carry(self, Call::Capture)
    }

    fn sell(&self, _: &Order) -> Result<(), checkout::Refusal> {
        carry(self, Call::Sell)
    }

    fn consume(&self, order: &Order) -> Result<(), checkout::Refusal> {
        carry(self, Call::Consume(order.user.clone()))
    }

    fn confirm(&self, _: &Order) -> Result<(), checkout::Refusal> {
        carry(self, Call::Confirm)
    }

    fn reject(&self, _: &Order, reason: &str) -> Result<(), checkout::Refusal> {
        carry(self, Call::Reject(reason.to_owned()))
    }

    fn register(&self, scope: &Scope, undo: checkout::Undo, order: &Order) {
        let call = match undo {
            checkout::Undo::Abandon => Call::Abandon(checkout::NOT_COMPLETED.to_owned()),
            checkout::Undo::GiveBack => Call::GiveBack(order.user.clone()),
            checkout::Undo::Release => Call::Release,
            checkout::Undo::Withdraw => Call::Withdraw,
            checkout::Undo::Void => Call::Void,
            checkout::Undo::Cancel => Call::Cancel,
            checkout::Undo::Refund => Call::Refund,
        };
        Caller::register(self, scope, call);
    }
}

impl<C: Caller> cancelling::Services for C {
    fn begin(&self, _: &str) -> Result<cancelling::Standing, cancelling::Refusal> {
        match self.call(Call::BeginCancellation).map_err(not_cancelled)? {
            Some(Status::Confirmed) => Ok(cancelling::Standing::Confirmed),
            Some(Status::Pending) => Ok(cancelling::Standing::Pending),
            other => Err(cancelling::Refusal::NotOpen(format!("{other:?}"))),
        }
    }

    fn call_off(&self, _: &str) -> Result<(), cancelling::Refusal> {
        cancel(self, Call::Cancel)
    }

    fn refund(&self, _: &str) -> Result<(), cancelling::Refusal> {
        cancel(self, Call::Refund)
    }

    fn release(&self, _: &str) -> Result<(), cancelling::Refusal> {
        cancel(self, Call::Release)
    }

    fn finish(&self, _: &str) -> Result<(), cancelling::Refusal> {
        cancel(self, Call::FinishCancellation)
    }

    fn refuse(&self, _: &str, reason: &str) -> Result<(), cancelling::Refusal> {
        cancel(self, Call::RefuseCancellation(reason.to_owned()))
    }

    fn register(&self, scope: &Scope, undo: cancelling::Undo, _: &str) {
        let call = match undo {
            cancelling::Undo::Refuse => {
                Call::RefuseCancellation(cancelling::NOT_CANCELLED.to_owned())
            }
            cancelling::Undo::Reinstate => Call::Reinstate,
        };
        Caller::register(self, scope, call);
    }
}

impl<C: Caller> returning::Services for C {
    fn now(&self) -> u64 {
        Caller::now(self)
    }

    fn refund(&self, _: &str) -> Result<(), returning::Refusal> {
        send_back(self, Call::Refund)
    }

    fn release(&self, _: &str) -> Result<(), returning::Refusal> {
        send_back(self, Call::Release)
    }

    fn finish(&self, _: &str) -> Result<(), returning::Refusal> {
        send_back(self, Call::FinishReturn)
    }

    fn refuse(&self, _: &str, reason: &str) -> Result<(), returning::Refusal> {
        send_back(self, Call::RefuseReturn(reason.to_owned()))
    }

    fn register_refusal(&self, scope: &Scope, _: &str) {
        let reason = returning::NOT_RETURNED.to_owned();
        Caller::register(self, scope, Call::RefuseReturn(reason));
    }
}

fn carry(caller: &impl Caller, call: Call) -> Result<(), checkout::Refusal> {
    caller.call(call).map(drop).map_err(refused)
}

fn cancel(caller: &impl Caller, call: Call) -> Result<(), cancelling::Refusal> {
    caller.call(call).map(drop).map_err(not_cancelled)
}

fn send_back(caller: &impl Caller, call: Call) -> Result<(), returning::Refusal> {
    let answer = caller.call(call);
    answer
        .map(drop)
        .map_err(|error| returning::Refusal(format!("{error:?}")))
}

fn refused(error: Error) -> checkout::Refusal {
    match error {
        Error::Ended(how) => checkout::Refusal::Ended(how.into()),
        Error::UnknownSku(sku) => checkout::Refusal::UnknownProduct(sku),
        Error::OutOfStock(Piece { sku, quantity }) => checkout::Refusal::OutOfStock {
            sku,
            available: quantity,
        },
        Error::Expired(sku) => checkout::Refusal::Expired(sku),
        Error::Suspicious(points) => checkout::Refusal::Suspicious(points),
        Error::Declined(why) => checkout::Refusal::Declined(why),
        Error::NoCarrier(country) => checkout::Refusal::NoCarrier(country),
        Error::NotOpen(why) | Error::Invalid(why) => checkout::Refusal::Invalid(why),
        Error::Shipped(order) => checkout::Refusal::Invalid(format!("{order} has left")),
    }
}

fn not_cancelled(error: Error) -> cancelling::Refusal {
    match error {
        Error::Ended(how) => cancelling::Refusal::NotOpen(format!("the order has ended: {how:?}")),
        Error::NotOpen(why) => cancelling::Refusal::NotOpen(why),
        Error::Shipped(_) => cancelling::Refusal::Shipped,
        other => cancelling::Refusal::Invalid(format!("{other:?}")),
    }
}

impl From<Status> for checkout::Status {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Confirmed => Self::Confirmed,
            Status::Rejected => Self::Rejected,
            Status::Cancelled => Self::Cancelled,
        }
    }
}
