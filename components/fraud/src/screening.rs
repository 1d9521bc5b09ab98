//! Carries histories between the store and the rules.
//!
//! Keys: `order/<order>` is one order, `user/<user>` its customer's history, `address/<digest>` who has ordered to an
//! address. One call touches one of each.

use sdk::{ids, kv::Store, variables};
use serde::{Serialize, de::DeserializeOwned};
use time::OffsetDateTime;

use crate::domain::{
    self, Customer, Doorstep, Limits, Outcome, Record, Refusal, Request, Verdict,
    doorstep::Address, record::Scale,
};

/// The component's only store.
const STORE: &str = "fraud";

/// All histories, at one moment.
#[derive(Debug)]
pub struct Screening {
    store: Store,
    limits: Limits,
    /// In milliseconds since 1970.
    now: u64,
}

/// One order and its customer, as they were read and as they are now.
struct File {
    record: Entry<Record>,
    customer: Entry<Customer>,
}

/// A document that is written only if it has changed: who has only read has nothing to commit.
struct Entry<T> {
    key: String,
    before: Option<T>,
    now: T,
}

impl Screening {
    /// The histories at `now`, in milliseconds since 1970, under the limits of the manifest.
    pub fn open(now: u64) -> Self {
        Self {
            store: Store::open(STORE),
            limits: limits(),
            now,
        }
    }

    /// Weighs an order, once.
    pub fn screen(&self, request: &Request, to: &Address<'_>) -> Result<Verdict, Refusal> {
        request.check()?;
        let mut file = self.file(&request.order, &request.user);
        let mut doorstep = Entry::<Doorstep>::read(&self.store, address_key(to));
        let Limits {
            neighbours, window, ..
        } = self.limits;
        doorstep
            .now
            .visit(&request.user, neighbours, window, self.now);
        let scale = Scale {
            doorstep: &doorstep.now,
            limits: &self.limits,
            now: self.now,
        };
        let verdict = file
            .record
            .now
            .screen(&mut file.customer.now, request, scale)?;
        doorstep.write(&self.store);
        file.write(&self.store);
        Ok(verdict)
    }

    /// Gives back what the order was to cost, once.
    pub fn withdraw(&self, order: &str) -> Result<(), Refusal> {
        domain::check_id("order", order)?;
        let mut record = Entry::<Record>::read(&self.store, order_key(order));
        // Of an order that nobody has told us of there is no customer to change.
        let customer = record.now.user().map(user_key);
        let mut customer = customer.map(|key| Entry::<Customer>::read(&self.store, key));
        let history = customer.as_mut().map(|entry| &mut entry.now);
        record
            .now
            .withdraw(history.unwrap_or(&mut Customer::default()));
        record.write(&self.store);
        if let Some(customer) = customer {
            customer.write(&self.store);
        }
        Ok(())
    }

    /// An account was made.
    pub fn register(&self, user: &str, at: u64) {
        let mut customer = Entry::<Customer>::read(&self.store, user_key(user));
        customer.now.register(at);
        customer.write(&self.store);
    }

    /// An order was placed at `at`.
    pub fn place(&self, request: &Request, at: u64) {
        let mut file = self.file(&request.order, &request.user);
        let scale = (&self.limits, self.now);
        file.record
            .now
            .place(&mut file.customer.now, request, at, scale);
        file.write(&self.store);
    }

    /// Something happened to an order at `at`.
    pub fn end(&self, order: &str, user: &str, outcome: Outcome, at: u64) {
        let mut file = self.file(order, user);
        let scale = (at, &self.limits);
        file.record
            .now
            .end(&mut file.customer.now, order, outcome, scale);
        file.write(&self.store);
    }

    fn file(&self, order: &str, user: &str) -> File {
        File {
            record: Entry::read(&self.store, order_key(order)),
            customer: Entry::read(&self.store, user_key(user)),
        }
    }
}

impl File {
    fn write(&self, store: &Store) {
        self.record.write(store);
        self.customer.write(store);
    }
}

impl<T: Clone + Default + PartialEq + Serialize + DeserializeOwned> Entry<T> {
    fn read(store: &Store, key: String) -> Self {
        let before: Option<T> = store.get(&key);
        Self {
            now: before.clone().unwrap_or_default(),
            before,
            key,
        }
    }

    fn write(&self, store: &Store) {
        let is_new = self.before.is_none() && self.now != T::default();
        if is_new
            || self
                .before
                .as_ref()
                .is_some_and(|before| *before != self.now)
        {
            store.set(&self.key, &self.now);
        }
    }
}

/// What the manifest says; spans are in seconds there.
fn limits() -> Limits {
    let seconds = |name| variables::get_number(name).saturating_mul(1_000);
    Limits {
        window: seconds("window"),
        order: variables::get_number("order_limit"),
        unusual: variables::get_number("unusual"),
        orders: variables::get_number("orders"),
        spending: variables::get_number("spending"),
        rejections: variables::get_number("rejections"),
        neighbours: variables::get_number("neighbours"),
        new_account: seconds("new_account"),
        first_order: variables::get_number("first_order"),
    }
}

fn order_key(order: &str) -> String {
    format!("order/{order}")
}

fn user_key(user: &str) -> String {
    format!("user/{user}")
}

/// Addresses are longer than keys may be, and nobody needs to read them here.
fn address_key(to: &Address<'_>) -> String {
    let digest = ids::derived("adr", OffsetDateTime::UNIX_EPOCH, &to.normal());
    format!("address/{digest}")
}

#[cfg(test)]
mod tests;
