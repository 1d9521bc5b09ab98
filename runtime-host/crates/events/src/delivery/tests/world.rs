//! A log in memory, a component that does what a test says, and the deliveries between them.

mod fake_calls;
mod fake_log;

use std::{
    collections::HashMap,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use skald_core::{
    call::CallError,
    event::{Book, Event, EventLog, Interest},
};
use skald_telemetry::{clock, ids, tasks::Tasks};
use tokio::time::sleep;

use self::{
    fake_calls::{FakeCalls, LATENCY, Shared},
    fake_log::FakeLog,
};
use crate::{Config, Deliveries, Share, delivery::Delivery, handle::Handle};

pub(crate) const TOPIC: &str = "shop.order.placed.v1";

pub(crate) fn config() -> Config {
    Config {
        concurrency: NonZeroUsize::new(4).unwrap(),
        attempts: NonZeroU32::new(5).unwrap(),
        backoff: Duration::from_millis(10),
        max_backoff: Duration::from_secs(1),
        window: NonZeroUsize::new(128).unwrap(),
    }
}

pub(crate) fn book() -> Book {
    Book {
        group: "stock".into(),
        partition: "log".into(),
    }
}

pub(crate) fn failed() -> CallError {
    CallError::HandlerFailed("no".to_owned())
}

pub(crate) fn overloaded(seconds: u64) -> CallError {
    CallError::Overloaded {
        component: "stock".into(),
        retry_after: Duration::from_secs(seconds),
    }
}

/// A log, a component, and the deliveries of one life of a process.
pub(crate) struct World {
    pub(crate) log: Arc<FakeLog>,
    pub(crate) calls: Arc<FakeCalls>,
    pub(crate) tasks: Tasks,
}

impl World {
    pub(crate) fn new() -> Self {
        let log = Arc::new(FakeLog::default());
        log.edit(|books| books.partitions = vec![book().partition]);
        let calls = Arc::new(FakeCalls::new(Arc::clone(&log)));
        Self {
            log,
            calls,
            tasks: Tasks::new(),
        }
    }

    pub(crate) fn start(&mut self) -> Handle {
        let interest = Interest {
            group: "stock".into(),
            topics: vec![TOPIC.into()],
        };
        let log = Arc::clone(&self.log) as Arc<dyn EventLog>;
        let calls = Arc::new(Shared(Arc::clone(&self.calls)));
        let (delivery, handle) = Delivery::new(config(), (interest, book()), log, calls);
        self.tasks
            .spawn("delivery", delivery.run(self.tasks.shutdown()));
        handle
    }

    /// All deliveries, instead of one.
    pub(crate) fn deliveries(&mut self, share: Share) -> Deliveries {
        let interest = Interest {
            group: "stock".into(),
            topics: vec![TOPIC.into()],
        };
        let log = Arc::clone(&self.log) as Arc<dyn EventLog>;
        let calls = Arc::new(Shared(Arc::clone(&self.calls)));
        let deliveries =
            Deliveries::new(config(), vec![interest], (log, calls), share, &self.tasks);
        self.tasks
            .spawn("deliveries", deliveries.clone().run(self.tasks.shutdown()));
        deliveries
    }

    /// Ends the process without a chance to write anything.
    pub(crate) async fn kill(&mut self) {
        self.log.edit(|books| books.broken = true);
        self.tasks.drain(Duration::ZERO).await;
        // What was aborted goes when the runtime gets to it.
        sleep(LATENCY / 5).await;
        assert_eq!(self.calls.at_work(), 0, "nothing outlives its process");
        self.log.edit(|books| books.broken = false);
        self.tasks = Tasks::new();
    }

    pub(crate) fn publish(&mut self, key: &str) -> u64 {
        self.publish_on(TOPIC, key)
    }

    pub(crate) fn publish_on(&mut self, topic: &str, key: &str) -> u64 {
        self.log.edit(|books| {
            let sequence = u64::try_from(books.events.len()).unwrap() + 1;
            books.events.push(Event {
                partition: book().partition,
                sequence,
                topic: topic.into(),
                key: key.to_owned(),
                payload: Bytes::from(format!(r#"{{"id":"evt_{sequence}","subject":"{key}"}}"#)),
                recorded_at: clock::now(),
                trace: ids::new_trace(),
            });
            sequence
        })
    }

    /// So many events had their effect, each once, and those of one key in the order of the log, one at a time.
    #[track_caller]
    pub(crate) fn assert_handled_in_order(&self, count: usize) {
        let effects = self.calls.effects();
        let mut last = HashMap::new();
        for (key, sequence) in &effects {
            let before = last.insert(key, sequence);
            assert!(
                before < Some(sequence),
                "{key}: {before:?} before {sequence}"
            );
        }
        assert_eq!(effects.len(), count);
        assert!(
            !self.calls.has_overlapped(),
            "two handlers at once for one key"
        );
    }
}
