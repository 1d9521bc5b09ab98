//! What the services do when they are called. What is decided here is only what their stores and their glue decide.

use super::{
    call::{Answer, Call, Charge, Error, Parcel, Piece, Status, Suspect},
    fraud::domain::{self as fraud, Verdict},
    inventory::domain::{Line, Refusal as NoStock},
    orders::domain::{self as orders, Command, Denial as NoOrder},
    payments::domain::{self as payments, Receipt, Step},
    psp::domain::{self as psp, Denial},
    shipping::domain::{self as shipping, Refusal as NoShipment},
    world::{LEAVES_AFTER, LIMITS, ORDER, World},
};

impl World {
    /// What this call is answered with. One that is refused may leave half of what it does behind: take a copy.
    pub(crate) fn serve(&mut self, call: &Call) -> Answer {
        match call {
            Call::Find => Ok(Some(self.state().status.into())),
            Call::BeginCancellation => {
                let before = self.order(&Command::BeginCancellation)?;
                Ok(Some(before.cancelled_from().into()))
            }
            Call::Confirm => self.order(&Command::Confirm).map(nothing),
            Call::Reject(why) => self.order(&Command::Reject(why.clone())).map(nothing),
            Call::Abandon(why) => self.order(&Command::Abandon(why.clone())).map(nothing),
            Call::FinishCancellation => self.order(&Command::FinishCancellation).map(nothing),
            Call::RefuseCancellation(why) => {
                let command = Command::RefuseCancellation(why.clone());
                self.order(&command).map(nothing)
            }
            Call::FinishReturn => self.order(&Command::FinishReturn).map(nothing),
            Call::RefuseReturn(why) => self.order(&Command::RefuseReturn(why.clone())).map(nothing),
            Call::Reserve(pieces) => self.reserve(pieces),
            Call::Sell => answered(self.desk.sell(ORDER, self.now)),
            Call::Release => {
                self.desk.release(ORDER, self.now);
                Ok(None)
            }
            Call::Screen(suspect) => self.screen(suspect),
            Call::Withdraw => {
                self.screening.withdraw(&mut self.customer);
                Ok(None)
            }
            Call::Authorise(charge) => self.pay(&payments::Command::Authorise(charge.into())),
            Call::Capture => self.pay(&payments::Command::Capture),
            Call::Void => self.pay(&payments::Command::Void),
            Call::Refund => self.pay(&payments::Command::Refund),
            Call::Book(parcel) => self.book(parcel),
            Call::Cancel => {
                let record = shipping::cancel(self.shipment.as_ref(), ORDER, self.now);
                self.shipment = Some(record?);
                Ok(None)
            }
            Call::Reinstate => {
                self.shipment = self.shipment.as_ref().map(shipping::reinstate);
                Ok(None)
            }
            Call::Consume(_) if self.given_back => Err(Error::Invalid("given back".to_owned())),
            Call::Consume(_) => {
                self.consumed |= self.cart.consume(ORDER).is_some();
                Ok(None)
            }
            Call::GiveBack(_) => {
                self.given_back |= self.cart.give_back(ORDER).is_some();
                Ok(None)
            }
        }
    }

    fn order(&mut self, command: &Command) -> Result<orders::Order, Error> {
        Ok(self.ask(command)?)
    }

    fn reserve(&mut self, pieces: &[Piece]) -> Answer {
        let line = |piece: &Piece| Line {
            sku: piece.sku.clone(),
            quantity: piece.quantity,
        };
        let lines: Vec<Line> = pieces.iter().map(line).collect();
        answered(self.desk.reserve(ORDER, &lines, self.now))
    }

    fn screen(&mut self, suspect: &Suspect) -> Answer {
        let request = fraud::Request {
            order: ORDER.to_owned(),
            user: suspect.user.clone(),
            total: fraud::Money {
                amount: suspect.amount,
                currency: suspect.currency.clone(),
            },
        };
        let scale = fraud::record::Scale {
            doorstep: &fraud::Doorstep::default(),
            limits: &LIMITS,
            now: self.now,
        };
        let verdict = self.screening.screen(&mut self.customer, &request, scale);
        match verdict.map_err(|refusal| Error::Invalid(refusal.to_string()))? {
            Verdict::Approved(_) => Ok(None),
            Verdict::Declined(found) => Err(Error::Suspicious(found.score)),
        }
    }

