//! Instances between two calls.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use wasmtime::{Store, component::Instance};
use wasmtime_wasi_http::p3::bindings::Service;

use crate::state::State;

/// An instance with more memory than this is not kept: what one large call needed must not stay taken.
const LARGEST_KEPT: usize = 4 << 20;

/// A component's instance and the store it lives in.
pub(crate) struct Live {
    pub(crate) store: Store<State>,
    pub(crate) instance: Instance,
    /// The HTTP handler, where the component has one.
    pub(crate) service: Option<Service>,
    /// How many calls it has served.
    pub(crate) served: u32,
}

/// The instances of one component that wait for a call. The one used last is used next, so that few stay warm.
#[derive(Default)]
pub(crate) struct Idle(Mutex<Vec<(Instant, Live)>>);

impl Idle {
    pub(crate) fn take(&self) -> Option<Live> {
        self.0.lock().pop().map(|(_, live)| live)
    }

    /// Keeps an instance that ended its call well, unless it is worn out.
    pub(crate) fn keep(&self, live: Live, reuse: u32) {
        let limits = &live.store.data().limits;
        if live.served < reuse && limits.used() <= LARGEST_KEPT && limits.refused().is_none() {
            self.0.lock().push((Instant::now(), live));
        }
    }

    /// Drops what has waited longer than `most`.
    pub(crate) fn trim(&self, most: Duration) {
        let now = Instant::now();
        let mut waiting = self.0.lock();
        let fresh = waiting.partition_point(|(since, _)| now.duration_since(*since) > most);
        let worn: Vec<_> = waiting.drain(..fresh).collect();
        // Dropping an instance gives its slot back to the pool: not under the lock.
        drop(waiting);
        drop(worn);
    }
}
