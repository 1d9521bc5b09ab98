//! Publishers, the log, deliveries and a handler, connected as the host connects them.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use skald_core::{call::DynCall, event::Interest, store::Store};
use skald_events::{Config, Deliveries, Share};
use skald_telemetry::tasks::Tasks;

use super::{
    counted::Counted,
    ground::Ground,
    handler::{Seen, Watched},
    message::{HANDLER, TOPIC},
};

/// Deliveries at work.
pub(super) struct Scene {
    pub(super) publisher: Arc<dyn Store>,
    pub(super) log: Arc<Counted>,
}

// === impl Scene ===

impl Scene {
    /// Deliveries to `calls`, `at_once` of them on a partition. `seen` hears what was handled.
    pub(super) fn open(
        ground: Ground,
        (calls, seen): (Arc<dyn DynCall>, Seen),
        share: Share,
        at_once: NonZeroUsize,
        tasks: &Tasks,
    ) -> Self {
        let log = Arc::new(Counted::new(ground.log));
        let interest = Interest {
            group: HANDLER.into(),
            topics: vec![TOPIC.into()],
        };
        let watched = Arc::new(Watched { inner: calls, seen });
        let port = Arc::clone(&log);
        let deliveries = Deliveries::new(
            config(at_once),
            vec![interest],
            (port, watched),
            share,
            tasks,
        );
        let run = deliveries.clone().run(tasks.shutdown());
        tasks.spawn("deliveries", run);
        let (shutdown, bell) = (tasks.shutdown(), ground.bell);
        tasks.spawn("wake-up of deliveries", async move {
            loop {
                tokio::select! {
                    biased;
                    () = shutdown.wait() => return,
                    rung = bell.heard() => if rung.anything {
                        deliveries.wake();
                    } else {
                        deliveries.wake_for(&rung.published);
                    },
                }
            }
        });
        Self {
            publisher: ground.publisher,
            log,
        }
    }
}

/// How many handlers are at work at once on a partition in applications that say nothing else.
pub(super) const AT_ONCE: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// For the rest what applications have that say nothing else.
fn config(at_once: NonZeroUsize) -> Config {
    const ATTEMPTS: NonZeroU32 = NonZeroU32::new(8).unwrap();
    Config {
        concurrency: at_once,
        attempts: ATTEMPTS,
        backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(30),
        window: Config::WINDOW,
    }
}
