//! The one thread that writes: it takes all that waits, commits it at once, and then tells everyone.
//!
//! A durable commit costs one flush of the disk whatever its size, so that the more callers wait, the more each flush
//! does for them.

use std::{
    fs::File,
    io,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::SystemTime,
};

use bytes::Bytes;
use skald_core::{
    context::InboxMark,
    event::{DeadLetter, Failure},
    store::{Change, CommitError, StoreError},
};
use tokio::sync::oneshot;

use crate::{
    apply::{self, Stop},
    books,
    checkpoint::{self, Checkpoints},
    error::{closed, store_error},
    session::Session,
};

/// How many pieces of work one transaction takes: some milliseconds' worth, so that no one waits long for the others.
const BATCH: usize = 512;

/// How many bytes one transaction takes, give or take the last piece: it should fit the writer's page cache.
const BATCH_BYTES: usize = 8 << 20;

/// Something to write.
#[derive(Debug)]
pub(crate) enum Work {
    /// A unit of work, at a time.
    Unit(Change, SystemTime),
    /// A failed delivery.
    Failure(InboxMark, Failure),
    /// An event that is given up.
    Burial(InboxMark, Box<DeadLetter>),
    /// The cursor of a group.
    Advance(InboxMark),
}

/// The way to the writer.
pub(crate) struct Handle {
    // Unbounded, because each caller waits for its answer: there are no more pieces of work than callers.
    queue: mpsc::Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Job(Job),
    Stop(oneshot::Sender<()>),
}

struct Job {
    work: Work,
    done: oneshot::Sender<Outcome>,
}

type Outcome = Result<(), CommitError>;

struct Writer {
    session: Session,
    queue: mpsc::Receiver<Message>,
    on_events: Arc<dyn Fn() + Send + Sync>,
    checkpoints: Checkpoints,
    /// Held until the connection is closed.
    lock: Arc<File>,
}

#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    bytes: usize,
    stop: Option<oneshot::Sender<()>>,
}

/// Starts the writer.
pub(crate) fn start(
    session: Session,
    on_events: Arc<dyn Fn() + Send + Sync>,
    lock: Arc<File>,
) -> io::Result<Handle> {
    let (sender, queue) = mpsc::channel();
    let writer = Writer {
        session,
        queue,
        on_events,
        checkpoints: Checkpoints::default(),
        lock,
    };
    let thread = thread::Builder::new()
        .name("skald-store".to_owned())
        .spawn(move || writer.run())?;
    Ok(Handle {
        queue: sender,
        thread: Some(thread),
    })
}

// === impl Handle ===

impl Handle {
    /// Writes, and answers when it is durable. When the future is dropped before the writer has begun, nothing happens.
    pub(crate) async fn write(&self, work: Work) -> Outcome {
        let (done, outcome) = oneshot::channel();
        self.queue
            .send(Message::Job(Job { work, done }))
            .map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }

    /// Lets the writer finish what was asked before, and waits until the database is closed.
    pub(crate) async fn stop(&self) {
        if let Some(stopped) = self.ask_to_stop() {
            // An error says that the thread is gone, which is all that is wanted.
            let _gone = stopped.await;
        }
    }

