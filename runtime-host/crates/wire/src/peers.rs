//! Calls the components of other nodes.
//!
//! A call goes to another node again only where the first one has surely not begun it: it could not be reached, it has
//! turned the call away before looking at it, or it says itself that it stops. A call whose connection breaks may have had
//! its effect, and is told as such; whoever has a key for it can ask again.

mod letter;
mod line;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use skald_core::{
    call::{Call, CallError, Reply, Request},
    manifest::ComponentId,
    store::StoreError,
};
use skald_telemetry::{random, tasks::Tasks};
use tokio::time::{Instant, timeout_at};

use self::{
    letter::Letter,
    line::{Failure, Line, Received},
};
use crate::{
    balance::{Balance, Choice, Moment, Node, Outcome, Turn},
    config::{Config, ConfigError, Peer},
    contract::Contracts,
};

/// The asking side of the wire.
pub struct Peers {
    config: Config,
    contracts: Contracts,
    /// Owns the connections.
    tasks: Tasks,
    known: RwLock<Vec<Arc<Known>>>,
    balance: Mutex<Balance>,
    /// What moments are counted from.
    start: Instant,
}

/// A peer and the connections to it.
struct Known {
    node: Node,
    peer: Peer,
    line: Line,
    more_lines: Vec<Line>,
    next: AtomicUsize,
}

/// One call to one node; tells the balance how it ended, also when nobody waits for it any more.
struct Attempt<'a> {
    peers: &'a Peers,
    component: &'a ComponentId,
    known: &'a Known,
    began: Moment,
    outcome: Outcome,
}

/// How a call to one node ended.
enum Ended {
    Here(Result<Reply, CallError>),
    /// Another node can be asked, and what to say where there is none.
    Elsewhere(CallError),
}

/// When it is worth trying again where no node serves a component: about what a node takes to start, or to be found.
const NOBODY: Duration = Duration::from_secs(1);

// === impl Peers ===

impl Peers {
    /// No peers yet, for an application with these `contracts`, those of local components or not. Connections are tasks of
    /// `tasks`.
    pub fn new(config: Config, contracts: Contracts, tasks: Tasks) -> Self {
        Self {
            config,
            contracts,
            tasks,
            known: RwLock::default(),
            balance: Mutex::default(),
            start: Instant::now(),
        }
    }

    /// These are the other nodes now. Those that are not to be asked as things are, are left out and returned.
    ///
    /// Connections to nodes that stay where they are stay too.
    pub fn set(&self, peers: Vec<Peer>) -> Vec<ConfigError> {
        let mut refused = Vec::new();
        let mut known = self.known.write();
        let mut next = Vec::with_capacity(peers.len());
        for peer in peers {
            if let Err(error) = self.config.security.check(peer.address) {
                refused.push(error);
                continue;
            }
            let is_same =
                |old: &&Arc<Known>| *old.node == *peer.node && old.peer.address == peer.address;
            let old = known.iter().find(is_same);
            next.push(match old {
                Some(old) if old.peer == peer => Arc::clone(old),
                Some(_) | None => Arc::new(Known::new(peer, &self.config, &self.tasks, old)),
            });
        }
        let nodes: Vec<Node> = next.iter().map(|peer| Node::clone(&peer.node)).collect();
        *known = next;
        self.balance.lock().keep(&nodes);
        refused
    }

    /// Whether another node serves this component.
    pub fn has(&self, component: &ComponentId) -> bool {
        self.known
            .read()
            .iter()
            .any(|known| known.peer.components.contains(component))
    }

    async fn send(&self, letter: &Letter<'_>) -> Result<Reply, CallError> {
        let component = &letter.request.target;
        let mut left = self.serving(component);
        if left.is_empty() {
            return Err(self.nobody(component));
        }
        let mut last = None;
        loop {
            let nodes: Vec<Node> = left.iter().map(|known| Node::clone(&known.node)).collect();
            let chosen = self.choose(component, &nodes);
            let place = match &chosen {
                Choice::Ask(node) => nodes.iter().position(|known| known == node),
                Choice::Wait(_) => None,
            };
            let Some(place) = place else {
                let retry_after = match chosen {
                    Choice::Wait(pause) => pause,
                    Choice::Ask(_) => Duration::ZERO,
                };
                return Err(last.unwrap_or_else(|| CallError::Broken {
                    component: component.clone(),
                    retry_after,
                }));
            };
            match self.ask(&left.swap_remove(place), letter).await {
                Ended::Here(result) => return result,
                Ended::Elsewhere(error) => last = Some(error),
            }
        }
    }

    /// What to say where no node serves a component: one that the application has may be served again soon.
    fn nobody(&self, component: &ComponentId) -> CallError {
        let component = component.clone();
        if self.contracts.components().contains(&component) {
            let retry_after = NOBODY;
            CallError::Broken {
                component,
                retry_after,
            }
        } else {
            CallError::NoSuchComponent(component)
        }
    }

