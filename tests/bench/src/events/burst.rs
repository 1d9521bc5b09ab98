//! A burst: far more events at once than handlers keep up with. How far they fall behind, and when they are done.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use skald_core::store::Store;
use skald_telemetry::{clock, tasks::Tasks};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    ground::Ground,
    handler::Handler,
    message,
    scene::{AT_ONCE, Scene},
};
use crate::report::{Line, Report};

/// Events in all.
const ALL: u32 = 100_000;

/// Events of a commit.
const EACH: u32 = 100;

/// Who publish at once.
const PUBLISHERS: u32 = 8;

/// Keys of the events.
const KEYS: u32 = 1_000;

/// How often is looked how far the handlers are behind.
const LOOK: Duration = Duration::from_millis(5);

/// After that something is wrong.
const PATIENCE: Duration = Duration::from_secs(300);

/// When each event was published and handled, in microseconds since the begin; 0 until then.
struct Book {
    begin: Instant,
    published: Vec<AtomicU64>,
    handled: Vec<AtomicU64>,
    publications: AtomicU64,
    deliveries: AtomicU64,
}

/// Measures one, and reports it beside what single events come to, in events a second.
pub(super) async fn measure(
    report: &mut Report,
    what: &str,
    ground: Ground,
    (rate, of): (f64, &str),
    tasks: &Tasks,
) -> Result<()> {
    let book = Arc::new(Book::new());
    let (seen, handler) = (
        Arc::clone(&book),
        Arc::new(Handler(Arc::clone(&ground.handler))),
    );
    let seen = Arc::new(move |payload: &Bytes| seen.handled(payload));
    let scene = Scene::open(ground, (handler, seen), Arc::new(|_| true), AT_ONCE, tasks);
    let mut publishers = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let (store, book) = (Arc::clone(&scene.publisher), Arc::clone(&book));
        publishers.spawn(publish(store, book, publisher));
    }
    let watcher = async {
        let mut most = 0;
        while book.is_behind() {
            most = most.max(book.behind());
            sleep(LOOK).await;
        }
        most
    };
    let most = timeout(PATIENCE, watcher).await;
    let took = book.begin.elapsed().as_secs_f64();
    while let Some(ended) = publishers.join_next().await {
        ended??;
    }
    ensure!(most.is_ok(), "the burst was not handled: {}", book.behind());
    let reached = f64::from(ALL) / took;
    let published = book.last_publication();
    let figure = format!("{:.1} s to drain", took - published);
    let line = Line::new(format!("events: burst of {ALL}, {what}"), figure).ratio(reached / rate);
    report.add(line.notes(format!(
        "published in {published:.1} s, {EACH} a commit; at most {} and {:.1} s behind; {reached:.0} events/s from first to last, against {of}",
        most.unwrap_or_default(),
        book.latest().as_secs_f64(),
    )));
    Ok(())
}

async fn publish(store: Arc<dyn Store>, book: Arc<Book>, publisher: u32) -> Result<()> {
    let mut first = publisher * EACH;
    while first < ALL {
        let payloads = (first..first + EACH).map(|number| message::payload(number % KEYS, number));
        store
            .commit(message::publishing(message::TOPIC, payloads), clock::now())
            .await?;
        book.published(first..first + EACH);
        first += PUBLISHERS * EACH;
    }
    Ok(())
}

// === impl Book ===

impl Book {
    fn new() -> Self {
        let empty = || (0..ALL).map(|_| AtomicU64::new(0)).collect();
        Self {
            begin: Instant::now(),
            published: empty(),
            handled: empty(),
            publications: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn published(&self, numbers: std::ops::Range<u32>) {
        let (now, many) = (self.now(), u64::from(numbers.end - numbers.start));
        for number in numbers {
            if let Some(place) = self.published.get(number as usize) {
                place.store(now, Ordering::Relaxed);
            }
        }
        self.publications.fetch_add(many, Ordering::Relaxed);
    }

    fn handled(&self, payload: &[u8]) {
        let place = message::number(payload).and_then(|number| self.handled.get(number));
        if place.is_some_and(|place| place.swap(self.now(), Ordering::Relaxed) == 0) {
            self.deliveries.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_behind(&self) -> bool {
        self.deliveries.load(Ordering::Relaxed) < u64::from(ALL)
    }

    fn behind(&self) -> u64 {
        let handled = self.deliveries.load(Ordering::Relaxed);
        self.publications
            .load(Ordering::Relaxed)
            .saturating_sub(handled)
    }

    /// In seconds.
    fn last_publication(&self) -> f64 {
        let last = self.published.iter().map(|at| at.load(Ordering::Relaxed));
        Duration::from_micros(last.max().unwrap_or_default()).as_secs_f64()
    }

    /// The longest that an event has waited.
    fn latest(&self) -> Duration {
        let pairs = self.published.iter().zip(&self.handled);
        let waits = pairs.map(|(published, handled)| {
            let handled = handled.load(Ordering::Relaxed);
            handled.saturating_sub(published.load(Ordering::Relaxed))
        });
        Duration::from_micros(waits.max().unwrap_or_default())
    }
}
