//! What the code of a saga sees of its run.

use std::sync::Arc;

use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    context::TraceContext,
    saga::{
        Command, Outcome, RunId,
        play::{Interrupted, Stage},
    },
};
use tokio::sync::Notify;

use crate::book::Book;

/// A run while it is carried, as its carrier and its code share it.
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) key: String,
    pub(crate) book: Mutex<Book>,
    /// Tells the carrier that the code waits.
    pub(crate) asked: Notify,
    /// Tells the code that something has ended.
    pub(crate) ended: Notify,
}

impl Run {
    pub(crate) fn new(book: Book) -> Arc<Self> {
        Arc::new(Self {
            id: book.state.run().clone(),
            key: book.state.started().key.clone(),
            book: Mutex::new(book),
            asked: Notify::new(),
            ended: Notify::new(),
        })
    }

    /// Asks the book until it has an answer.
    async fn wait<T>(
        &self,
        mut ask: impl FnMut(&mut Book) -> Result<Option<T>, Interrupted> + Send,
    ) -> Result<T, Interrupted> {
        loop {
            // Listening begins before the question, so that no answer is missed.
            let ended = self.ended.notified();
            if let Some(answer) = ask(&mut self.book.lock())? {
                return Ok(answer);
            }
            self.asked.notify_one();
            ended.await;
        }
    }
}

impl Stage for Run {
    fn issue(&self, command: Command) -> Result<u32, Interrupted> {
        self.book.lock().issue(command)
    }

    fn outcome(&self, ordinal: u32) -> BoxFuture<'_, Result<Outcome, Interrupted>> {
        Box::pin(self.wait(move |book| book.outcome(ordinal)))
    }

    fn join<'a>(&'a self, ordinals: &'a [u32]) -> BoxFuture<'a, Result<u32, Interrupted>> {
        Box::pin(self.wait(move |book| book.join(ordinals)))
    }

    fn patched(&self, id: &str) -> Result<bool, Interrupted> {
        self.book.lock().patched(id)
    }

    fn now(&self) -> u64 {
        self.book.lock().script.now()
    }

    fn run(&self) -> &RunId {
        &self.id
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn is_live(&self) -> bool {
        let book = self.book.lock();
        book.script.is_live(&book.state)
    }

    fn trace(&self) -> Option<TraceContext> {
        TraceContext::parse(&self.book.lock().state.started().trace)
    }
}
