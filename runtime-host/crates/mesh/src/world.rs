//! What tests stand on: scripted callees, an engine made of a closure, and a store that is a model of one.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use parking_lot::Mutex;
use skald_core::{
    call::{BoxFuture, Call, CallError, Function, Input, Reply, Request},
    context::{Cause, Context, InboxMark, Once, StepKey, TraceContext},
    manifest::ComponentId,
    run::Run,
    store::{
        Change, CommitError, Key, Label, Snapshot, Store, StoreError, Subject, Version, Versioned,
    },
    unit::Unit,
    value::Value,
};
use tokio::time::{Instant, sleep};

/// A callee that answers attempt number n, counted from 1, with what the closure makes of it.
pub(crate) struct Asked<F> {
    pub(crate) times: AtomicU32,
    answer: F,
}

/// An engine whose only guest is a closure.
pub(crate) struct Guest<F>(F);

/// A store in memory.
#[derive(Default)]
pub(crate) struct Model {
    books: Mutex<Books>,
    /// How long a commit takes; others get to run meanwhile.
    pub(crate) latency: Duration,
    pub(crate) snapshots: AtomicUsize,
    pub(crate) commits: AtomicUsize,
    pub(crate) conflicts: AtomicUsize,
}

#[derive(Clone, Default)]
struct Books {
    version: Version,
    values: BTreeMap<Key, Versioned>,
    inbox: BTreeSet<InboxMark>,
    events: usize,
}

struct View(Books);

// === impl Asked ===

impl<F> Asked<F> {
    pub(crate) const fn new(answer: F) -> Self {
        Self {
            times: AtomicU32::new(0),
            answer,
        }
    }

    pub(crate) fn times(&self) -> u32 {
        self.times.load(Ordering::Relaxed)
    }
}

impl<F, A> Call for Asked<F>
where
    F: Fn(u32) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Reply, CallError>> + Send,
{
    async fn call(&self, _request: &Request) -> Result<Reply, CallError> {
        let time = self.times.fetch_add(1, Ordering::Relaxed) + 1;
        (self.answer)(time).await
    }
}

// === impl Guest ===

impl<F, A> Guest<F>
where
    F: Fn(Request, Unit) -> A + Send + Sync + 'static,
    A: Future<Output = (Unit, Result<Reply, CallError>)> + Send,
{
    pub(crate) fn new(run: F) -> Arc<Self> {
        Arc::new(Self(run))
    }
}

impl<F, A> Run for Guest<F>
where
    F: Fn(Request, Unit) -> A + Send + Sync + 'static,
    A: Future<Output = (Unit, Result<Reply, CallError>)> + Send,
{
    async fn run(&self, request: &Request, unit: Unit) -> (Unit, Result<Reply, CallError>) {
        (self.0)(request.clone(), unit).await
    }
}

// === impl Model ===

impl Model {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A store whose commits take so long.
    pub(crate) fn slow(latency: Duration) -> Arc<Self> {
        Arc::new(Self {
            latency,
            ..Self::default()
        })
    }

    pub(crate) fn value(&self, name: &str) -> Option<Bytes> {
        self.stored(&key("shop", name))
    }

    pub(crate) fn stored(&self, key: &Key) -> Option<Bytes> {
        self.books
            .lock()
            .values
            .get(key)
            .and_then(|versioned| versioned.value.clone())
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        number(self.value(name).as_ref())
    }

    pub(crate) fn set(&self, key: Key, value: &[u8]) {
        let mut books = self.books.lock();
        books.version += 1;
        let version = books.version;
        books.values.insert(
            key,
            Versioned {
                value: Some(Bytes::copy_from_slice(value)),
                version,
            },
        );
    }

    pub(crate) fn events(&self) -> usize {
        self.books.lock().events
    }

    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }

    fn apply(&self, change: Change) -> Result<(), CommitError> {
        let mut books = self.books.lock();
        if let Some(mark) = change.inbox
            && !books.inbox.insert(mark.clone())
        {
            return Err(CommitError::AlreadyHandled(mark));
        }
        let stale = change
            .reads
            .iter()
            .find(|(subject, version)| books.version_of(subject) != *version);
        if let Some((subject, _)) = stale {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
            return Err(CommitError::Conflict(subject.clone()));
        }
        books.version += 1;
        let version = books.version;
        books.events += change.events.len();
        books.values.extend(
            change
                .writes
                .into_iter()
                .map(|(key, value)| (key, Versioned { value, version })),
        );
        Ok(())
    }
}

impl Store for Model {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        self.snapshots.fetch_add(1, Ordering::Relaxed);
        let view = View(self.books.lock().clone());
        Box::pin(async move { Ok(Box::new(view) as Box<dyn Snapshot>) })
    }

    fn commit(&self, change: Change, _now: SystemTime) -> BoxFuture<'_, Result<(), CommitError>> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if !self.latency.is_zero() {
                sleep(self.latency).await;
            }
            self.apply(change)
        })
    }
}

