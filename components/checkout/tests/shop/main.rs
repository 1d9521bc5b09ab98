//! The sagas over the rules of all services: whatever is refused, cancelled or interleaved, the books agree.
//!
//! The services are those of `../services`, which take the domains as they are, and with them the sagas that might meet.

#[cfg(test)]
mod races;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rehearsed;
#[cfg(test)]
mod returns;
#[path = "../services/services.rs"]
mod services;
