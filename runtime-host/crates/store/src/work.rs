//! Pieces of work for the writer, each with the way back to the caller who waits for its outcome.

use skald_core::store::StoreError;
use tokio::sync::oneshot;

use crate::session::Session;

/// Something to write.
pub(crate) trait Work: Send + 'static {
    /// What the caller is told once it is durable.
    type Done: Send;
    /// What the caller is told when it was not done.
    type Refusal: From<StoreError> + Send;

    /// Writes it in the transaction that is open. What is refused has written nothing, and its neighbours go on.
    fn apply(&self, session: &mut Session) -> Result<Self::Done, Stop<Self::Refusal>>;

    /// About how many bytes it writes.
    fn bytes(&self) -> usize;

    /// Whether it writes events.
    fn has_events(&self) -> bool {
        false
    }
}

/// Why one piece of work was not done.
#[derive(Debug)]
pub(crate) enum Stop<R> {
    /// It must not be done; nothing was written for it.
    Refused(R),
    /// The database failed, and the transaction with it.
    Failed(rusqlite::Error),
}

/// A piece of work of any kind, as the writer sees it.
pub(crate) trait Job: Send {
    /// About how many bytes it writes.
    fn bytes(&self) -> usize;

    /// Whether its caller still waits.
    fn is_awaited(&self) -> bool;

    /// Does it in the transaction that is open, and remembers the outcome. An error means that the database failed.
    fn apply(&mut self, session: &mut Session) -> rusqlite::Result<()>;

    /// Tells the caller the outcome, which has become durable. Says whether it wrote events.
    fn answer(self: Box<Self>) -> bool;

    /// Tells the caller that the store failed, whatever the outcome would have been.
    fn fail(self: Box<Self>, error: StoreError);
}

type Outcome<W> = Result<<W as Work>::Done, <W as Work>::Refusal>;

struct Asked<W: Work> {
    work: W,
    /// None until it is applied.
    outcome: Option<Outcome<W>>,
    done: oneshot::Sender<Outcome<W>>,
}

/// A job of a piece of work, and where its outcome will be.
pub(crate) fn ask<W: Work>(work: W) -> (Box<dyn Job>, oneshot::Receiver<Outcome<W>>) {
    let (done, outcome) = oneshot::channel();
    let job = Asked {
        work,
        outcome: None,
        done,
    };
    (Box::new(job), outcome)
}

// === impl Stop ===

impl<R> From<rusqlite::Error> for Stop<R> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

// === impl Asked ===

impl<W: Work> Job for Asked<W> {
    fn bytes(&self) -> usize {
        self.work.bytes()
    }

    fn is_awaited(&self) -> bool {
        !self.done.is_closed()
    }

    fn apply(&mut self, session: &mut Session) -> rusqlite::Result<()> {
        self.outcome = Some(match self.work.apply(session) {
            Ok(done) => Ok(done),
            Err(Stop::Refused(refusal)) => Err(refusal),
            Err(Stop::Failed(error)) => return Err(error),
        });
        Ok(())
    }

    fn answer(self: Box<Self>) -> bool {
        let Some(outcome) = self.outcome else {
            return false;
        };
        let wrote_events = outcome.is_ok() && self.work.has_events();
        // The caller may have gone meanwhile; what is done stays done.
        let _told = self.done.send(outcome);
        wrote_events
    }

    fn fail(self: Box<Self>, error: StoreError) {
        let _told = self.done.send(Err(error.into()));
    }
}
