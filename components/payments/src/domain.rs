//! The life of a payment, as decisions on values.
//!
//! ```text
//!   (unknown) ──order placed──▶ Opened ──authorise──▶ Authorised ──capture──▶ Captured ──refund──▶ Refunded
//!       └──────────void───────────┴───────void───────────┴──▶ Voided
//! ```
//!
//! Refunded and Voided are for good. What we know may lag behind what the provider has done, because a reply can be
//! lost. So undoing always asks the provider wherever it might hold money: `void` also when nothing is known to be
//! set aside, `refund` also when nothing is known to be taken; and what becomes of the money is what its receipt says.

use serde::{Deserialize, Serialize};

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In minor units.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
}

/// The record of one payment. There is one for each order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Whose order it is, once we have heard.
    pub owner: Option<String>,
    /// How far it has come.
    pub state: State,
}

/// How far a payment has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing has happened to money.
    #[default]
    Opened,
    /// It is set aside.
    Authorised(Money),
    /// It is ours.
    Captured(Money),
    /// It is the customer's again.
    Refunded(Money),
    /// It was let go of; nothing if there was none.
    Voided(Option<Money>),
}

/// What became of the money. Each sum says what has *ever* happened, so `authorised` stays when money is captured
/// or voided; in the end it is their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Set aside.
    pub authorised: u64,
    /// Taken.
    pub captured: u64,
    /// Let go of.
    pub voided: u64,
    /// Given back.
    pub refunded: u64,
}

/// What the provider's books say after an operation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    /// Of all sums; empty if there are none.
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

/// What a customer is to be charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Whose order it is.
    pub user: String,
    /// How much.
    pub total: Money,
    /// The provider's token for the means of payment.
    pub token: String,
}

/// What may be asked of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Set money aside.
    Authorise(Charge),
    /// Take it.
    Capture,
    /// Let go of it.
    Void,
    /// Give it back.
    Refund,
}

/// What has to be done about a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it is done, or there is nothing to do.
    Settled,
    /// The provider has to act.
    Ask,
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The provider said no.
    #[error("{0}")]
    Declined(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The payment does not allow this now.
    #[error("the payment is {0}")]
    WrongState(&'static str),
    /// No payment of this order is known.
    #[error("no payment of order {0} is known")]
    UnknownOrder(String),
}

// === impl Payment ===

impl Payment {
    /// The same payment with its owner; whoever was named first stays.
    #[must_use]
    pub fn owned_by(mut self, user: &str) -> Self {
        self.owner.get_or_insert_with(|| user.to_owned());
        self
    }

    /// What has to be done about `command`.
    pub fn decide(&self, command: &Command) -> Result<Step, Refusal> {
        match (&self.state, command) {
            (state, Command::Authorise(charge)) => self.decide_authorise(state, charge),

            (State::Authorised(_), Command::Capture | Command::Void | Command::Refund) => {
                Ok(Step::Ask)
            }
            (State::Opened, Command::Void) => Ok(Step::Ask),
            (State::Captured(_), Command::Refund) => Ok(Step::Ask),

            // What was taken is not set aside any more: there is nothing to let go of.
            (State::Captured(_), Command::Capture | Command::Void) => Ok(Step::Settled),
            (State::Refunded(_) | State::Voided(_), Command::Void | Command::Refund) => {
                Ok(Step::Settled)
            }
            // Only what is known to be authorised is ever captured, so there can be nothing to give back.
            (State::Opened, Command::Refund) => Ok(Step::Settled),

            (State::Opened | State::Refunded(_) | State::Voided(_), Command::Capture) => {
                Err(Refusal::WrongState(self.state.name()))
            }
        }
    }

    fn decide_authorise(&self, state: &State, charge: &Charge) -> Result<Step, Refusal> {
        if charge.total.amount == 0 || charge.total.currency.len() != 3 || charge.token.is_empty() {
            let reason = "a charge has an amount, a currency of three letters, and a token";
            return Err(Refusal::Invalid(reason.to_owned()));
        }
        if self
            .owner
            .as_ref()
            .is_some_and(|owner| *owner != charge.user)
        {
            return Err(Refusal::Invalid(
                "the order is another customer's".to_owned(),
            ));
        }
        match state {
            State::Opened => Ok(Step::Ask),
            State::Authorised(known) | State::Captured(known) if *known == charge.total => {
                Ok(Step::Settled)
            }
            State::Authorised(_) | State::Captured(_) => Err(Refusal::Invalid(
                "another amount was authorised for this order".to_owned(),
            )),
            State::Refunded(_) | State::Voided(_) => Err(Refusal::WrongState(state.name())),
        }
    }

    /// The payment after the provider has acted.
    pub fn after(self, command: &Command, receipt: &Receipt) -> Result<Self, Refusal> {
        let sum = |amount: u64| Money {
            amount,
            currency: receipt.currency.clone(),
        };
        let state = match command {
            Command::Authorise(charge) if sum(receipt.authorised) == charge.total => {
                State::Authorised(charge.total.clone())
            }
            Command::Authorise(_) => {
                return Err(Refusal::Invalid(
                    "the provider has authorised another amount".to_owned(),
                ));
            }
            Command::Capture if receipt.captured == 0 => {
                return Err(Refusal::Invalid(
                    "the provider has captured nothing".to_owned(),
                ));
            }
            Command::Capture => State::Captured(sum(receipt.captured)),
            // The provider has given money back that we never heard was taken, and now there is nothing to let go of.
            Command::Void | Command::Refund if receipt.refunded > 0 => {
                State::Refunded(sum(receipt.refunded))
            }
            Command::Void if receipt.voided > 0 => State::Voided(Some(sum(receipt.voided))),
            Command::Void => State::Voided(None),
            Command::Refund => self.state.clone(),
        };
        let named = match command {
            Command::Authorise(charge) => self.owned_by(&charge.user),
            Command::Capture | Command::Void | Command::Refund => self,
        };
        Ok(Self { state, ..named })
    }

    /// What became of the money.
    pub fn balance(&self) -> Balance {
        let nothing = Balance::default();
        match &self.state {
            State::Opened | State::Voided(None) => nothing,
            State::Authorised(Money { amount, .. }) => Balance {
                authorised: *amount,
                ..nothing
            },
            State::Captured(Money { amount, .. }) => Balance {
                authorised: *amount,
                captured: *amount,
                ..nothing
            },
            State::Refunded(Money { amount, .. }) => Balance {
                authorised: *amount,
                captured: *amount,
                refunded: *amount,
                ..nothing
            },
            State::Voided(Some(Money { amount, .. })) => Balance {
                authorised: *amount,
                voided: *amount,
                ..nothing
            },
        }
    }
}

// === impl State ===

impl State {
    /// In one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Authorised(_) => "authorised",
            Self::Captured(_) => "captured",
            Self::Refunded(_) => "refunded",
            Self::Voided(_) => "voided",
        }
    }
}

// === impl Command ===

impl Command {
    /// In one word, as the provider's addresses spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Authorise(_) => "authorise",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }
}

#[cfg(test)]
mod tests;
