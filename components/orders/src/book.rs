//! The order book: events in the store, and the news about them on the bus, in one unit of work.
//!
//! Keys: `order/<order>` holds an order's events; `user/<user>` counts a customer's orders and `user/<user>/<n>` names
//! the n-th of them, so that a list costs what it shows however many there are.

use sdk::{
    events::{self, CloudEvent},
    kv::Store,
};
use time::OffsetDateTime;

use crate::domain::{self, Command, Denial, Event, Order, Placed, Recorded, Status, news::News};

/// The component's only store.
const STORE: &str = "orders";

/// Where our events come from.
const SOURCE: &str = "/shop/orders";

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such order.
    #[error("there is no order {0}")]
    Unknown(String),
    /// The order is not in a state for it.
    #[error(transparent)]
    Denied(#[from] Denial),
}

/// One page of a customer's orders, newest first, and where the next one begins.
#[derive(Debug)]
pub struct Shelf {
    /// Each order with its events.
    pub orders: Vec<(String, Vec<Recorded>)>,
    /// The number of the first order of the next page.
    pub next: Option<u64>,
}

/// The book, open.
#[derive(Debug)]
pub struct Book(Store);

impl Book {
    /// Opens it.
    pub fn open() -> Self {
        Self(Store::open(STORE))
    }

    /// The events of an order; empty if there is none.
    pub fn events(&self, order: &str) -> Vec<Recorded> {
        self.0.get(&order_key(order)).unwrap_or_default()
    }

    /// Writes a new order down and says so. `token` goes with the news only.
    pub fn place(
        &self,
        order: &str,
        placed: Placed,
        token: &str,
        now: OffsetDateTime,
    ) -> Vec<Recorded> {
        publish(order, &News::placed(order, &placed, token));
        let counter = user_key(&placed.user);
        let number: u64 = self.0.get(&counter).unwrap_or(0);
        self.0.set(&entry_key(&placed.user, number), order);
        self.0.set(&counter, &(number + 1));
        let events = vec![Recorded {
            at: now,
            event: Event::Placed(Box::new(placed)),
        }];
        self.0.set(&order_key(order), &events);
        events
    }

    /// Does what `command` says, once; answers the order as it was before.
    pub fn run(
        &self,
        order: &str,
        command: &Command,
        now: OffsetDateTime,
    ) -> Result<Order, Refusal> {
        let mut events = self.events(order);
        let state = domain::fold(&events).ok_or_else(|| Refusal::Unknown(order.to_owned()))?;
        let Some(event) = state.decide(command)? else {
            return Ok(state);
        };
        if let Some(news) = News::about(order, &state, &event) {
            publish(order, &news);
        }
        domain::append(&mut events, event, now);
        self.0.set(&order_key(order), &events);
        Ok(state)
    }

    /// Where the order stands.
    pub fn status(&self, order: &str) -> Result<Status, Refusal> {
        let state =
            domain::fold(&self.events(order)).ok_or_else(|| Refusal::Unknown(order.to_owned()))?;
        Ok(state.status)
    }

    /// At most `size` of a customer's orders, newest first, from the one with number `from` on.
    pub fn of_user(&self, user: &str, from: Option<u64>, size: usize) -> Shelf {
        let count: u64 = self.0.get(&user_key(user)).unwrap_or(0);
        let numbers = domain::newest(count, from, size);
        let entry = |number| entry_key(user, number);
        let entries: Vec<String> = numbers.clone().rev().map(entry).collect();
        let ids: Vec<String> = self.0.get_many(&entries).into_iter().flatten().collect();
        let keys: Vec<String> = ids.iter().map(|id| order_key(id)).collect();
        let events = self
            .0
            .get_many::<Vec<Recorded>>(&keys)
            .into_iter()
            .map(Option::unwrap_or_default);
        Shelf {
            orders: ids.into_iter().zip(events).collect(),
            next: numbers.start.checked_sub(1),
        }
    }
}

fn publish(order: &str, news: &News<'_>) {
    events::publish(&CloudEvent::new(news.topic(), SOURCE, order, news).correlated(order));
}

fn order_key(order: &str) -> String {
    format!("order/{order}")
}

fn user_key(user: &str) -> String {
    format!("user/{user}")
}

fn entry_key(user: &str, number: u64) -> String {
    format!("user/{user}/{number}")
}
