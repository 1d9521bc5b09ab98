//! `WithUnit`: a call's writes, events, inbox mark and the record of its answer become durable together, or not at all.
//!
//! Concurrency is optimistic: a call runs on a snapshot, and the commit checks that what it read is unchanged.
//! If not, the call runs again on fresh state. From then on it queues for what it lost over (`contention.rs`).

mod contention;
mod idempotency;
mod running;
mod steps;
pub(crate) mod sweep;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use skald_core::{
    call::{Call, CallError, Reply, Request},
    context::Once,
    run::Run,
    store::{Change, CommitError, Store, Subject},
    unit::{Limits, Mode, Now, Unit, UnitError},
};

use self::{
    contention::{Contention, Turn},
    idempotency::Book,
    running::Running,
};
use crate::deadline::{WithDeadline, within};

/// Makes each call a unit of work.
pub(crate) struct WithUnit<E> {
    mode: Mode,
    limits: Limits,
    store: Arc<dyn Store>,
    now: Now,
    contention: Arc<Contention>,
    running: Running,
    book: Book,
    inner: WithDeadline<E>,
}

/// What the units of all components stand on.
pub(crate) struct Ground<E> {
    engine: Arc<E>,
    now: Now,
    /// One for all, since components may share a store.
    contention: Arc<Contention>,
}

/// How one run of a call ended.
enum Attempt {
    /// With an answer, and all of its effects are durable.
    Ended(Reply),
    /// Others changed this under it; nothing was written.
    Lost(Subject),
}

/// With turns taken by `contention.rs` a call needs two or three runs; so many mean that another process writes
/// the same keys all the time.
const MOST_ATTEMPTS: u32 = 32;

// === impl Ground ===

impl<E> Ground<E> {
    pub(crate) fn new(engine: Arc<E>, now: Now) -> Self {
        Self {
            engine,
            now,
            contention: Arc::default(),
        }
    }

    pub(crate) fn engine(&self) -> Arc<E> {
        Arc::clone(&self.engine)
    }
}

// === impl WithUnit ===

impl<E: Run> WithUnit<E> {
    pub(crate) fn new(
        ground: &Ground<E>,
        store: Arc<dyn Store>,
        (mode, limits): (Mode, Limits),
        inner: WithDeadline<E>,
    ) -> Self {
        Self {
            mode,
            limits,
            store,
            now: ground.now,
            contention: Arc::clone(&ground.contention),
            running: Running::default(),
            book: Book::new(),
            inner,
        }
    }

    /// Runs the component on a new unit and commits what it did.
    async fn attempt(&self, request: &Request, turn: &Turn<'_>) -> Result<Attempt, CallError> {
        let mut unit = Unit::new(self.mode, Arc::clone(&self.store), self.limits, self.now);
        if name(request).is_some() {
            // Boxed, here and below, is what few calls do: every call would carry the room for it.
            let found = Box::pin(within(request, self.answered(request, &mut unit))).await??;
            if let Some(reply) = found {
                return Ok(Attempt::Ended(reply));
            }
        }
        let outrun = unit.outrun();
        let ran = self.inner.run(request, unit).await;
        if let Some(subject) = outrun.over() {
            // Whatever the component made of it, it has seen two states of the world.
            return Ok(Attempt::Lost(subject.clone()));
        }
        let (unit, reply) = match ran {
            Err(error) if self.mode == Mode::Immediate => return Err(begun(error)),
            ran => ran?,
        };
        if !reply.keeps_effects() {
            return Ok(Attempt::Ended(reply));
        }
        let change = self.complete(unit.into_change(), request, &reply)?;
        if change.is_empty() {
            return Ok(Attempt::Ended(reply));
        }
        if let Some(subject) = self.contention.queued_for(&change, turn) {
            // Whoever queues for it would lose against this commit, and again against the next one.
            return Ok(Attempt::Lost(subject));
        }
        Box::pin(self.commit(change, reply)).await
    }

