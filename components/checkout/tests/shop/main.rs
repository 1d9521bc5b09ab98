//! The sagas over the rules of all services: whatever is refused, cancelled or interleaved, the books agree.
//!
//! Components share contracts, never Rust. These tests alone look into the folders of others: they take the domains as
//! they are, without their stores and their glue, and with them the sagas that might meet.

#![expect(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "domains are written for their own crates, and taken whole"
)]

#[cfg(test)]
mod races;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod returns;
#[cfg(test)]
mod services;
#[cfg(test)]
mod world;

#[path = "../../src"]
mod checkout {
    pub mod domain;
    pub mod order;
}

#[path = "../../../cancel-order/src"]
mod cancel_order {
    pub mod domain;
}

#[path = "../../../return-order/src"]
mod return_order {
    pub mod decision;
    pub mod domain;
}

#[path = "../../../cart/src"]
mod cart {
    pub mod domain;
}

#[path = "../../../inventory/src"]
mod inventory {
    pub mod domain;
}

#[path = "../../../orders/src"]
mod orders {
    pub mod domain;
}

#[path = "../../../payments/src"]
mod payments {
    pub mod domain;
}

#[path = "../../../psp/src"]
mod psp {
    pub mod domain;
}

#[path = "../../../shipping/src"]
mod shipping {
    pub mod domain;
}
