//! The task that serves one subscriber on one partition: reads the log, begins what the schedule allows, keeps the books.
//!
//! Each pass looks for itself and is idempotent, so lost, doubled and late wake-ups are the same case, and so are
//! a store that fails and one that does not: the next pass begins with the same entries.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use skald_core::{
    call::{CallError, DynCall, chain},
    context::InboxMark,
    event::{Book, DeadLetter, Event, EventLog, Failure, Interest},
    store::StoreError,
};
use skald_telemetry::{clock, random, tasks::Shutdown};
use tokio::{
    select,
    sync::{Notify, watch},
    task::{JoinError, JoinSet},
    time::{self, Instant},
};

use crate::{
    Config,
    attempt::{Landed, fly},
    books::{Books, Pace},
    handle::{Handle, Status},
    retry::{Verdict, is_of_the_handler, judge},
    schedule::{Moment, Noted, Place, Schedule, Tries},
    shelf::Shelf,
};

#[cfg(test)]
pub(crate) mod tests;

/// How long a lost wake-up can delay an event.
const IDLE_POLL: Duration = Duration::from_secs(1);

/// A store that failed is not asked again at once; a line of log each second can still be read.
pub(crate) const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How many events are read when one is needed whose message was not kept: the next ones often are needed too.
const RELOAD: usize = 256;

/// Serves one subscriber on one partition.
///
/// Attempts run as tasks of their own, so that handlers share the cores; they end when this is dropped.
pub(crate) struct Delivery {
    config: Config,
    interest: Interest,
    book: Book,
    log: Arc<dyn EventLog>,
    calls: Arc<dyn DynCall>,
    wake: Arc<Notify>,
    status: watch::Sender<Status>,
    began: Instant,
    /// Whether the books of earlier processes were read.
    opened: bool,
    /// Whether the log may have events that were not read.
    unread: bool,
    next_look: Moment,
    schedule: Schedule,
    shelf: Shelf,
    books: Books,
    flights: JoinSet<Landed>,
}

// === impl Delivery ===

impl Delivery {
    /// A delivery that has not begun, and the way into it.
    pub(crate) fn new(
        config: Config,
        (interest, book): (Interest, Book),
        log: Arc<dyn EventLog>,
        calls: Arc<dyn DynCall>,
    ) -> (Self, Handle) {
        let wake = Arc::new(Notify::new());
        let (status, seen) = watch::channel(Status::default());
        let handle = Handle {
            wake: Arc::clone(&wake),
            status: seen,
            log: Arc::clone(&log),
            book: book.clone(),
        };
        let delivery = Self {
            schedule: Schedule::new(config.concurrency.get(), config.window.get()),
            shelf: Shelf::new(config.window.get()),
            books: Books::new(book.clone(), Arc::clone(&log)),
            config,
            interest,
            book,
            log,
            calls,
            wake,
            status,
            began: Instant::now(),
            opened: false,
            unread: true,
            next_look: Moment::ZERO,
            flights: JoinSet::new(),
        };
        (delivery, handle)
    }

