//! The provider's books, and how it misbehaves.
//!
//! Everything is idempotent: by the operation's key, and by what has become of the payment.
//!
//! ```text
//!   Empty ──authorise──▶ Authorised ──capture──▶ Captured ──refund──▶ Refunded
//!     └───────void────────────┴──▶ Voided   (for good)
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How often a flaky payment fails before it works.
const FLAKY_FAILURES: u32 = 2;

/// What the provider can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Set money aside.
    Authorise,
    /// Take what was set aside.
    Capture,
    /// Let go of what was set aside.
    Void,
    /// Give back what was taken.
    Refund,
}

/// What a customer is to be charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// In minor units.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
    /// Stands for the means of payment.
    pub token: String,
}

/// What is asked. Only `authorise` says how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Set this aside.
    Authorise(Charge),
    /// Take it.
    Capture,
    /// Let go of it.
    Void,
    /// Give it back.
    Refund,
}

/// The record of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    state: State,
    charge: Option<Charge>,
    /// The key under which each operation was done.
    keys: BTreeMap<Operation, String>,
    /// How often a flaky token was seen.
    failures: u32,
    /// The operation whose reply was lost or slow; one for each payment.
    disturbed: Vec<Operation>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    #[default]
    Empty,
    Authorised,
    Captured,
    Voided,
    Refunded,
}

/// The sums of one payment, in minor units; each says what has ever happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Of all the others; empty as long as there is no charge.
    pub currency: String,
    /// Set aside.
    pub authorised: u64,
    /// Taken.
    pub captured: u64,
    /// Let go of.
    pub voided: u64,
    /// Given back.
    pub refunded: u64,
}

/// Why the provider says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The bank does.
    #[error("{0}")]
    Declined(&'static str),
    /// Nobody has issued this token.
    #[error("the token is unknown")]
    UnknownToken,
    /// There is no such payment.
    #[error("the payment is unknown")]
    UnknownPayment,
    /// It does not fit what has become of the payment.
    #[error("{0}")]
    Conflict(&'static str),
    /// It might work another time.
    #[error("try again later")]
    Busy,
}

/// What becomes of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It goes out at once.
    Prompt,
    /// It never arrives.
    Lost,
    /// It arrives after the caller has given up.
    Slow,
}

/// How one request ends. The account is written before the reply goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The new record.
    pub account: Account,
    /// What the caller is told, unless the delivery is disturbed.
    pub reply: Result<Books, Denial>,
    /// Whether it is.
    pub delivery: Delivery,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Temper {
    Good,
    Declined,
    Flaky,
    LostReply,
    Slow,
}

// === impl Command ===

impl Command {
    /// Which operation this is.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Authorise(_) => Operation::Authorise,
            Self::Capture => Operation::Capture,
            Self::Void => Operation::Void,
            Self::Refund => Operation::Refund,
        }
    }
}

// === impl Temper ===

impl Temper {
    fn of(token: &str) -> Option<Self> {
        match token {
            "tok_ok" => Some(Self::Good),
            "tok_declined" => Some(Self::Declined),
            "tok_flaky" => Some(Self::Flaky),
            "tok_lost_reply" => Some(Self::LostReply),
            "tok_slow" => Some(Self::Slow),
            _ => None,
        }
    }
}

// === impl Account ===

impl Account {
    /// The sums, as of now.
    pub fn books(&self) -> Books {
        let amount = self.charge.as_ref().map_or(0, |charge| charge.amount);
        let currency = self
            .charge
            .as_ref()
            .map_or_else(String::new, |charge| charge.currency.clone());
        let (captured, voided, refunded) = match self.state {
            State::Empty | State::Authorised => (0, 0, 0),
            State::Captured => (amount, 0, 0),
            State::Voided => (0, amount, 0),
            State::Refunded => (amount, 0, amount),
        };
        Books {
            currency,
            authorised: amount,
            captured,
            voided,
            refunded,
        }
    }

