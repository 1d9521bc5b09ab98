//! All deliveries of a host: one for each subscriber and partition that are this host's to serve.
//!
//! Which those are may change at any time. Nothing depends on it that two hosts agree: a partition that two of them serve
//! for a moment has its events handled once all the same, by the inbox marks, and in order for each key, since nobody begins
//! an event before the one ahead of it is handled.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use skald_core::{
    call::{DynCall, chain},
    event::{Book, EventLog, Interest, NewEvent, Published},
    store::StoreError,
};
use skald_telemetry::tasks::{Shutdown, Tasks};
use tokio::{select, sync::Notify, time::sleep};

use crate::{Config, delivery::Delivery, handle::Handle};

#[cfg(test)]
mod tests;

/// How often it is looked for partitions that are new, or are another's to serve.
const LOOK: Duration = Duration::from_secs(1);

/// Says whether a partition is this host's to serve for a subscriber.
pub type Share = Arc<dyn Fn(&Book) -> bool + Send + Sync>;

/// All deliveries of a host. Clones are the same ones.
#[derive(Clone)]
pub struct Deliveries(Arc<Inner>);

struct Inner {
    config: Config,
    interests: Vec<Interest>,
    log: Arc<dyn EventLog>,
    calls: Arc<dyn DynCall>,
    share: Share,
    running: Mutex<HashMap<Book, Running>>,
    rouse: Notify,
    tasks: Tasks,
}

struct Running {
    handle: Handle,
    /// What it wants to hear, also of what is for it alone.
    topics: Vec<Arc<str>>,
    /// Says stop to this delivery alone.
    leash: Tasks,
}

// === impl Deliveries ===

impl Deliveries {
    /// Deliveries that have not begun. They will be tasks of `tasks`.
    pub fn new(
        config: Config,
        interests: Vec<Interest>,
        (log, calls): (Arc<dyn EventLog>, Arc<dyn DynCall>),
        share: Share,
        tasks: &Tasks,
    ) -> Self {
        Self(Arc::new(Inner {
            config,
            interests,
            log,
            calls,
            share,
            running: Mutex::default(),
            rouse: Notify::new(),
            tasks: tasks.clone(),
        }))
    }

    /// Sees to it that what is this host's to serve is served, until told to stop; then all deliveries end.
    pub async fn run(self, shutdown: Shutdown) {
        while !shutdown.is_said() {
            if let Err(error) = self.look().await {
                tracing::warn!(
                    code = error.code(),
                    error = chain(&error),
                    "the partitions of the log cannot be seen"
                );
            }
            select! {
                biased;
                () = shutdown.wait() => (),
                () = self.0.rouse.notified() => (),
                () = sleep(LOOK) => (),
            }
        }
        for running in self.0.running.lock().values() {
            running.leash.stop();
        }
    }

    /// Says that there may be new events. It may be said too often, and forgotten: deliveries look by themselves now and
    /// then.
    pub fn wake(&self) {
        for running in self.0.running.lock().values() {
            running.handle.wake();
        }
    }

    /// The same, for what was published: only those have to look that serve its partition and want to hear its topic.
    pub fn wake_for(&self, published: &BTreeSet<Published>) {
        for (book, running) in self.0.running.lock().iter() {
            let is_news = |one: &Published| {
                one.partition == book.partition && running.topics.contains(&one.topic)
            };
            if published.iter().any(is_news) {
                running.handle.wake();
            }
        }
    }

    /// Says that other partitions than before may be this host's to serve.
    pub fn rouse(&self) {
        self.0.rouse.notify_one();
    }

    /// Waits until everything that is in the log, and everything that its handlers publish meanwhile, is handled or buried,
    /// as far as it is this host's to handle. A delivery that ends meanwhile is not waited for.
    pub async fn settle(&self) -> Result<(), StoreError> {
        loop {
            self.look().await?;
            let before = self.heads().await?;
            let handles: Vec<_> = {
                let running = self.0.running.lock();
                running.values().map(|one| one.handle.clone()).collect()
            };
            for handle in handles {
                let _ = handle.idle().await;
            }
            self.look().await?;
            if self.heads().await? == before {
                return Ok(());
            }
        }
    }

    /// Begins and ends deliveries as they are this host's to serve.
    async fn look(&self) -> Result<(), StoreError> {
        let mut named = HashSet::new();
        for interest in &self.0.interests {
            for partition in self.0.log.partitions(interest).await? {
                let book = Book {
                    group: Arc::clone(&interest.group),
                    partition,
                };
                self.see(interest, &book);
                named.insert(book);
            }
        }
        let mut running = self.0.running.lock();
        running.retain(|_, one| !one.handle.has_ended());
        for (book, one) in running.iter() {
            // A partition that the log does not name any more cannot hold anything that is wanted: asking for its news at
            // each wake-up is for nothing.
            if !named.contains(book) || !(self.0.share)(book) {
                one.leash.stop();
            }
        }
        Ok(())
    }

    fn see(&self, interest: &Interest, book: &Book) {
        let Inner {
            config,
            log,
            calls,
            share,
            running,
            tasks,
            ..
        } = &*self.0;
        let mut running = running.lock();
        // One that ends, since the partition was another's meanwhile, ends first.
        if !share(book) || running.contains_key(book) || tasks.shutdown().is_said() {
            return;
        }
        let (delivery, handle) = Delivery::new(
            config.clone(),
            (interest.clone(), book.clone()),
            Arc::clone(log),
            Arc::clone(calls),
        );
        let leash = Tasks::new();
        tasks.spawn(
            format!("delivery to {book}"),
            delivery.run(leash.shutdown()),
        );
        let own = NewEvent::topic_for(&interest.group);
        let topics = interest.topics.iter().cloned().chain([own]).collect();
        let one = Running {
            handle,
            topics,
            leash,
        };
        running.insert(book.clone(), one);
    }

    /// How far each partition goes that is served.
    async fn heads(&self) -> Result<HashMap<Book, u64>, StoreError> {
        let books: Vec<_> = self.0.running.lock().keys().cloned().collect();
        let mut heads = HashMap::with_capacity(books.len());
        for book in books {
            let newest = self.0.log.head(&book).await?.newest;
            heads.insert(book, newest);
        }
        Ok(heads)
    }
}
