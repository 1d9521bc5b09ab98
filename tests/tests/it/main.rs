//! The shop and the host, from outside. Every test starts a host of its own, on data of its own.

#![expect(
    clippy::indexing_slicing,
    reason = "JSON that lacks a member fails the test, as it should"
)]

mod admin;
mod audit;
mod cancelling;
mod crowd;
mod durability;
mod events;
mod fraud;
mod guests;
mod history;
mod hostile;
mod manifests;
mod nodes;
mod parked;
mod refusals;
mod requests;
mod returning;
mod shop;
mod soak;
mod stopping;
mod upgrading;
mod weather;
mod world;
