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
    /// Something has happened to an order.
    Happened {
        /// Where it is said.
        #[serde(skip)]
        topic: &'static str,
        /// Its id.
        order: &'a str,
        /// Whose it is.
        user: &'a str,
        /// For how much.
        total: &'a Money,
    },
    /// Something has happened to an order, for a reason.
    Because {
        /// Where it is said.
        #[serde(skip)]
        topic: &'static str,
        /// Its id.
        order: &'a str,
        /// Whose it is.
        user: &'a str,
        /// Why, in words for the customer, or the customer's.
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
        let happened = |topic| {
            Some(Self::Happened {
                topic,
                order,
                user,
                total,
            })
        };
        let because = |topic, reason| {
            Some(Self::Because {
                topic,
                order,
                user,
                reason,
            })
        };
        match event {
            // It has news of its own, with more in it.
            Event::Placed(_) => None,
            Event::Confirmed => happened("shop.order.confirmed.v1"),
            Event::Rejected { reason } => because("shop.order.rejected.v1", reason),
            Event::CancellationRequested => happened("shop.order.cancellation-requested.v1"),
            Event::Cancelled => happened("shop.order.cancelled.v1"),
            Event::CancellationRefused { reason } => {
                because("shop.order.cancellation-refused.v1", reason)
            }
            Event::ReturnRequested { reason } => because("shop.order.return-requested.v1", reason),
            Event::Returned => happened("shop.order.returned.v1"),
            Event::ReturnRefused { reason } => because("shop.order.return-refused.v1", reason),
        }
    }

    /// Where it is said.
    pub fn topic(&self) -> &'static str {
        match self {
            Self::Placed { .. } => "shop.order.placed.v1",
            Self::Happened { topic, .. } | Self::Because { topic, .. } => topic,
        }
    }
}
