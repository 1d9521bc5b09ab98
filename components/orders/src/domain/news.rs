//! What the rest of the shop is told about orders: the data of our events, and their topics.

use serde::Serialize;

use super::{Address, Event, Line, Money, Order, Placed};

/// The data of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum News<'a> {
    /// There is a new order; all that is needed to carry it out.
    Placed {
        /// Its id.
        order: &'a str,
        /// Whose it is.
        user: &'a str,
        /// What is bought.
        lines: &'a [Line],
        /// For how much.
        total: &'a Money,
        /// How it is paid.
        payment: Payment<'a>,
        /// Where it goes.
        ship_to: &'a Address,
    },
    /// An order stands.
    Confirmed {
        /// Its id.
        order: &'a str,
        /// Whose it is.
        user: &'a str,
        /// For how much.
        total: &'a Money,
    },
    /// An order fell.
    Rejected {
        /// Its id.
        order: &'a str,
        /// Whose it is.
        user: &'a str,
        /// Why, in words for the customer.
        reason: &'a str,
    },
}

/// A means of payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payment<'a> {
    token: &'a str,
}

impl<'a> News<'a> {
    /// A new order, with the means of payment that only the news carries.
    pub fn placed(order: &'a str, placed: &'a Placed, token: &'a str) -> Self {
        let payment = Payment { token };
        let Placed {
            user,
            lines,
            total,
            ship_to,
        } = placed;
        Self::Placed {
            order,
            user,
            lines,
            total,
            payment,
            ship_to,
        }
    }

    /// What is said when `event` happens to an order that is `state` already.
    pub fn about(order: &'a str, state: &'a Order, event: &'a Event) -> Option<Self> {
        let Placed { user, total, .. } = &state.placed;
        match event {
            Event::Confirmed => Some(Self::Confirmed { order, user, total }),
            Event::Rejected { reason } => Some(Self::Rejected {
                order,
                user,
                reason,
            }),
            // The first has news of its own, with more in it; the other has no topic.
            Event::Placed(_) | Event::Cancelled => None,
        }
    }

    /// Where it is said.
    pub fn topic(&self) -> &'static str {
        match self {
            Self::Placed { .. } => "shop.order.placed.v1",
            Self::Confirmed { .. } => "shop.order.confirmed.v1",
            Self::Rejected { .. } => "shop.order.rejected.v1",
        }
    }
}