    /// The answer of before, where it is kept. Read through the unit, so that a record that another sending of the
    /// call writes meanwhile is a conflict: its caller may be gone, or be another host.
    async fn answered(
        &self,
        request: &Request,
        unit: &mut Unit,
    ) -> Result<Option<Reply>, CallError> {
        match &request.context.once {
            Some(Once::Key(key)) => self.book.find(unit, key, (self.now)()).await,
            Some(Once::Step(step)) => steps::find(unit, step).await,
            Some(Once::Inbox(_)) | None => Ok(None),
        }
    }

    /// Adds what makes the call's effect happen once.
    ///
    /// Where writes are immediate it comes after them, in a commit of its own. A crash between the two, or a failure of
    /// the component after its first write, leaves an effect that nothing is known of: sent again, it happens again. So
    /// a step of such a component takes effect at least once, unless its target knows it by its key itself.
    fn complete(
        &self,
        mut change: Change,
        request: &Request,
        reply: &Reply,
    ) -> Result<Change, CallError> {
        let record = match &request.context.once {
            None => None,
            Some(Once::Inbox(mark)) => {
                change.inbox = Some(mark.clone());
                None
            }
            Some(Once::Key(key)) => self.book.record(key, reply, (self.now)())?,
            // Nothing happened; `steps.rs` says why that is not worth a record. What an immediate component has written
            // is no longer in the change.
            Some(Once::Step(_)) if self.mode == Mode::Held && change.is_empty() => None,
            Some(Once::Step(step)) => {
                change.life = step.life;
                steps::record(step, reply, (self.now)())?
            }
        };
        change.writes.extend(record);
        Ok(change)
    }

    /// No deadline here: a commit that has begun may happen, and its outcome must be known.
    async fn commit(&self, change: Change, reply: Reply) -> Result<Attempt, CallError> {
        match self.store.commit(change, (self.now)()).await {
            Ok(()) => Ok(Attempt::Ended(reply)),
            Err(CommitError::Conflict(subject)) => Ok(Attempt::Lost(subject)),
            Err(CommitError::AlreadyHandled(_)) => Ok(Attempt::Ended(Reply::Handled)),
            Err(CommitError::Store(error)) => Err(CallError::Store(error)),
        }
    }
}

impl<E: Run> Call for WithUnit<E> {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        let _running = name(request)
            .map(|name| self.running.enter(name))
            .transpose()?;
        let mut turn = Turn::default();
        for attempt in 1..=MOST_ATTEMPTS {
            let subject = match self.attempt(request, &turn).await? {
                Attempt::Ended(reply) => return Ok(reply),
                Attempt::Lost(subject) => subject,
            };
            if self.mode == Mode::Immediate {
                // What it wrote is there already; a second run would write it twice.
                return Err(CallError::Conflict { attempts: attempt });
            }
            tracing::debug!(component = %request.target, attempt, ?subject, "running again on fresh state");
            Box::pin(within(request, self.contention.queue(&mut turn, subject))).await?;
        }
        Err(CallError::Conflict {
            attempts: MOST_ATTEMPTS,
        })
    }
}

/// An error that came out of a component whose writes are not held. It may be that of a call the component made, and
/// say that nothing was done; the component itself has done something by then, and must not be run again for it.
fn begun(error: CallError) -> CallError {
    match error {
        CallError::Overloaded { .. } | CallError::Broken { .. } | CallError::Conflict { .. } => {
            CallError::Trapped(error.to_string())
        }
        other => other,
    }
}

/// What a call is known by when it is sent again, if its answer is kept. The scope of a client's key begins with a method
/// and a space, so that it is never a step's key.
fn name(request: &Request) -> Option<&str> {
    match &request.context.once {
        Some(Once::Key(key)) => Some(&key.scope),
        Some(Once::Step(step)) => Some(&step.key),
        Some(Once::Inbox(_)) | None => None,
    }
}

fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn failure(error: UnitError) -> CallError {
    match error {
        UnitError::Store(error) => CallError::Store(error),
        UnitError::TooLarge { what } => CallError::OverLimit(what),
        UnitError::Contended => CallError::Conflict { attempts: 1 },
    }
}

#[cfg(test)]
mod tests;