    /// Serves until told to stop; then waits for the handlers that are at work.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        while !shutdown.is_said() {
            let passed = self.pass().await;
            self.tell();
            match passed {
                Ok(()) => self.rest(&shutdown).await,
                Err(error) => {
                    // Nothing is lost: the next pass starts with the same entries.
                    self.warn(&error, "the delivery of events pauses");
                    select! { biased; () = shutdown.wait() => (), () = time::sleep(STORE_PAUSE) => () }
                }
            }
        }
        self.drain().await;
    }

    async fn pass(&mut self) -> Result<(), StoreError> {
        if !self.opened {
            self.open().await?;
        }
        while let Some(joined) = self.flights.try_join_next() {
            self.land(joined);
        }
        self.write().await?;
        let pace = self.pace();
        self.look().await?;
        self.begin_due().await?;
        self.books.advance(self.schedule.cursor(), pace).await
    }

    /// Learns how far earlier processes have come.
    async fn open(&mut self) -> Result<(), StoreError> {
        let progress = self.log.progress(&self.book).await?;
        let (now, wall) = (self.now(), clock::now());
        let noted = progress.failures.into_iter().map(|failure| {
            // A clock that was set back must not make a pause longer than any pause is.
            let pause = failure.retry_at.duration_since(wall).unwrap_or_default();
            let retry_at = now + pause.min(self.config.max_backoff);
            (
                failure.sequence,
                Noted {
                    attempts: failure.attempts,
                    retry_at,
                },
            )
        });
        let noted: BTreeMap<_, _> = noted.collect();
        let schedule = Schedule::new(self.config.concurrency.get(), self.config.window.get());
        self.schedule = schedule.resume(progress.cursor, progress.handled, noted);
        self.shelf = Shelf::new(self.config.window.get());
        self.books.open(progress.generation, progress.cursor);
        self.opened = true;
        Ok(())
    }

    /// Whether it is time to look without having been told.
    fn pace(&mut self) -> Pace {
        let now = self.now();
        if now < self.next_look {
            return Pace::Busy;
        }
        self.unread = true;
        self.next_look = now + IDLE_POLL;
        Pace::Polled
    }

    /// Reads on, if the log may have more and there is room for it.
    async fn look(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        let room = self.schedule.room(now);
        if !self.unread || room == 0 {
            return Ok(());
        }
        let (after, wants) = (self.schedule.read(), &self.interest);
        let stretch = self.log.read_on(&self.book, wants, after, room).await?;
        if stretch.generation != self.books.generation() {
            return self.reopen().await;
        }
        self.unread = stretch.has_more;
        for event in stretch.events {
            let place = self.schedule.add(event.sequence, &event.key, now);
            self.shelf.put(event, place);
        }
        self.schedule.read_to(stretch.to);
        Ok(())
    }

    /// Somebody has sent the subscriber back: what was begun ends first, and what it was worth is the log's to say.
    async fn reopen(&mut self) -> Result<(), StoreError> {
        tracing::info!(book = %self.book, "the subscriber is sent to another place in the log");
        while let Some(joined) = self.flights.join_next().await {
            self.land(joined);
        }
        self.opened = false;
        self.open().await
    }

    async fn events(&self, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        let part = &self.book.partition;
        self.log.read(part, &self.interest, after, limit).await
    }

    async fn begin_due(&mut self) -> Result<(), StoreError> {
        while let Some(sequence) = self.schedule.next(self.now()) {
            let event = self.fetch(sequence).await?;
            let Some(before) = self.schedule.begin(sequence) else {
                return Ok(());
            };
            if let Some(event) = event {
                let mark = InboxMark {
                    book: self.book.clone(),
                    generation: self.books.generation(),
                    sequence,
                };
                self.flights
                    .spawn(fly(Arc::clone(&self.calls), mark, event, before));
            } else {
                tracing::error!(book = %self.book, sequence, "the log has lost an event");
                self.finish(sequence);
            }
        }
        Ok(())
    }

    /// The event itself, from memory or from the log.
    async fn fetch(&mut self, sequence: u64) -> Result<Option<Event>, StoreError> {
        if let Some(event) = self.shelf.take(sequence) {
            return Ok(Some(event));
        }
        let after = sequence.saturating_sub(1);
        let mut wanted = None;
        for event in self.events(after, RELOAD).await? {
            if event.sequence == sequence {
                wanted = Some(event);
            } else if self.schedule.holds(event.sequence, &event.key) {
                self.shelf.put(event, Place::Behind);
            }
        }
        Ok(wanted)
    }

    fn land(&mut self, joined: Result<Landed, JoinError>) {
        // An attempt catches its panics and nobody aborts it, so only a runtime that is going away ends one so.
        let Ok(Landed {
            event,
            before,
            outcome,
        }) = joined
        else {
            return;
        };
        match outcome {
            Ok(()) => self.finish(event.sequence),
            Err(error) => match judge(&self.config, before, &error) {
                Verdict::Retry { tries, least, most } => {
                    let pause = random::up_to(most).max(least);
                    self.fail(&event, tries, pause, &error);
                }
                Verdict::Bury { attempts } => self.give_up(event, attempts, &error),
            },
        }
    }

    fn finish(&mut self, sequence: u64) {
        self.schedule.finish(sequence, self.now());
        self.books.finished();
    }

    fn fail(&mut self, event: &Event, tries: Tries, pause: Duration, error: &CallError) {
        let (group, sequence, key) = (&self.book.group, event.sequence, &event.key);
        let (code, cause, attempts) = (error.code(), chain(error), tries.attempts);
        self.schedule.fail(sequence, tries, self.now() + pause);
        self.shelf.forget(self.schedule.behind(sequence));
        if is_of_the_handler(error) {
            tracing::warn!(%group, sequence, key, code, error = cause, attempts, ?pause, "a handler failed");
            let retry_at = clock::now() + pause;
            self.books.failed(Failure {
                sequence,
                attempts,
                retry_at,
                error: cause,
            });
        } else {
            // It changes no count, so there is nothing that has to survive it; and whoever failed has logged it.
            tracing::debug!(%group, sequence, key, code, error = cause, attempts, ?pause, "a delivery waits");
        }
    }

    fn give_up(&mut self, event: Event, attempts: u32, error: &CallError) {
        tracing::error!(
            group = %self.book.group, sequence = event.sequence, topic = %event.topic, key = %event.key,
            id = id(&event), code = error.code(), error = chain(error), attempts, "an event is given up",
        );
        let group = Arc::clone(&self.book.group);
        let (error, buried_at) = (chain(error), clock::now());
        self.books.give_up(DeadLetter {
            group,
            event,
            attempts,
            error,
            buried_at,
        });
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let (buried, written) = self.books.write().await;
        for letter in buried {
            self.finish(letter.event.sequence);
        }
        written
    }

    /// Waits until a pass has something to do.
    async fn rest(&mut self, shutdown: &Shutdown) {
        if self.is_hungry() {
            // What can be read is read at once; others get their turn in between.
            tokio::task::yield_now().await;
            return;
        }
        let next = self
            .schedule
            .next_due()
            .map_or(self.next_look, |due| due.min(self.next_look));
        select! {
            biased;
            () = shutdown.wait() => (),
            Some(joined) = self.flights.join_next() => self.land(joined),
            () = self.wake.notified() => self.unread = true,
            () = time::sleep_until(self.began + next) => (),
        }
    }

    /// Lets the handlers at work end, and writes what is known.
    async fn drain(mut self) {
        while let Some(joined) = self.flights.join_next().await {
            self.land(joined);
        }
        if !self.opened {
            return;
        }
        let mut closed = self.write().await;
        if closed.is_ok() {
            closed = self
                .books
                .advance(self.schedule.cursor(), Pace::Polled)
                .await;
        }
        if let Err(error) = closed {
            // The inbox marks say what was handled beyond the cursor that the log knows.
            self.warn(&error, "the delivery of events stops with open books");
        }
        self.tell();
    }

    fn tell(&self) {
        if self.opened {
            let cursor = Some(self.schedule.cursor());
            self.status.send_if_modified(|status| {
                let is_new = status.cursor != cursor;
                status.cursor = cursor;
                is_new
            });
        }
    }

    fn warn(&self, error: &StoreError, what: &'static str) {
        tracing::warn!(book = %self.book, code = error.code(), error = chain(error), "{what}");
    }

    fn is_hungry(&self) -> bool {
        self.unread && self.schedule.room(self.now()) > 0
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }
}

/// The id of a CloudEvents message, for people to search for.
fn id(event: &Event) -> Option<String> {
    let message: serde_json::Value = serde_json::from_slice(&event.payload).ok()?;
    message.get("id")?.as_str().map(str::to_owned)
}
