//! The services of the shop without their stores and their glue, and the plans of its sagas over them.
//!
//! Components share contracts, never Rust. What proves that their rules fit together looks into the folders of all of
//! them: the tests beside this folder, which play every order of steps, and `tests/faults`, which has the coordinator
//! carry the same plans and ends it at every place. Both take this folder as it is.

#![expect(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "domains are written for their own crates, and taken whole"
)]

pub(crate) mod call;
pub(crate) mod plans;
pub(crate) mod serve;
pub(crate) mod world;

#[path = "../../src"]
pub(crate) mod checkout {
    pub mod domain;
    pub mod order;
}

#[path = "../../../cancel-order/src"]
pub(crate) mod cancel_order {
    pub mod domain;
}

#[path = "../../../return-order/src"]
pub(crate) mod return_order {
    pub mod decision;
    pub mod domain;
}

#[path = "../../../cart/src"]
pub(crate) mod cart {
    pub mod domain;
}

#[path = "../../../fraud/src"]
pub(crate) mod fraud {
    pub mod domain;
}

#[path = "../../../inventory/src"]
pub(crate) mod inventory {
    pub mod domain;
}

#[path = "../../../orders/src"]
pub(crate) mod orders {
    pub mod domain;
}

#[path = "../../../payments/src"]
pub(crate) mod payments {
    pub mod domain;
}

#[path = "../../../psp/src"]
pub(crate) mod psp {
    pub mod domain;
}

#[path = "../../../shipping/src"]
pub(crate) mod shipping {
    pub mod domain;
}
