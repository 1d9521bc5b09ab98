//! What deliveries hear as the generation of a book: the book's own, and how often a connection was lost before.
//!
//! Behind a new connection may be a server that knows less than the one before: a replica that lagged, or the same one with
//! its end lost. A delivery that went on from what it has in memory would move the cursor past events whose handling is lost. So it
//! reads its book anew after each loss, as it does when somebody has sent it back.

use crate::redis::link::Link;

/// Nobody sends a subscriber back so often.
const BITS: u32 = 40;

/// As deliveries hear it. To be asked for before the book is read, so that a loss meanwhile is noticed later.
pub(crate) fn life(link: &Link) -> u64 {
    u64::from(link.losses()) << BITS
}

/// The book's own.
pub(crate) const fn own(generation: u64) -> u64 {
    generation & ((1 << BITS) - 1)
}

/// Whether a connection was lost since a delivery heard this.
pub(crate) fn is_past(link: &Link, generation: u64) -> bool {
    generation & !((1 << BITS) - 1) != life(link)
}
