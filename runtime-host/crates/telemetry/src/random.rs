//! Numbers that differ: for ids and for jitter, never for secrets.
//!
//! Each thread has its own generator (xoroshiro128++), so that drawing a number takes no lock and no system call.

use std::{
    cell::Cell,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

thread_local! {
    static STATE: Cell<(u64, u64)> = Cell::new(seed());
}

/// The next 64 bits.
pub fn bits() -> u64 {
    STATE.with(|state| {
        let (a, b) = state.get();
        let drawn = a.wrapping_add(b).rotate_left(17).wrapping_add(a);
        let mixed = a ^ b;
        state.set((
            a.rotate_left(49) ^ mixed ^ (mixed << 21),
            mixed.rotate_left(28),
        ));
        drawn
    })
}

/// A number from 0 up to, and without, 1.
pub fn fraction() -> f64 {
    // 53 bits are what a double holds exactly; as two halves they convert without loss.
    let drawn = bits() >> 11;
    let (high, low) = ((drawn >> 32) & 0x001f_ffff, drawn & 0xffff_ffff);
    let exact = |half: u64| f64::from(u32::try_from(half).unwrap_or_default());
    (exact(high) * 4_294_967_296.0 + exact(low)) / 9_007_199_254_740_992.0
}

/// A pause between nothing and `most`: full jitter, which spreads those who failed together the widest.
pub fn up_to(most: Duration) -> Duration {
    most.mul_f64(fraction())
}

/// The standard library seeds its hashers from the operating system, once per thread.
fn seed() -> (u64, u64) {
    let system = RandomState::new();
    let state = (
        system.hash_one("first half"),
        system.hash_one("second half"),
    );
    // The generator cannot leave all zeroes.
    if state == (0, 0) { (1, 0) } else { state }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread, time::Duration};

    use super::{bits, fraction, up_to};

    #[test]
    fn threads_draw_different_numbers() {
        let draw = || (0..10_000).map(|_| bits()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(draw)).collect();
        let all: HashSet<u64> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(all.len(), 40_000);
    }

    #[test]
    fn fractions_fill_the_unit_interval_evenly() {
        let drawn: Vec<f64> = (0..100_000).map(|_| fraction()).collect();
        assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = drawn.iter().sum::<f64>() / 100_000.0;
        assert!((0.49..0.51).contains(&mean), "{mean}");
    }

    #[test]
    fn a_jittered_pause_is_never_longer_than_asked() {
        let most = Duration::from_millis(50);
        assert!((0..10_000).all(|_| up_to(most) < most));
    }
}
