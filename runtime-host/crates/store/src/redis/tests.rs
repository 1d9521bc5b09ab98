//! Units of work, the log and the watch on Redis: the contract, the model, and servers that die, fill up or forget.

mod addresses;
mod batches;
mod faults;
mod lives;
mod marks;
mod model;
mod places;
mod speed;
mod watching;
mod ways;

use std::{sync::Arc, time::SystemTime};

use skald_core::{
    call::BoxFuture,
    event::{
        Book, DeadLetter, Event, EventLog, Failure, Head, Interest, Partition, Progress,
        archive::{Archive, Behind, Keep, LetterId, Letters, Topic},
    },
    store::{Change, CommitError, Snapshot, Store, StoreError},
};
use test_redis::{Cluster, Options, Server};

use crate::redis::{Config, Granted, Redis};

mod on_a_server {
    crate::contract_suite!(super::on_a_server, units);
}

mod in_a_cluster {
    crate::contract_suite!(super::in_a_cluster, units);
}

async fn on_a_server() -> (Arc<Whole>, Server) {
    let server = server();
    (Arc::new(Whole::open("app", &server.url()).await), server)
}

async fn in_a_cluster() -> (Arc<Whole>, Cluster) {
    let cluster = Cluster::start(3).unwrap();
    (
        Arc::new(Whole::open("app", &address(&cluster)).await),
        cluster,
    )
}

fn server() -> Server {
    Server::start(Options::default()).unwrap()
}

fn address(cluster: &Cluster) -> String {
    let hosts = cluster.addresses();
    let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    format!("redis+cluster://{}", hosts.join(","))
}

/// An application in which everybody the suite knows of is granted all stores, and so shares one place.
fn config(application: &str, url: &str) -> Config {
    let stores = ["stock", "more", "other", "a", "b"].map(Arc::from);
    let components = ["writer", "cart", "stock", "group", "nobody"];
    Config {
        components: components
            .map(|component| Granted {
                component: component.into(),
                stores: stores.to_vec(),
            })
            .to_vec(),
        ..Config::new(application, url.parse().unwrap())
    }
}

/// The adapter with one component's store, as if it were one thing.
struct Whole {
    redis: Redis,
    store: Arc<dyn Store>,
}

// === impl Whole ===

impl Whole {
    async fn open(application: &str, url: &str) -> Self {
        Self::open_with(config(application, url)).await
    }

    async fn open_with(config: Config) -> Self {
        let redis = Redis::open(config).await.unwrap();
        let store = redis.of("writer");
        Self { redis, store }
    }
}

impl Store for Whole {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        self.store.snapshot()
    }

    fn commit(&self, change: Change, now: SystemTime) -> BoxFuture<'_, Result<(), CommitError>> {
        self.store.commit(change, now)
    }
}

impl EventLog for Whole {
    fn partitions<'a>(
        &'a self,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Vec<Partition>, StoreError>> {
        self.redis.partitions(interest)
    }

    fn read<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        self.redis.read(partition, interest, after, limit)
    }

    fn head<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Head, StoreError>> {
        self.redis.head(book)
    }

    fn progress<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Progress, StoreError>> {
        self.redis.progress(book)
    }

    fn advance<'a>(
        &'a self,
        book: &'a Book,
        generation: u64,
        cursor: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.redis.advance(book, generation, cursor)
    }

    fn note_failure<'a>(
        &'a self,
        book: &'a Book,
        failure: Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.redis.note_failure(book, failure)
    }

    fn bury(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>> {
        self.redis.bury(letter)
    }
}

impl Archive for Whole {
    fn topics(&self) -> BoxFuture<'_, Result<Vec<Topic>, StoreError>> {
        self.redis.topics()
    }

    fn parts(&self) -> BoxFuture<'_, Result<Vec<Partition>, StoreError>> {
        self.redis.parts()
    }

    fn page<'a>(
        &'a self,
        partition: &'a Partition,
        topics: &'a [Arc<str>],
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        self.redis.page(partition, topics, after, limit)
    }

    fn before<'a>(
        &'a self,
        partition: &'a Partition,
        at: SystemTime,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.redis.before(partition, at)
    }

    fn behind<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Behind, StoreError>> {
        self.redis.behind(partition, interest)
    }

    fn dead_letters<'a>(
        &'a self,
        asked: &'a Letters,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, StoreError>> {
        self.redis.dead_letters(asked)
    }

    fn dead_letter<'a>(
        &'a self,
        id: &'a LetterId,
    ) -> BoxFuture<'a, Result<Option<DeadLetter>, StoreError>> {
        self.redis.dead_letter(id)
    }

    fn redrive<'a>(
        &'a self,
        id: &'a LetterId,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.redis.redrive(id, now)
    }

    fn discard<'a>(&'a self, id: &'a LetterId) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.redis.discard(id)
    }

    fn rewind<'a>(&'a self, book: &'a Book, to: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        self.redis.rewind(book, to)
    }

    fn trim<'a>(
        &'a self,
        partition: &'a Partition,
        keep: Keep,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.redis.trim(partition, keep)
    }
}