    fn book(&mut self, parcel: &Parcel) -> Answer {
        let to = shipping::Address {
            name: parcel.name.clone(),
            street: parcel.street.clone(),
            city: parcel.city.clone(),
            postal_code: parcel.postal_code.clone(),
            country: parcel.country.clone(),
        };
        let parcel = shipping::Parcel {
            order: ORDER,
            user: &parcel.user,
            to: &to,
            leaves: self.now + LEAVES_AFTER,
        };
        self.shipment = Some(shipping::book(self.shipment.as_ref(), &parcel)?);
        Ok(None)
    }

    /// Runs a command on the payment as its service does, with the provider at hand.
    fn pay(&mut self, command: &payments::Command) -> Answer {
        if self.payment.decide(command)? == Step::Settled {
            return Ok(None);
        }
        let key = format!("{ORDER}-{}", command.name());
        let asked = provider(command);
        let reply = loop {
            let outcome = self.account.serve(&asked, &key);
            self.account = outcome.account;
            // Whoever calls the provider calls it again until it is well.
            if outcome.reply != Err(Denial::Busy) {
                break outcome.reply;
            }
        };
        let books = reply.map_err(|denial| Error::Declined(denial.to_string()))?;
        let receipt = Receipt {
            currency: books.currency,
            authorised: books.authorised,
            captured: books.captured,
            voided: books.voided,
            refunded: books.refunded,
        };
        self.payment = self.payment.clone().after(command, &receipt)?;
        Ok(None)
    }
}

fn nothing<T>(_: T) -> Option<Status> {
    None
}

fn answered(done: Result<(), NoStock>) -> Answer {
    Ok(done.map(nothing)?)
}

fn provider(command: &payments::Command) -> psp::Command {
    match command {
        payments::Command::Authorise(charge) => psp::Command::Authorise(psp::Charge {
            amount: charge.total.amount,
            currency: charge.total.currency.clone(),
            token: charge.token.clone(),
        }),
        payments::Command::Capture => psp::Command::Capture,
        payments::Command::Void => psp::Command::Void,
        payments::Command::Refund => psp::Command::Refund,
    }
}

impl From<&Charge> for payments::Charge {
    fn from(charge: &Charge) -> Self {
        Self {
            user: charge.user.clone(),
            total: payments::Money {
                amount: charge.amount,
                currency: charge.currency.clone(),
            },
            token: charge.token.clone(),
        }
    }
}

impl From<orders::Status> for Status {
    fn from(status: orders::Status) -> Self {
        match status {
            orders::Status::Pending => Self::Pending,
            orders::Status::Confirmed => Self::Confirmed,
            orders::Status::Rejected => Self::Rejected,
            orders::Status::Cancelled => Self::Cancelled,
        }
    }
}

impl From<NoOrder> for Error {
    fn from(denial: NoOrder) -> Self {
        match denial {
            NoOrder::Ended(how) => Self::Ended(how.into()),
            NoOrder::NotOpen(why) => Self::NotOpen(why),
        }
    }
}

impl From<NoStock> for Error {
    fn from(refusal: NoStock) -> Self {
        match refusal {
            NoStock::UnknownSku(sku) => Self::UnknownSku(sku),
            NoStock::OutOfStock { sku, available, .. } => Self::OutOfStock(Piece {
                sku,
                quantity: available,
            }),
            NoStock::Expired(sku) => Self::Expired(sku),
            refusal @ (NoStock::Invalid(_) | NoStock::Released(_)) => {
                Self::Invalid(refusal.to_string())
            }
        }
    }
}

impl From<payments::Refusal> for Error {
    fn from(refusal: payments::Refusal) -> Self {
        match refusal {
            // A token that nobody knows is the customer's to change, like a card that was declined.
            payments::Refusal::Declined(why) | payments::Refusal::Invalid(why) => {
                Self::Declined(why)
            }
            refusal @ (payments::Refusal::WrongState(_) | payments::Refusal::UnknownOrder(_)) => {
                Self::Invalid(refusal.to_string())
            }
        }
    }
}

impl From<NoShipment> for Error {
    fn from(refusal: NoShipment) -> Self {
        match refusal {
            NoShipment::NoCarrier(country) => Self::NoCarrier(country),
            NoShipment::Shipped(order) => Self::Shipped(order),
            refusal @ (NoShipment::Invalid(_) | NoShipment::Cancelled(_)) => {
                Self::Invalid(refusal.to_string())
            }
        }
    }
}