// === impl Books ===

impl Books {
    fn version_of(&self, subject: &Subject) -> Version {
        match subject {
            Subject::Key(key) => self
                .values
                .get(key)
                .map_or(0, |versioned| versioned.version),
            // Coarser than a real store: any write to the store counts.
            Subject::Keys(label) => {
                let of_store = self.values.iter().filter(|(key, _)| key.store == *label);
                of_store
                    .map(|(_, versioned)| versioned.version)
                    .max()
                    .unwrap_or(0)
            }
        }
    }
}

// === impl View ===

impl Snapshot for View {
    fn get<'a>(&'a mut self, key: &'a Key) -> BoxFuture<'a, Result<Versioned, StoreError>> {
        let found = self.0.values.get(key).cloned().unwrap_or_default();
        Box::pin(async move { Ok(found) })
    }

    fn keys_version<'a>(
        &'a mut self,
        store: &'a Label,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        let version = self.0.version_of(&Subject::Keys(Arc::clone(store)));
        Box::pin(async move { Ok(version) })
    }

    fn keys<'a>(
        &'a mut self,
        store: &'a Label,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<str>>, StoreError>> {
        let names = self
            .0
            .values
            .iter()
            .filter(|(key, found)| key.store == *store && found.value.is_some());
        let names = names
            .map(|(key, _)| Arc::clone(&key.name))
            .filter(|name| after.is_none_or(|after| **name > *after));
        let page = names.take(limit).collect();
        Box::pin(async move { Ok(page) })
    }
}

// === free functions ===

pub(crate) fn key(store: &str, name: &str) -> Key {
    Key {
        store: store.into(),
        name: name.into(),
    }
}

pub(crate) fn number(value: Option<&Bytes>) -> u64 {
    value.map_or(0, |bytes| {
        std::str::from_utf8(bytes).unwrap().parse().unwrap()
    })
}

pub(crate) fn text(number: u64) -> Bytes {
    number.to_string().into()
}

/// Reads a number, lets others run, and writes the number plus one.
pub(crate) async fn increment(unit: &mut Unit, name: &str) {
    let key = key("shop", name);
    let seen = number(unit.get(&key).await.unwrap().as_ref());
    sleep(Duration::from_millis(1)).await;
    unit.put(key, Some(text(seen + 1))).await.unwrap();
}

pub(crate) fn id() -> ComponentId {
    ComponentId::from("stock")
}

pub(crate) fn request(input: Input) -> Request {
    let trace = TraceContext {
        trace_id: 7,
        span_id: 8,
        sampled: true,
    };
    Request {
        target: id(),
        input,
        context: Context::root(trace, Cause::Request),
    }
}

pub(crate) fn function() -> Request {
    let interface = "shop:stock/api@1.0.0".into();
    let mut request = request(Input::Function(Function {
        interface,
        name: "take".into(),
        arguments: vec![Value::U32(1)],
    }));
    request.context.cause = Cause::Component("orders".into());
    request
}

/// The function as the step of a saga that has this key.
pub(crate) fn step(key: &str) -> Request {
    let mut request = function();
    request.context.cause = Cause::Saga("run_1".into());
    request.context.once = Some(Once::Step(Arc::new(StepKey {
        run: "run_1".to_owned(),
        key: key.to_owned(),
        undo: false,
        life: None,
    })));
    request
}

pub(crate) fn post() -> Request {
    request(Input::Http(
        http::Request::post("/stock?secret=1")
            .body(Bytes::from_static(b"{}"))
            .unwrap(),
    ))
}

pub(crate) fn within(mut request: Request, time: Duration) -> Request {
    request.context.deadline = Some((Instant::now() + time).into_std());
    request
}

pub(crate) fn answer(status: u16, body: &'static [u8]) -> Reply {
    Reply::Http(
        http::Response::builder()
            .status(status)
            .body(Bytes::from_static(body))
            .unwrap(),
    )
}

pub(crate) fn trapped() -> CallError {
    CallError::Trapped("oops".to_owned())
}

/// What the outcome of a call was, in few words.
pub(crate) fn outcome(result: &Result<Reply, CallError>) -> String {
    match result {
        Ok(Reply::Http(response)) => {
            format!(
                "{} {}",
                response.status().as_u16(),
                String::from_utf8_lossy(response.body())
            )
        }
        Ok(Reply::Handled) => "handled".to_owned(),
        Ok(Reply::Value(value)) => format!("{value:?}"),
        Err(error) => format!("{}: {error}", error.code()),
    }
}
