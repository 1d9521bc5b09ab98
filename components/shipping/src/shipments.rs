//! Carries records between the store and the rules.

use sdk::kv::Store;

use crate::domain::{self, Address, Record, Refusal, Shipment};

/// The component's only store; its keys are order ids.
const STORE: &str = "shipping";

/// Books a carrier for the order, once.
pub fn book(order: &str, user: &str, to: &Address) -> Result<Shipment, Refusal> {
    let store = Store::open(STORE);
    let known = store.get::<Record>(order);
    let record = domain::book(known.as_ref(), order, user, to)?;
    if known.as_ref() != Some(&record) {
        store.set(order, &record);
    }
    match record {
        Record::Booked { shipment, .. } => Ok(shipment),
        Record::Cancelled { .. } => Err(Refusal::Cancelled(order.to_owned())),
    }
}

/// Calls the carrier off, once.
pub fn cancel(order: &str) {
    let store = Store::open(STORE);
    let known = store.get::<Record>(order);
    let record = domain::cancel(known.as_ref());
    if known.as_ref() != Some(&record) {
        store.set(order, &record);
    }
}

/// The order's record.
pub fn find(order: &str) -> Option<Record> {
    Store::open(STORE).get(order)
}
