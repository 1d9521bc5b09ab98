//! Redis without a host: `XADD`, `XREADGROUP`, and `XACK` for each message, on one stream with one consumer.
//!
//! Commands share a few connections, as the host's do. Who has added a message waits until it is acknowledged.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::future::try_join_all;
use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};
use skald_telemetry::tasks::{Shutdown, Tasks};
use tokio::{task::JoinSet, time::Instant};

use super::{crowd::Turn, message, waiting::Waiting};

const STREAM: &str = "bare";
const GROUP: &str = "group";

/// How many connections there are, beside the one that reads.
const LANES: usize = 16;

/// How many messages are read at once.
const PAGE: usize = 256;

/// For how long a read waits, in milliseconds.
const BLOCK: u32 = 200;

/// What a read answers: of each stream its entries, each an id and fields.
type Read = Option<Vec<(String, Vec<Entry>)>>;
type Entry = (String, HashMap<String, Bytes>);

/// A stream of Redis, and who reads it.
pub(super) struct Bare {
    lanes: Arc<Lanes>,
    waiting: Arc<Waiting>,
}

struct Lanes(Vec<MultiplexedConnection>);

// === impl Bare ===

impl Bare {
    pub(super) async fn open(url: &str, keys: u32, tasks: &Tasks) -> Result<Self> {
        let client = Client::open(url)?;
        // The answer to a read comes when there is something.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let dial = || client.get_multiplexed_async_connection_with_config(&config);
        let lanes = Arc::new(Lanes(try_join_all((0..LANES).map(|_| dial())).await?));
        let mut reader = dial().await?;
        let mut command = redis::cmd("XGROUP");
        command
            .arg("CREATE")
            .arg(STREAM)
            .arg(GROUP)
            .arg("$")
            .arg("MKSTREAM");
        // It is there already from the second time on.
        let _: Result<String, _> = command.query_async(&mut reader).await;
        let waiting = Waiting::new(keys);
        let consumer = Consumer {
            reader,
            lanes: Arc::clone(&lanes),
            waiting: Arc::clone(&waiting),
        };
        let shutdown = tasks.shutdown();
        tasks.spawn("consumer", async move {
            if let Err(error) = consumer.run(shutdown).await {
                tracing::error!(%error, "the consumer ended");
            }
        });
        Ok(Self { lanes, waiting })
    }

    /// Adds a message, and waits until it is acknowledged.
    pub(super) fn turn(&self) -> Turn {
        let (lanes, waiting) = (Arc::clone(&self.lanes), Arc::clone(&self.waiting));
        Arc::new(move |key| {
            let (lanes, told) = (Arc::clone(&lanes), waiting.expect(key));
            Box::pin(async move {
                let mut command = redis::cmd("XADD");
                let payload = message::payload(key, 0);
                command.arg(STREAM).arg("*").arg("p").arg(&*payload);
                let _: String = lanes.ask(key as usize, &command).await?;
                let published = Instant::now();
                let handled = told.await.context("the consumer has ended")?;
                Ok(handled.saturating_duration_since(published))
            })
        })
    }
}

// === impl Lanes ===

impl Lanes {
    async fn ask<T: redis::FromRedisValue>(&self, lane: usize, command: &redis::Cmd) -> Result<T> {
        let lane = self.0.get(lane % LANES).context("there are lanes")?;
        Ok(command.query_async(&mut lane.clone()).await?)
    }
}

/// Who reads.
struct Consumer {
    reader: MultiplexedConnection,
    lanes: Arc<Lanes>,
    waiting: Arc<Waiting>,
}

// === impl Consumer ===

impl Consumer {
    async fn run(mut self, shutdown: Shutdown) -> Result<()> {
        let mut acknowledgements = JoinSet::new();
        while !shutdown.is_said() {
            let mut command = redis::cmd("XREADGROUP");
            command.arg("GROUP").arg(GROUP).arg("consumer");
            command.arg("COUNT").arg(PAGE).arg("BLOCK").arg(BLOCK);
            command.arg("STREAMS").arg(STREAM).arg(">");
            let read: Read = command.query_async(&mut self.reader).await?;
            let entries = read.into_iter().flatten().flat_map(|(_, entries)| entries);
            for (number, entry) in entries.enumerate() {
                let (lanes, waiting) = (Arc::clone(&self.lanes), Arc::clone(&self.waiting));
                acknowledgements.spawn(acknowledge(lanes, waiting, (number, entry)));
            }
            while let Some(ended) = acknowledgements.try_join_next() {
                ended??;
            }
        }
        Ok(())
    }
}

async fn acknowledge(
    lanes: Arc<Lanes>,
    waiting: Arc<Waiting>,
    (lane, (id, fields)): (usize, Entry),
) -> Result<()> {
    let mut command = redis::cmd("XACK");
    command.arg(STREAM).arg(GROUP).arg(id);
    let _: u64 = lanes.ask(lane, &command).await?;
    if let Some(payload) = fields.get("p") {
        waiting.tell(payload);
    }
    Ok(())
}
