//! The way in: finds the target of a call and sends the call down the target's stack.

use std::{
    collections::HashMap,
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use skald_core::{
    call::{Call, CallError, DynCall, Reply, Request},
    manifest::{ComponentId, ComponentSettings},
    run::Run,
    store::{Store, StoreError},
    unit::{Limits, Mode},
};
use skald_telemetry::{clock, ids};
use tokio::time::Instant;

use crate::{
    breaker, retry,
    stack::{Bridge, Stack, bridge, stack},
    unit::{self, Ground},
};

/// All components of the application, each behind its own stack of policies.
pub struct Mesh<E> {
    targets: HashMap<ComponentId, Policed<Stack<E>>>,
    /// What other nodes serve.
    away: HashMap<ComponentId, Policed<Bridge>>,
    /// Each once.
    stores: Vec<Arc<dyn Store>>,
    at_work: AtomicU32,
}

/// Counts a call as long as it is at work, however it ends.
struct AtWork<'a>(&'a AtomicU32);

/// A component that can be called.
#[derive(Clone)]
pub struct Target {
    /// Its name.
    pub id: ComponentId,
    /// Its policies.
    pub config: Config,
    /// Where its units of work are committed. Components may have the same one.
    pub store: Arc<dyn Store>,
}

/// The policies around one component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// How long one call may take, waiting and attempts included.
    pub deadline: Duration,
    /// How many calls run at once.
    pub concurrency: NonZeroUsize,
    /// How many more may wait for a place; each waits until its deadline.
    pub queue: usize,
    /// When a call is made again.
    pub retry: retry::Config,
    /// When the component is left alone.
    pub breaker: breaker::Config,
    /// Whether writes wait for the end of the call.
    pub mode: Mode,
    /// How much one call may write and publish.
    pub limits: Limits,
}

/// A target's stack, and what is fixed before a call enters it.
struct Policed<S> {
    deadline: Duration,
    stack: S,
}

/// Long enough for a checkout with a slow payment provider, short enough for a person who waits.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// Calls take about a millisecond, so that 64 places serve tens of thousands of calls a second.
pub const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// A burst of a few thousand clients is served late rather than refused; each holds a few kilobytes while it waits.
pub const DEFAULT_QUEUE: usize = 4_096;

/// When components of one process leave each other alone: later than a mesh across a network would. Failing here costs
/// microseconds, and a few bad tokens at a payment provider are no reason to keep good ones waiting for a second.
const IN_A_ROW: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
const RATIO: f64 = 0.5;

// === impl Mesh ===

impl<E: Run> Mesh<E> {
    /// Builds a stack around each of `targets`. Where a name comes twice, the last one counts.
    pub fn build(targets: Vec<Target>, engine: &Arc<E>) -> Self {
        let ground = Ground::new(Arc::clone(engine), clock::now);
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        for Target { store, .. } in &targets {
            if !stores.iter().any(|one| Arc::ptr_eq(one, store)) {
                stores.push(Arc::clone(store));
            }
        }
        let police = |target: Target| {
            let policed = Policed {
                deadline: target.config.deadline,
                stack: stack(&target, &ground),
            };
            (target.id, policed)
        };
        Self {
            targets: targets.into_iter().map(police).collect(),
            away: HashMap::new(),
            stores,
            at_work: AtomicU32::new(0),
        }
    }

    /// How many calls are at work, those among them that other nodes do.
    pub fn load(&self) -> u32 {
        self.at_work.load(Ordering::Relaxed)
    }

    /// The same, with components that other nodes serve, each with its policies, and the road there.
    #[must_use]
    pub fn with_away(mut self, road: &Arc<dyn DynCall>, away: Vec<(ComponentId, Config)>) -> Self {
        for (id, config) in away {
            let policed = Policed {
                deadline: config.deadline,
                stack: bridge(&id, &config, Arc::clone(road)),
            };
            self.away.insert(id, policed);
        }
        self
    }

    /// Deletes answers kept for clients' keys and for steps of sagas that have expired; answers how many. To be called
    /// every hour or so.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let (now, mut deleted) = (clock::now(), 0);
        for store in &self.stores {
            deleted += unit::sweep::sweep(&**store, now).await?;
        }
        Ok(deleted)
    }
}

impl<E: Run> Call for Mesh<E> {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        self.send(request.clone()).await
    }

    /// The road itself: it saves a copy of the arguments.
    async fn send(&self, request: Request) -> Result<Reply, CallError> {
        let _at_work = AtWork::enter(&self.at_work);
        if let Some(target) = self.targets.get(&request.target) {
            return target.call(request).await;
        }
        match self.away.get(&request.target) {
            Some(target) => target.call(request).await,
            None => Err(CallError::NoSuchComponent(request.target)),
        }
    }
}

// === impl AtWork ===

impl<'a> AtWork<'a> {
    fn enter(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

// === impl Policed ===

impl<S: Call> Policed<S> {
    async fn call(&self, mut request: Request) -> Result<Reply, CallError> {
        let now = Instant::now().into_std();
        let own = now + self.deadline;
        let deadline = request
            .context
            .deadline
            .map_or(own, |callers| callers.min(own));
        if deadline <= now {
            // Nobody waits for this any more; the component is not to blame and does not hear of it.
            return Err(CallError::TimedOut(Duration::ZERO));
        }
        request.context.deadline = Some(deadline);
        request.context.trace = request.context.trace.child(ids::span_id());
        self.stack.call(&request).await
    }
}

// === impl Config ===

impl Config {
    /// The policies that a manifest asks for.
    pub fn of(settings: &ComponentSettings) -> Self {
        let defaults = Self::default();
        Self {
            deadline: settings.deadline,
            concurrency: settings.concurrency,
            retry: retry::Config {
                attempts: settings.retry.attempts,
                backoff: settings.retry.backoff,
                ..defaults.retry
            },
            breaker: breaker::Config {
                in_a_row: IN_A_ROW,
                ratio: RATIO,
                ..defaults.breaker
            },
            mode: if settings.atomic {
                Mode::Held
            } else {
                Mode::Immediate
            },
            ..defaults
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deadline: DEFAULT_DEADLINE,
            concurrency: DEFAULT_CONCURRENCY,
            queue: DEFAULT_QUEUE,
            retry: retry::Config::default(),
            breaker: breaker::Config::default(),
            mode: Mode::Immediate,
            limits: Limits::default(),
        }
    }
}

#[cfg(test)]
mod tests;
