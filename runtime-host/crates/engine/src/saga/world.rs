//! The virtual world of a saga: clocks that show the time of its journal, and chance that is the same in each replay.

use std::{sync::Arc, time::Duration};

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use wasmtime::component::{Accessor, HasSelf, Linker, Resource};
use wasmtime_wasi::{
    WasiCtxBuilder,
    clocks::HostWallClock,
    p2::{DynPollable, bindings::clocks::monotonic_clock as p2},
    p3::bindings::clocks::{monotonic_clock as p3, types::Duration as Nanoseconds},
};

use super::playing::{Playing, trap};
use crate::{flavour::Flavour, state::State};

/// Waiting by a clock would begin anew with each replay.
const NO_WAITING: &str = "a saga sleeps with skald:saga/flow.sleep";

/// Times of a journal are microseconds.
const RESOLUTION: Duration = Duration::from_micros(1);

/// The wall clock of a run.
struct WallClock(Arc<Playing>);

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.0.stage().now())
    }
}

/// Puts time and chance into an instance. The three interfaces of chance have streams of their own, so that how much is
/// read of one changes nothing about the others.
pub(crate) fn furnish(builder: &mut WasiCtxBuilder, playing: &Arc<Playing>) {
    let stream = |number: u64| {
        let mut stream = ChaCha20Rng::from_seed(playing.stage().run().seed());
        stream.set_stream(number);
        stream
    };
    let mut seed = [0; 16];
    stream(2).fill_bytes(&mut seed);
    builder
        .secure_random(stream(0))
        .insecure_random(stream(1))
        .insecure_random_seed(u128::from_le_bytes(seed))
        .wall_clock(WallClock(Arc::clone(playing)));
}

/// Replaces the clocks that a guest could wait by.
pub(super) fn replace_clocks(linker: &mut Linker<State>, flavour: Flavour) -> wasmtime::Result<()> {
    type Own = HasSelf<State>;
    linker.allow_shadowing(true);
    p2::add_to_linker::<State, Own>(linker, |state| state)?;
    if flavour == Flavour::Concurrent {
        p3::add_to_linker::<State, Own>(linker, |state| state)?;
    }
    linker.allow_shadowing(false);
    Ok(())
}

impl State {
    fn nanoseconds(&self) -> wasmtime::Result<u64> {
        Ok(self.playing()?.stage().now().saturating_mul(1_000))
    }
}

impl p2::Host for State {
    fn now(&mut self) -> wasmtime::Result<p2::Instant> {
        self.nanoseconds()
    }

    fn resolution(&mut self) -> wasmtime::Result<p2::Duration> {
        Ok(resolution())
    }

    fn subscribe_instant(&mut self, _: p2::Instant) -> wasmtime::Result<Resource<DynPollable>> {
        Err(trap(NO_WAITING.to_owned()))
    }

    fn subscribe_duration(&mut self, _: p2::Duration) -> wasmtime::Result<Resource<DynPollable>> {
        Err(trap(NO_WAITING.to_owned()))
    }
}

impl p3::Host for State {
    fn now(&mut self) -> wasmtime::Result<p3::Mark> {
        self.nanoseconds()
    }

    fn get_resolution(&mut self) -> wasmtime::Result<Nanoseconds> {
        Ok(resolution())
    }
}

impl p3::HostWithStore<State> for HasSelf<State> {
    async fn wait_until(_: &Accessor<State, Self>, _: p3::Mark) -> wasmtime::Result<()> {
        Err(trap(NO_WAITING.to_owned()))
    }

    async fn wait_for(_: &Accessor<State, Self>, _: Nanoseconds) -> wasmtime::Result<()> {
        Err(trap(NO_WAITING.to_owned()))
    }
}

fn resolution() -> u64 {
    u64::try_from(RESOLUTION.as_nanos()).unwrap_or(u64::MAX)
}