    /// The nodes that serve a component.
    fn serving(&self, component: &ComponentId) -> Vec<Arc<Known>> {
        let serves = |known: &&Arc<Known>| known.peer.components.contains(component);
        self.known.read().iter().filter(serves).cloned().collect()
    }

    fn choose(&self, component: &ComponentId, nodes: &[Node]) -> Choice {
        let now = self.now();
        self.balance
            .lock()
            .choose(component, nodes, now, &mut random::bits)
    }

    async fn ask(&self, known: &Known, letter: &Letter<'_>) -> Ended {
        let (component, node) = (&letter.request.target, &*known.node);
        let mut attempt = Attempt {
            peers: self,
            component,
            known,
            began: self.now(),
            outcome: Outcome::Abandoned,
        };
        let headers = letter.headers();
        let asked = known.line().ask(&letter.path, headers, &letter.message);
        let asked = asked.await;
        attempt.outcome = match &asked {
            Ok(Received::Message(_)) => Outcome::Answered,
            Ok(Received::Status(status)) => outcome(&letter.error(node, status)),
            Err(_) => Outcome::Unreachable,
        };
        drop(attempt);
        match asked {
            Ok(Received::Message(message)) => Ended::Here(letter.reply(node, &message)),
            Ok(Received::Status(status)) => match letter.error(node, &status) {
                // It is the other host that stops, and not this one.
                CallError::ShuttingDown => Ended::Elsewhere(self.broken(component, node)),
                error => Ended::Here(Err(error)),
            },
            Err(Failure::NotSent(what)) => {
                tracing::debug!(node, what, "a node was not reached");
                Ended::Elsewhere(self.broken(component, node))
            }
            Err(Failure::Unknown(what)) => {
                let what = format!("the call to node {node} was cut off: {what}");
                Ended::Here(Err(CallError::Store(StoreError::Unknown(what))))
            }
        }
    }

    fn broken(&self, component: &ComponentId, node: &str) -> CallError {
        let pause = self.balance.lock().pause(&[node.into()], self.now());
        CallError::Broken {
            component: component.clone(),
            retry_after: pause,
        }
    }

    fn now(&self) -> Moment {
        self.start.elapsed()
    }
}

impl Call for Peers {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        let letter = Letter::write(request, &self.contracts, &self.config)?;
        let began = Instant::now();
        let deadline = request.context.deadline.map(Instant::from_std);
        let end = deadline.unwrap_or(began + self.config.limits.call);
        match timeout_at(end, self.send(&letter)).await {
            Ok(result) => result,
            Err(_) if deadline.is_some() => Err(CallError::TimedOut(began.elapsed())),
            // Nobody has told the other node to be done by now.
            Err(_) => {
                let what = format!("no node has answered within {:?}", self.config.limits.call);
                Err(CallError::Store(StoreError::Unknown(what)))
            }
        }
    }
}

/// What an error says of the node that answered it. A node that fails at once must not seem the quickest of all.
const fn outcome(error: &CallError) -> Outcome {
    match error {
        CallError::Overloaded { .. }
        | CallError::Broken { .. }
        | CallError::Store(_)
        | CallError::Engine(_)
        | CallError::ShuttingDown => Outcome::Busy,
        CallError::NoSuchComponent(_)
        | CallError::NoSuchExport { .. }
        | CallError::TimedOut(_)
        | CallError::Trapped(_)
        | CallError::OverLimit(_)
        | CallError::HandlerFailed(_)
        | CallError::Conflict { .. }
        | CallError::KeyReused
        | CallError::KeyRunning => Outcome::Answered,
    }
}

// === impl Known ===

impl Known {
    fn new(peer: Peer, config: &Config, tasks: &Tasks, old: Option<&Arc<Self>>) -> Self {
        let line = || Line::new(peer.address, config.clone(), tasks.clone());
        let (line, more_lines) = match old {
            Some(old) => (old.line.clone(), old.more_lines.clone()),
            None => {
                let more = (1..config.limits.lines).map(|_| line());
                (line(), more.collect())
            }
        };
        Self {
            node: peer.node.as_str().into(),
            peer,
            line,
            more_lines,
            next: AtomicUsize::new(0),
        }
    }

    /// The connections take turns.
    fn line(&self) -> &Line {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let place = turn % (self.more_lines.len() + 1);
        // The first one of all is the last one here.
        self.more_lines.get(place).unwrap_or(&self.line)
    }
}

// === impl Attempt ===

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = self.peers.now();
        let turn = self.peers.balance.lock().done(
            (self.component, &self.known.node),
            (self.began, now),
            self.outcome,
            &mut random::bits,
        );
        let (node, address) = (&*self.known.node, self.known.peer.address);
        match turn {
            Some(Turn::Lost) => tracing::warn!(node, %address, "a node cannot be reached"),
            Some(Turn::Back) => tracing::info!(node, %address, "a node can be reached again"),
            None => {}
        }
    }
}
