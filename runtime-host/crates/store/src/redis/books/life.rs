//! What deliveries hear as the generation of a book: the book's own, and in which life of the link it was read.
//!
//! In another life the server may know less: be a replica that lagged, or the same one with its end lost. A delivery that went
//! on from what it has in memory would move the cursor past events whose handling is lost. So it reads its book
//! anew, as it does when somebody has sent it back, and what it had begun before comes too late.

use crate::redis::link::Link;

/// Nobody sends a subscriber back so often.
const BITS: u32 = 40;

/// As deliveries hear it. To be asked for before the book is read, so that what happens meanwhile is noticed later.
pub(crate) fn life(link: &Link) -> u64 {
    u64::from(link.life()) << BITS
}

/// The life that a delivery heard of.
pub(crate) fn of(generation: u64) -> u32 {
    u32::try_from(generation >> BITS).unwrap_or(u32::MAX)
}

/// The book's own.
pub(crate) const fn own(generation: u64) -> u64 {
    generation & ((1 << BITS) - 1)
}
