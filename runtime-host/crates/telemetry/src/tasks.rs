//! The owner of all long-running work: it spawns, tells everyone to stop, waits, and names who did not.
//!
//! A task's panic stays in the task. It is logged with the task's name and reported when the host drains.

use std::{
    any::Any,
    borrow::Cow,
    collections::HashMap,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
    time::timeout,
};

/// A task's name, for people.
pub type Name = Cow<'static, str>;

/// The owner of spawned tasks. Clones own the same tasks.
#[derive(Clone, Debug)]
pub struct Tasks {
    books: Arc<Books>,
    stop: Arc<watch::Sender<bool>>,
}

/// The word to stop. Clones hear the same word.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// How the tasks ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Tasks that did not end in time and were dropped half-way.
    pub unfinished: Vec<Name>,
    /// Tasks that panicked at any time, the first [`MOST_PANICS`] of them.
    pub panicked: Vec<Name>,
}

/// How many panics are remembered: enough to see a pattern, too few to fill the memory.
pub const MOST_PANICS: usize = 100;

#[derive(Debug, Default)]
struct Books {
    page: Mutex<Page>,
    /// Told each time that the last running task ends.
    idle: Notify,
}

#[derive(Debug, Default)]
struct Page {
    next: u64,
    running: HashMap<u64, Running>,
    panicked: Vec<Name>,
}

#[derive(Debug)]
struct Running {
    name: Name,
    abort: Option<AbortHandle>,
}

/// Takes a task off the books when it ends, however it ends.
struct Entry {
    books: Arc<Books>,
    number: u64,
}

// === impl Tasks ===

impl Tasks {
    /// An owner without tasks.
    pub fn new() -> Self {
        Self {
            books: Arc::default(),
            stop: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Runs `future` as a task of the current runtime.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that spawns tasks"
    )]
    pub fn spawn<F>(&self, name: impl Into<Name>, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let name = name.into();
        let entry = self.books.open(name.clone());
        let number = entry.number;
        // Boxed out here: a future that was moved into the task would have room in it a second time.
        let future = Box::pin(future);
        let task = tokio::spawn(async move {
            if let Err(panic) = catch(future).await {
                tracing::error!(task = %name, panic, "a task panicked");
                entry.books.note_panic(name);
            }
            drop(entry);
        });
        // The task may have ended already, and then its entry is gone.
        if let Some(running) = self.books.page().running.get_mut(&number) {
            running.abort = Some(task.abort_handle());
        }
    }

    /// The word to stop, for a task to wait for.
    pub fn shutdown(&self) -> Shutdown {
        Shutdown(self.stop.subscribe())
    }

    /// How many tasks are running.
    pub fn running(&self) -> usize {
        self.books.page().running.len()
    }

    /// Says stop without waiting. Saying it twice is saying it once.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Says stop, waits for the tasks to end, and drops those that do not end in time.
    pub async fn drain(&self, most: Duration) -> Drained {
        self.stop();
        // An elapsed wait is not an error here: the books say who is left.
        let _ = timeout(most, self.books.wait_idle()).await;
        let mut page = self.books.page();
        let mut unfinished = Vec::with_capacity(page.running.len());
        for running in page.running.values() {
            if let Some(abort) = &running.abort {
                abort.abort();
            }
            unfinished.push(running.name.clone());
        }
        unfinished.sort();
        Drained {
            unfinished,
            panicked: std::mem::take(&mut page.panicked),
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Shutdown ===

impl Shutdown {
    /// Waits for the word; at once where it was said before, or where nobody is left to say it.
    pub async fn wait(&self) {
        // An error means that the owner is gone, which is as good as its word.
        let _ = self.0.clone().wait_for(|said| *said).await;
    }

    /// Whether the word was said.
    pub fn is_said(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

// === impl Books ===

impl Books {
    fn open(self: &Arc<Self>, name: Name) -> Entry {
        let mut page = self.page();
        let number = page.next;
        page.next += 1;
        page.running.insert(number, Running { name, abort: None });
        Entry {
            books: Arc::clone(self),
            number,
        }
    }

    fn note_panic(&self, name: Name) {
        let mut page = self.page();
        if page.panicked.len() < MOST_PANICS {
            page.panicked.push(name);
        }
    }

    async fn wait_idle(&self) {
        loop {
            let mut idle = std::pin::pin!(self.idle.notified());
            // Listening begins before looking, so that an end in between is heard.
            idle.as_mut().enable();
            if self.page().running.is_empty() {
                return;
            }
            idle.await;
        }
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        // Nothing that runs under this lock can panic half-way through a change.
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Entry ===

impl Drop for Entry {
    fn drop(&mut self) {
        let mut page = self.books.page();
        page.running.remove(&self.number);
        if page.running.is_empty() {
            self.books.idle.notify_waiters();
        }
    }
}

/// Runs a future to its end, or to its panic.
async fn catch(mut future: Pin<Box<impl Future<Output = ()>>>) -> Result<(), String> {
    poll_fn(|context| {
        // A future that has panicked is never polled again, so that nobody sees what it left half-done.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(payload) => Poll::Ready(Err(panic_text(payload.as_ref()))),
        }
    })
    .await
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("(no text)").to_owned()
}

#[cfg(test)]
mod tests;
