//! A component with a unit of work: its effect and its inbox mark are one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use skald_core::{
    call::{Call, CallError, Reply, Request},
    context::Cause,
    store::StoreError,
};
use tokio::time::sleep;

use super::FakeLog;

/// How long a handler takes.
pub(crate) const LATENCY: Duration = Duration::from_millis(5);

type Answer = Box<dyn Fn(u32, u64) -> Result<(), CallError> + Send>;

pub(crate) struct FakeCalls {
    log: Arc<FakeLog>,
    seen: Mutex<Seen>,
    answer: Mutex<Answer>,
}

/// The port and `Arc` belong to others, so that the port is implemented for a type of ours.
pub(crate) struct Shared(pub(crate) Arc<FakeCalls>);

#[derive(Default)]
struct Seen {
    requests: Vec<Request>,
    attempts: HashMap<u64, u32>,
    effects: Vec<(String, u64)>,
    at_work: HashSet<String>,
    most_at_once: usize,
    /// A panic would be taken for a failure of the call, so it is written down.
    overlapped: bool,
}

impl FakeCalls {
    pub(crate) fn new(log: Arc<FakeLog>) -> Self {
        Self {
            log,
            seen: Mutex::default(),
            answer: Mutex::new(Box::new(|_, _| Ok(()))),
        }
    }

    /// Sets what the n-th attempt (from 1) on an event comes to.
    pub(crate) fn answer(
        &self,
        answer: impl Fn(u32, u64) -> Result<(), CallError> + Send + 'static,
    ) {
        *self.answer.lock() = Box::new(answer);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().requests.clone()
    }

    pub(crate) fn effects(&self) -> Vec<(String, u64)> {
        self.seen.lock().effects.clone()
    }

    pub(crate) fn attempts(&self, sequence: u64) -> u32 {
        self.seen
            .lock()
            .attempts
            .get(&sequence)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn at_work(&self) -> usize {
        self.seen.lock().at_work.len()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.seen.lock().most_at_once
    }

    pub(crate) fn has_overlapped(&self) -> bool {
        self.seen.lock().overlapped
    }

    /// What the unit of work does: nothing at all if the mark is there already.
    fn commit(&self, key: &str, sequence: u64) -> Result<(), StoreError> {
        self.log.edit(|books| {
            if books.broken {
                return Err(StoreError::Unavailable("commit".to_owned()));
            }
            // Below the cursor marks are gone; whoever delivers from there has its effect again.
            if books.handled.insert(sequence) {
                self.seen.lock().effects.push((key.to_owned(), sequence));
            }
            Ok(())
        })
    }
}

impl Call for Shared {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        let calls = &self.0;
        let Cause::Event(sequence) = request.context.cause else {
            panic!("not for an event")
        };
        let key = calls.log.event(sequence).key;
        let work = Work::begin(calls, &key);
        let attempt = {
            let mut seen = calls.seen.lock();
            seen.requests.push(request.clone());
            let attempt = seen.attempts.entry(sequence).or_default();
            *attempt += 1;
            *attempt
        };
        sleep(LATENCY).await;
        let answer = calls.answer.lock()(attempt, sequence);
        answer?;
        calls.commit(&key, sequence)?;
        drop(work);
        Ok(Reply::Handled)
    }
}

/// A handler at work, also one that is dropped half-way.
struct Work<'a> {
    calls: &'a FakeCalls,
    key: String,
}

impl<'a> Work<'a> {
    fn begin(calls: &'a FakeCalls, key: &str) -> Self {
        let mut seen = calls.seen.lock();
        let alone = seen.at_work.insert(key.to_owned());
        seen.overlapped |= !alone;
        seen.most_at_once = seen.most_at_once.max(seen.at_work.len());
        Self {
            calls,
            key: key.to_owned(),
        }
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.calls.seen.lock().at_work.remove(&self.key);
    }
}
