//! Journals on a real Redis.
//!
//! A world has a time of its own, and a server has not. So the connections are another runtime's, whose time is everybody's,
//! and the world stands still while a server is at work.

use std::{
    future::Future,
    num::NonZeroU32,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

use bytes::Bytes;
use skald_core::{
    saga::{
        RunId,
        journal::{Append, AppendError, Filter, Journal as _, Summary},
    },
    store::StoreError,
};
use skald_store::redis::{Config, Redis};
use test_redis::{Options, Server};
use tokio::runtime::{Builder, Runtime};

use crate::Failure;

/// The server of this process, if worlds are to be on one.
static STAGE: OnceLock<Stage> = OnceLock::new();

struct Stage {
    server: Server,
    runtime: Runtime,
    worlds: AtomicU64,
}

/// The journals of one world.
pub struct Servers {
    stage: &'static Stage,
    redis: Redis,
}

/// All worlds of this process keep their journals on a real server from now on. It ends with the process.
pub fn begin() -> Result<(), Failure> {
    // What a disk adds is time.
    let options = Options::default().with("appendfsync", "no");
    let stage = Stage {
        server: Server::start(options).map_err(failed)?,
        runtime: Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(failed)?,
        worlds: AtomicU64::new(0),
    };
    STAGE
        .set(stage)
        .map_err(|_| Failure::new("there is a server already"))
}

// === impl Stage ===

impl Stage {
    /// Waits on this thread for what is done on the other runtime.
    fn now<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (say, hear) = mpsc::channel();
        self.runtime.handle().spawn(async move {
            // Who waits for it is there until it is said.
            let _ = say.send(work.await);
        });
        let gone = |_| StoreError::Unavailable("the runtime has ended".to_owned());
        hear.recv().map_err(gone)
    }

    fn open(&'static self) -> Result<Servers, StoreError> {
        let number = self.worlds.fetch_add(1, Ordering::Relaxed);
        let address = self.server.url().parse();
        let unusable = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
        let address = address.map_err(|error| unusable(&error))?;
        let config = Config {
            shards: NonZeroU32::MIN,
            ..Config::new(format!("world-{number}"), address)
        };
        let redis = self.now(async move { Redis::open(config).await })?;
        let redis = redis.map_err(|error| unusable(&error))?;
        Ok(Servers { stage: self, redis })
    }
}

// === impl Servers ===

impl Servers {
    /// Journals of a new world; none where worlds are in memory.
    #[expect(
        clippy::expect_used,
        reason = "without its server a world would be in memory, and prove nothing"
    )]
    pub(crate) fn of_now() -> Option<Self> {
        let stage = STAGE.get()?;
        Some(stage.open().expect("the server can be used"))
    }

    pub(crate) fn append(&self, append: Append) -> Result<(), AppendError> {
        let redis = self.redis.clone();
        self.stage.now(async move { redis.append(append).await })?
    }

    pub(crate) fn entries(
        &self,
        run: &RunId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Bytes>, StoreError> {
        let (redis, run) = (self.redis.clone(), run.clone());
        self.stage
            .now(async move { redis.entries(&run, after, limit).await })?
    }

    pub(crate) fn find(&self, run: &RunId) -> Result<Option<Summary>, StoreError> {
        let (redis, run) = (self.redis.clone(), run.clone());
        self.stage.now(async move { redis.find(&run).await })?
    }

    pub(crate) fn list(&self, filter: &Filter) -> Result<Vec<Summary>, StoreError> {
        let (redis, filter) = (self.redis.clone(), filter.clone());
        self.stage.now(async move { redis.list(&filter).await })?
    }

    pub(crate) fn purge(&self, run: &RunId) -> Result<bool, StoreError> {
        let (redis, run) = (self.redis.clone(), run.clone());
        self.stage.now(async move { redis.purge(&run).await })?
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by value")]
fn failed(error: impl ToString) -> Failure {
    Failure::new(error.to_string())
}