    fn ask_to_stop(&self) -> Option<oneshot::Receiver<()>> {
        let (done, stopped) = oneshot::channel();
        self.queue.send(Message::Stop(done)).ok()?;
        Some(stopped)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _asked = self.ask_to_stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

// === impl Writer ===

impl Writer {
    fn run(mut self) {
        let stopped = loop {
            // The handle sends a stop before it goes, so that this is the end in any case.
            let Ok(first) = self.queue.recv() else {
                break None;
            };
            let mut batch = Batch::default();
            batch.add(first);
            while batch.has_room()
                && let Ok(next) = self.queue.try_recv()
            {
                batch.add(next);
            }
            if !batch.jobs.is_empty() {
                self.write(batch.jobs);
                self.checkpoints.after_batch(self.session.connection());
            }
            if batch.stop.is_some() {
                break batch.stop;
            }
        };
        let connection = self.session.into_connection();
        checkpoint::finish(&connection);
        drop(connection);
        drop(self.lock);
        if let Some(stopped) = stopped {
            // Whoever asked may be gone.
            let _told = stopped.send(());
        }
    }

    fn write(&mut self, jobs: Vec<Job>) {
        match self.attempt(&jobs) {
            Ok(outcomes) => {
                let mut wrote_events = false;
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    wrote_events |= outcome.is_ok() && job.work.has_events();
                    job.answer(outcome);
                }
                if wrote_events {
                    (self.on_events)();
                }
            }
            Err(error) => self.give_up(jobs, &store_error(&error)),
        }
    }

    /// Tells everyone of a failed transaction, unless it was too much for the disk: then a smaller one may fit.
    fn give_up(&mut self, jobs: Vec<Job>, error: &StoreError) {
        let full = matches!(error, StoreError::Full(_));
        if full {
            checkpoint::make_room(self.session.connection());
        }
        let one_by_one = full && jobs.len() > 1;
        for job in jobs {
            if one_by_one {
                self.write(vec![job]);
            } else {
                job.answer(Err(CommitError::Store(error.clone())));
            }
        }
    }

    /// One transaction. Its outcomes are true only once it is durable, which is when this returns them.
    fn attempt(&mut self, jobs: &[Job]) -> rusqlite::Result<Vec<Outcome>> {
        let done = self.transact(jobs);
        if done.is_err() {
            self.session.abandon();
        }
        done
    }

    fn transact(&mut self, jobs: &[Job]) -> rusqlite::Result<Vec<Outcome>> {
        self.session.begin()?;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(match job.work.apply(&mut self.session) {
                Ok(()) => Ok(()),
                Err(Stop::Refused(refusal)) => Err(refusal),
                Err(Stop::Failed(error)) => return Err(error),
            });
        }
        self.session.commit()?;
        Ok(outcomes)
    }
}

// === impl Batch ===

impl Batch {
    /// Takes a message. Work that its caller no longer waits for is left out.
    fn add(&mut self, message: Message) {
        match message {
            Message::Stop(stop) => self.stop = Some(stop),
            Message::Job(job) if job.done.is_closed() => {}
            Message::Job(job) => {
                self.bytes += job.work.bytes();
                self.jobs.push(job);
            }
        }
    }

    const fn has_room(&self) -> bool {
        self.stop.is_none() && self.jobs.len() < BATCH && self.bytes < BATCH_BYTES
    }
}

// === impl Job ===

impl Job {
    fn answer(self, outcome: Outcome) {
        // The caller may have gone meanwhile; what is done stays done.
        let _told = self.done.send(outcome);
    }
}

// === impl Work ===

impl Work {
    fn apply(&self, session: &mut Session) -> Result<(), Stop> {
        match self {
            Self::Unit(change, now) => apply::unit(session, change, *now),
            Self::Failure(mark, failure) => books::note_failure(session, mark, failure),
            Self::Burial(mark, letter) => books::bury(session, mark, letter),
            Self::Advance(cursor) => Ok(books::advance(session, cursor)?),
        }
    }

    fn has_events(&self) -> bool {
        match self {
            Self::Unit(change, _) => !change.events.is_empty(),
            Self::Failure(..) | Self::Burial(..) | Self::Advance(_) => false,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Unit(change, _) => {
                let values = change
                    .writes
                    .iter()
                    .filter_map(|(_, value)| value.as_ref())
                    .map(Bytes::len);
                values.sum::<usize>()
                    + change
                        .events
                        .iter()
                        .map(|event| event.payload.len())
                        .sum::<usize>()
            }
            Self::Failure(_, failure) => failure.error.len(),
            Self::Burial(_, letter) => letter.event.payload.len(),
            Self::Advance(_) => 0,
        }
    }
}
