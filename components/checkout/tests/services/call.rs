//! What the sagas call, as data: the functions of the contracts with their arguments, and what they answer.

use serde::{Deserialize, Serialize};

/// All functions, in the order of their numbers.
pub(crate) const FUNCTIONS: [&str; 23] = [
    "find",
    "reserve",
    "screen",
    "authorise",
    "book",
    "capture",
    "sell",
    "consume",
    "confirm",
    "reject",
    "abandon",
    "give-back",
    "release",
    "withdraw",
    "void",
    "cancel",
    "refund",
    "begin-cancellation",
    "finish-cancellation",
    "refuse-cancellation",
    "reinstate",
    "finish-return",
    "refuse-return",
];

/// A call about an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Call {
    /// Where the order stands.
    Find,
    /// The order stands.
    Confirm,
    /// The order falls; why.
    Reject(String),
    /// The order ends, however far it has come; why.
    Abandon(String),
    /// An order that is pending is cancelled; answers how it stood.
    BeginCancellation,
    /// The order is cancelled.
    FinishCancellation,
    /// The order is not cancelled; why.
    RefuseCancellation(String),
    /// The order is returned.
    FinishReturn,
    /// The order is not taken back; why.
    RefuseReturn(String),
    /// Pieces are held.
    Reserve(Vec<Piece>),
    /// The held pieces are sold.
    Sell,
    /// The pieces are available again.
    Release,
    /// The order is weighed against its customer's history.
    Screen(Suspect),
    /// What it was to cost is not spent.
    Withdraw,
    /// Money is set aside.
    Authorise(Charge),
    /// It is taken.
    Capture,
    /// It is let go of.
    Void,
    /// It is given back.
    Refund,
    /// A carrier is booked.
    Book(Parcel),
    /// The carrier is called off.
    Cancel,
    /// The carrier is booked as before.
    Reinstate,
    /// The lines are gone from the cart of this user.
    Consume(String),
    /// The lines go back to the cart of this user.
    GiveBack(String),
}

/// So many pieces of one product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Piece {
    pub(crate) sku: String,
    pub(crate) quantity: u32,
}

/// Whose order is weighed, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Suspect {
    pub(crate) user: String,
    pub(crate) amount: u64,
    pub(crate) currency: String,
}

/// What is to be paid, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Charge {
    pub(crate) user: String,
    pub(crate) amount: u64,
    pub(crate) currency: String,
    pub(crate) token: String,
}

/// Whose parcel it is, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Parcel {
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) street: String,
    pub(crate) city: String,
    pub(crate) postal_code: String,
    pub(crate) country: String,
}

/// What a call is answered with.
pub(crate) type Answer = Result<Option<Status>, Error>;

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    Pending,
    Confirmed,
    Rejected,
    Cancelled,
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Error {
    Ended(Status),
    NotOpen(String),
    UnknownSku(String),
    OutOfStock(Piece),
    Expired(String),
    /// An answer of the contract, not a refusal; to the plan it is one, and it leads no further.
    Suspicious(u32),
    Declined(String),
    NoCarrier(String),
    Shipped(String),
    Invalid(String),
}

// === impl Call ===

impl Call {
    /// Its place among the functions, from 1 on.
    pub(crate) fn number(&self) -> u32 {
        let name = self.function();
        let place = FUNCTIONS.iter().position(|function| *function == name);
        place.map_or(0, |place| u32::try_from(place + 1).unwrap_or(0))
    }

    /// The component that is called.
    pub(crate) fn target(&self) -> &'static str {
        match self {
            Self::Find
            | Self::Confirm
            | Self::Reject(_)
            | Self::Abandon(_)
            | Self::BeginCancellation
            | Self::FinishCancellation
            | Self::RefuseCancellation(_)
            | Self::FinishReturn
            | Self::RefuseReturn(_) => "orders",
            Self::Reserve(_) | Self::Sell | Self::Release => "inventory",
            Self::Screen(_) | Self::Withdraw => "fraud",
            Self::Authorise(_) | Self::Capture | Self::Void | Self::Refund => "payments",
            Self::Book(_) | Self::Cancel | Self::Reinstate => "shipping",
            Self::Consume(_) | Self::GiveBack(_) => "cart",
        }
    }

    /// The function that is called.
    pub(crate) fn function(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        let tag = json.as_object().and_then(|object| object.keys().next());
        let name = tag.map(String::as_str).or(json.as_str());
        name.unwrap_or_default().to_owned()
    }
}