    /// Serves one request.
    pub fn serve(&self, command: &Command, key: &str) -> Outcome {
        let mut account = self.clone();
        let temper = match account.temper(command) {
            Ok(temper) => temper,
            Err(denial) => {
                return Outcome {
                    account,
                    reply: Err(denial),
                    delivery: Delivery::Prompt,
                };
            }
        };
        if temper == Temper::Flaky && account.failures < FLAKY_FAILURES {
            account.failures += 1;
            return Outcome {
                account,
                reply: Err(Denial::Busy),
                delivery: Delivery::Prompt,
            };
        }
        match account.act(command, key) {
            Ok(()) => {
                let delivery = account.delivery(temper, command.operation());
                Outcome {
                    reply: Ok(account.books()),
                    account,
                    delivery,
                }
            }
            Err(denial) => Outcome {
                account: self.clone(),
                reply: Err(denial),
                delivery: Delivery::Prompt,
            },
        }
    }

    /// How the payment behaves; the token that comes with `authorise` decides for good.
    fn temper(&self, command: &Command) -> Result<Temper, Denial> {
        let token = match (command, &self.charge) {
            (Command::Authorise(charge), _) | (_, Some(charge)) => &charge.token,
            (Command::Capture | Command::Void | Command::Refund, None) => return Ok(Temper::Good),
        };
        match Temper::of(token) {
            None => Err(Denial::UnknownToken),
            Some(Temper::Declined) => Err(Denial::Declined("the card was declined by its bank")),
            Some(temper) => Ok(temper),
        }
    }

    fn act(&mut self, command: &Command, key: &str) -> Result<(), Denial> {
        let operation = command.operation();
        if self.keys.get(&operation).is_some_and(|known| known != key) {
            return Err(Denial::Conflict("the operation was done under another key"));
        }
        let next = match command {
            Command::Authorise(charge) => self.authorised(charge)?,
            Command::Capture => self.captured()?,
            Command::Void => self.voided()?,
            Command::Refund => self.refunded(),
        };
        if next != self.state {
            self.state = next;
            self.keys.insert(operation, key.to_owned());
        }
        if let (Command::Authorise(charge), None) = (command, &self.charge) {
            self.charge = Some(charge.clone());
        }
        Ok(())
    }

    fn authorised(&self, charge: &Charge) -> Result<State, Denial> {
        match (self.state, &self.charge) {
            (State::Empty, _) => Ok(State::Authorised),
            (State::Voided, _) => Err(Denial::Conflict("the payment was voided")),
            (State::Refunded, _) => Err(Denial::Conflict("the payment was refunded")),
            (State::Authorised | State::Captured, Some(known)) if known == charge => Ok(self.state),
            (State::Authorised | State::Captured, _) => {
                Err(Denial::Conflict("another charge was authorised"))
            }
        }
    }

    fn captured(&self) -> Result<State, Denial> {
        match self.state {
            State::Empty => Err(Denial::UnknownPayment),
            State::Authorised | State::Captured => Ok(State::Captured),
            State::Voided => Err(Denial::Conflict("the payment was voided")),
            State::Refunded => Err(Denial::Conflict("the payment was refunded")),
        }
    }

    fn voided(&self) -> Result<State, Denial> {
        match self.state {
            State::Empty | State::Authorised | State::Voided => Ok(State::Voided),
            State::Captured => Err(Denial::Conflict("the payment was captured")),
            State::Refunded => Ok(State::Refunded),
        }
    }

    /// Where nothing was taken there is nothing to give back.
    fn refunded(&self) -> State {
        match self.state {
            State::Captured | State::Refunded => State::Refunded,
            State::Empty | State::Authorised | State::Voided => self.state,
        }
    }

    fn delivery(&mut self, temper: Temper, operation: Operation) -> Delivery {
        let delivery = match temper {
            Temper::Good | Temper::Declined | Temper::Flaky => return Delivery::Prompt,
            Temper::LostReply | Temper::Slow if !self.disturbed.is_empty() => {
                return Delivery::Prompt;
            }
            Temper::LostReply => Delivery::Lost,
            Temper::Slow => Delivery::Slow,
        };
        self.disturbed.push(operation);
        delivery
    }
}

#[cfg(test)]
mod tests;
