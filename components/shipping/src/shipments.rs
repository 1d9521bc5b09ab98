//! Carries records between the store and the rules.

use sdk::kv::Store;

use crate::domain::{self, Address, Parcel, Record, Refusal, Shipment};

/// The component's only store; its keys are order ids.
const STORE: &str = "shipping";

/// The shipments, at one moment.
#[derive(Debug)]
pub struct Shipments {
    store: Store,
    /// In milliseconds since 1970.
    now: u64,
}

impl Shipments {
    /// The shipments at `now`, in milliseconds since 1970.
    pub fn open(now: u64) -> Self {
        Self {
            store: Store::open(STORE),
            now,
        }
    }

    /// Books a carrier for the order, once; the parcel leaves `dispatch_after` seconds later.
    pub fn book(
        &self,
        order: &str,
        user: &str,
        to: &Address,
        dispatch_after: u64,
    ) -> Result<Shipment, Refusal> {
        let leaves = self
            .now
            .saturating_add(dispatch_after.saturating_mul(1_000));
        let parcel = Parcel {
            order,
            user,
            to,
            leaves,
        };
        match self.change(order, |known| domain::book(known, &parcel))? {
            Record::Booked(booking) => Ok(booking.shipment),
            Record::Cancelled { .. } => Err(Refusal::Cancelled(order.to_owned())),
        }
    }

    /// Calls the carrier off, once, if the parcel has not left.
    pub fn cancel(&self, order: &str) -> Result<(), Refusal> {
        self.change(order, |known| domain::cancel(known, order, self.now))?;
        Ok(())
    }

    /// Takes a cancellation back, once.
    pub fn reinstate(&self, order: &str) {
        let Some(known) = self.find(order) else {
            return;
        };
        let record = domain::reinstate(&known);
        if record != known {
            self.store.set(order, &record);
        }
    }

    /// The order's record.
    pub fn find(&self, order: &str) -> Option<Record> {
        self.store.get(order)
    }

    fn change(
        &self,
        order: &str,
        change: impl FnOnce(Option<&Record>) -> Result<Record, Refusal>,
    ) -> Result<Record, Refusal> {
        let known = self.find(order);
        let record = change(known.as_ref())?;
        if known.as_ref() != Some(&record) {
            self.store.set(order, &record);
        }
        Ok(record)
    }
}
