//! The one thread that writes: it takes all that waits, commits it at once, and then tells everyone.
//!
//! A durable commit costs one flush of the disk whatever its size, so that the more callers wait, the more each flush
//! does for them.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use skald_core::store::StoreError;
use tokio::sync::oneshot;

use crate::{
    checkpoint::{self, Checkpoints},
    error::{closed, store_error},
    session::Session,
    work::{Job, Work, ask},
};

/// How many pieces of work one transaction takes: some milliseconds' worth, so that no one waits long for the others.
const BATCH: usize = 512;

/// How many bytes one transaction takes, give or take the last piece: it should fit the writer's page cache.
const BATCH_BYTES: usize = 8 << 20;

/// The way to the writer.
pub(crate) struct Handle {
    // Unbounded, because each caller waits for its answer: there are no more pieces of work than callers.
    queue: mpsc::Sender<Message>,
    thread: Option<JoinHandle<()>>,
    flushes: Arc<AtomicU64>,
}

enum Message {
    Job(Box<dyn Job>),
    Stop(oneshot::Sender<()>),
}

struct Writer {
    session: Session,
    queue: mpsc::Receiver<Message>,
    on_events: Arc<dyn Fn() + Send + Sync>,
    checkpoints: Checkpoints,
    flushes: Arc<AtomicU64>,
    /// Held until the connection is closed.
    lock: Arc<File>,
}

#[derive(Default)]
struct Batch {
    jobs: Vec<Box<dyn Job>>,
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
    let flushes = Arc::new(AtomicU64::new(0));
    let writer = Writer {
        session,
        queue,
        on_events,
        checkpoints: Checkpoints::default(),
        flushes: Arc::clone(&flushes),
        lock,
    };
    let thread = thread::Builder::new()
        .name("skald-store".to_owned())
        .spawn(move || writer.run())?;
    Ok(Handle {
        queue: sender,
        thread: Some(thread),
        flushes,
    })
}

// === impl Handle ===

impl Handle {
    /// Writes, and answers when it is durable. When the future is dropped before the writer has begun, nothing happens.
    pub(crate) async fn write<W: Work>(&self, work: W) -> Result<W::Done, W::Refusal> {
        let (job, outcome) = ask(work);
        self.queue.send(Message::Job(job)).map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }

    /// How often a transaction was made durable.
    pub(crate) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Relaxed)
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

    fn write(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        match self.attempt(&mut jobs) {
            Ok(()) => {
                let mut wrote_events = false;
                for job in jobs {
                    wrote_events |= job.answer();
                }
                if wrote_events {
                    (self.on_events)();
                }
            }
            Err(error) => self.give_up(jobs, &store_error(&error)),
        }
    }

    /// Tells everyone of a failed transaction, unless it was too much for the disk: then a smaller one may fit.
    fn give_up(&mut self, jobs: Vec<Box<dyn Job>>, error: &StoreError) {
        let full = matches!(error, StoreError::Full(_));
        if full {
            checkpoint::make_room(self.session.connection());
        }
        let one_by_one = full && jobs.len() > 1;
        for job in jobs {
            if one_by_one {
                self.write(vec![job]);
            } else {
                job.fail(error.clone());
            }
        }
    }

    /// One transaction. The outcomes of its jobs are true only once it is durable, which is when this returns.
    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
        let done = self.transact(jobs);
        if done.is_err() {
            self.session.abandon();
        }
        done
    }

    fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
        self.session.begin()?;
        for job in jobs {
            job.apply(&mut self.session)?;
        }
        self.session.commit()?;
        self.flushes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

// === impl Batch ===

impl Batch {
    /// Takes a message. Work that its caller no longer waits for is left out.
    fn add(&mut self, message: Message) {
        match message {
            Message::Stop(stop) => self.stop = Some(stop),
            Message::Job(job) if job.is_awaited() => {
                self.bytes += job.bytes();
                self.jobs.push(job);
            }
            Message::Job(_) => {}
        }
    }

    const fn has_room(&self) -> bool {
        self.stop.is_none() && self.jobs.len() < BATCH && self.bytes < BATCH_BYTES
    }
}
