//! Where the events are: in a file, or in Redis, opened as the host opens them.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use anyhow::Result;
use parking_lot::Mutex;
use skald_core::{
    event::{EventLog, Published},
    store::Store,
};
use skald_store::{
    Embedded,
    redis::{Config, Granted, Notice, Redis},
};
use skald_telemetry::tasks::Tasks;
use tokio::sync::Notify;

use super::message::HANDLER;

/// Who publishes.
const PUBLISHER: &str = "orders";

/// Where the events are.
pub(super) struct Ground {
    pub(super) log: Arc<dyn EventLog>,
    /// As who publishes sees it.
    pub(super) publisher: Arc<dyn Store>,
    /// As the handler sees it.
    pub(super) handler: Arc<dyn Store>,
    /// Rung when something may have been published.
    pub(super) bell: Arc<Bell>,
}

/// Rung when something may have been published.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<Rung>,
    waiting: Notify,
}

/// What may have been published since the bell was heard last.
#[derive(Default)]
pub(super) struct Rung {
    pub(super) anything: bool,
    pub(super) published: BTreeSet<Published>,
}

// === impl Ground ===

impl Ground {
    /// In a file of this folder.
    pub(super) fn embedded(folder: &Path) -> Result<Self> {
        let bell = Arc::<Bell>::default();
        let rung = Arc::clone(&bell);
        let mut config = skald_store::Config::new(folder);
        config.on_events = Arc::new(move || rung.ring(None));
        let store = Embedded::open(config)?;
        Ok(Self {
            log: Arc::new(store.clone()),
            publisher: Arc::new(store.clone()),
            handler: Arc::new(store),
            bell,
        })
    }

    /// In Redis, as this application. What is published on the topic is heard of by a task: also what other applications
    /// publish there, which is taken in as a stranger's.
    pub(super) async fn redis(
        url: &str,
        (application, topic): (&str, &str),
        tasks: &Tasks,
    ) -> Result<Self> {
        let mut config = Config::new(application, url.parse()?);
        let granted = |component: &str, stores: &[&str]| Granted {
            component: component.into(),
            stores: stores.iter().copied().map(Arc::from).collect(),
        };
        config.components = vec![granted(PUBLISHER, &[]), granted(HANDLER, &[HANDLER])];
        let redis = Redis::open(config).await?;
        let bell = Arc::<Bell>::default();
        let rung = Arc::clone(&bell);
        let (mut news, shutdown) = (redis.watch([topic.into()]), tasks.shutdown());
        tasks.spawn("news from Redis", async move {
            loop {
                tokio::select! {
                    biased;
                    () = shutdown.wait() => return,
                    notice = news.next() => rung.ring(match notice {
                        Notice::Own(published) | Notice::Outside(published) => Some(published),
                        Notice::Anew => None,
                    }),
                }
            }
        });
        Ok(Self {
            publisher: redis.of(PUBLISHER),
            handler: redis.of(HANDLER),
            log: Arc::new(redis),
            bell,
        })
    }
}

// === impl Bell ===

impl Bell {
    /// That was published, or anything.
    fn ring(&self, published: Option<Published>) {
        let mut rung = self.rung.lock();
        match published {
            Some(published) => drop(rung.published.insert(published)),
            None => rung.anything = true,
        }
        drop(rung);
        self.waiting.notify_one();
    }

    /// Waits until it is rung.
    pub(super) async fn heard(&self) -> Rung {
        self.waiting.notified().await;
        std::mem::take(&mut *self.rung.lock())
    }
}
