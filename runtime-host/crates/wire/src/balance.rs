//! Which of several nodes is asked: of two drawn by lot, the one that seems less busy.
//!
//! How busy a node seems is what an answer takes, times the calls that wait for one. What an answer takes is a mean that
//! jumps up with a slow answer and comes down slowly, so that a node that begins to struggle is left alone before its mean
//! would show it. With time it is forgiven, and tried again. A node that cannot be reached is asked nothing for a while that
//! doubles, and then one call finds out.
//!
//! Nothing here waits, draws or reads a clock: times and dice are arguments.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use skald_core::manifest::ComponentId;

/// A node's name.
pub(crate) type Node = Arc<str>;

/// A time, since some beginning.
pub(crate) type Moment = Duration;

/// In how much time an observation loses most of its weight.
const DECAY: Duration = Duration::from_secs(10);

/// What an answer takes where nobody knows: some steps of a call on a near network.
const GUESS: Duration = Duration::from_millis(30);

/// What an answer counts as that says to come later: enough to be asked last for some time.
const PENALTY: Duration = Duration::from_secs(5);

/// The first pause of a node that cannot be reached: a process that is started anew is there by then.
const BACKOFF: Duration = Duration::from_millis(250);

/// The longest one; the registry forgets dead nodes sooner or later.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// What is known of nodes.
#[derive(Default)]
pub(crate) struct Balance {
    peers: BTreeMap<Node, Peer>,
}

#[derive(Default)]
struct Peer {
    standing: Standing,
    /// Components differ in what their answers take.
    loads: HashMap<ComponentId, Load>,
}

/// Whether a node can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Up,
    /// Not, as was found out so often in a row; it is not asked before that time.
    Down { failures: u32, until: Moment },
    /// One call is finding out.
    Probed { failures: u32 },
}

/// How busy a node seems with one component.
struct Load {
    /// What an answer takes, in seconds, as of then.
    cost: f64,
    at: Moment,
    pending: u32,
}

/// How asking a node has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With an answer, whatever it says.
    Answered,
    /// With the answer to come later.
    Busy,
    /// It cannot be reached.
    Unreachable,
    /// Nobody has waited for the answer.
    Abandoned,
}

/// What the end of a call has changed about its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It could be reached before.
    Lost,
    /// It could not be reached before.
    Back,
}

/// What to do with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Ask this node, and say how it ended.
    Ask(Node),
    /// All of them are down; the first one is tried again after so much time.
    Wait(Duration),
}

// === impl Balance ===

impl Balance {
    /// Forgets all nodes but these.
    pub(crate) fn keep(&mut self, nodes: &[Node]) {
        self.peers.retain(|node, _| nodes.contains(node));
    }

    /// Chooses among nodes that serve a component. Of whom it says [`Choice::Ask`], [`Balance::done`] has to be said too.
    pub(crate) fn choose(
        &mut self,
        component: &ComponentId,
        nodes: &[Node],
        now: Moment,
        dice: &mut dyn FnMut() -> u64,
    ) -> Choice {
        let standing = |node: &Node| {
            self.peers
                .get(node)
                .map_or(Standing::Up, |peer| peer.standing)
        };
        let is_due =
            |node: &&Node| matches!(standing(node), Standing::Down { until, .. } if until <= now);
        // Who may be back is asked first, since its call can go to another node if it is not.
        let chosen = nodes.iter().find(is_due).cloned().or_else(|| {
            let up: Vec<&Node> = nodes
                .iter()
                .filter(|node| standing(node) == Standing::Up)
                .collect();
            let (one, other) = draw(&up, dice)?;
            let is_less = self.load(component, other, now) < self.load(component, one, now);
            Some(Node::clone(if is_less { other } else { one }))
        });
        let Some(chosen) = chosen else {
            return Choice::Wait(self.pause(nodes, now));
        };
        let cost = self.mean(component, now);
        let peer = self.peers.entry(Node::clone(&chosen)).or_default();
        if let Standing::Down { failures, .. } = peer.standing {
            peer.standing = Standing::Probed { failures };
        }
        let load = peer.loads.entry(component.clone()).or_insert(Load {
            cost,
            at: now,
            pending: 0,
        });
        load.pending += 1;
        Choice::Ask(chosen)
    }

    /// Notes how a call ended that began at `began`.
    pub(crate) fn done(
        &mut self,
        (component, node): (&ComponentId, &str),
        (began, now): (Moment, Moment),
        outcome: Outcome,
        dice: &mut dyn FnMut() -> u64,
    ) -> Option<Turn> {
        let peer = self.peers.get_mut(node)?;
        let before = peer.standing;
        peer.standing = before.after(outcome, now, dice);
        if let Some(load) = peer.loads.get_mut(component) {
            load.pending = load.pending.saturating_sub(1);
            load.note(outcome, now.saturating_sub(began), now);
        }
        match (before == Standing::Up, peer.standing == Standing::Up) {
            (true, false) => Some(Turn::Lost),
            (false, true) => Some(Turn::Back),
            (true, true) | (false, false) => None,
        }
    }

    /// How long until one of these nodes may be asked again.
    pub(crate) fn pause(&self, nodes: &[Node], now: Moment) -> Duration {
        let pauses = nodes
            .iter()
            .filter_map(|node| match self.peers.get(node)?.standing {
                Standing::Up => Some(Duration::ZERO),
                Standing::Down { until, .. } => Some(until.saturating_sub(now)),
                Standing::Probed { .. } => None,
            });
        // Where each is being tried, that will be known soon.
        pauses.min().unwrap_or(BACKOFF)
    }

    fn load(&self, component: &ComponentId, node: &Node, now: Moment) -> f64 {
        let load = self
            .peers
            .get(node)
            .and_then(|peer| peer.loads.get(component));
        match load {
            Some(load) => load.cost_at(now) * (f64::from(load.pending) + 1.0),
            None => self.mean(component, now),
        }
    }

    /// What a node is taken for that was never asked: no better and no worse than the others.
    fn mean(&self, component: &ComponentId, now: Moment) -> f64 {
        let loads = self
            .peers
            .values()
            .filter_map(|peer| peer.loads.get(component));
        let (sum, count) = loads.fold((0.0, 0.0), |(sum, count), load| {
            (sum + load.cost_at(now), count + 1.0)
        });
        if count > 0.0 {
            sum / count
        } else {
            GUESS.as_secs_f64()
        }
    }
}

/// Two of them, different ones where there are two.
fn draw<'n>(nodes: &[&'n Node], dice: &mut dyn FnMut() -> u64) -> Option<(&'n Node, &'n Node)> {
    let mut roll = |count: usize| {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        dice()
            .checked_rem(count)
            .and_then(|place| usize::try_from(place).ok())
    };
    let first = roll(nodes.len())?;
    let second = match roll(nodes.len() - 1) {
        Some(second) if second >= first => second + 1,
        Some(second) => second,
        None => first,
    };
    Some((nodes.get(first)?, nodes.get(second)?))
}

// === impl Standing ===

impl Standing {
    fn after(self, outcome: Outcome, now: Moment, dice: &mut dyn FnMut() -> u64) -> Self {
        match (self, outcome) {
            (_, Outcome::Answered | Outcome::Busy) => Self::Up,
            (Self::Up, Outcome::Abandoned) => self,
            // It was found out already, by a call that was under way too.
            (Self::Down { .. }, Outcome::Unreachable | Outcome::Abandoned) => self,
            (Self::Up, Outcome::Unreachable) => Self::down(1, now, dice),
            (Self::Probed { failures }, Outcome::Unreachable | Outcome::Abandoned) => {
                Self::down(failures.saturating_add(1), now, dice)
            }
        }
    }

    fn down(failures: u32, now: Moment, dice: &mut dyn FnMut() -> u64) -> Self {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        let pause = BACKOFF.saturating_mul(factor).min(MAX_BACKOFF);
        // Half of it by lot, so that not all nodes try at once.
        let thousandth = u32::try_from(dice() % 1_000).unwrap_or_default();
        let until = now + pause / 2 + pause / 2 * thousandth / 1_000;
        Self::Down { failures, until }
    }
}

// === impl Load ===

impl Load {
    fn note(&mut self, outcome: Outcome, took: Duration, now: Moment) {
        match outcome {
            Outcome::Answered => self.observe(took, now),
            Outcome::Busy => self.observe(took.max(PENALTY), now),
            // How long an answer would have taken is not known, but not less than this.
            Outcome::Abandoned if took.as_secs_f64() > self.cost => self.observe(took, now),
            Outcome::Abandoned | Outcome::Unreachable => {}
        }
    }

    fn observe(&mut self, took: Duration, now: Moment) {
        let took = took.as_secs_f64();
        let weight = self.weight(now);
        self.cost = if took > self.cost {
            took
        } else {
            self.cost * weight + took * (1.0 - weight)
        };
        self.at = now;
    }

    fn cost_at(&self, now: Moment) -> f64 {
        self.cost * self.weight(now)
    }

    /// What is left of an observation.
    fn weight(&self, now: Moment) -> f64 {
        let age = now.saturating_sub(self.at);
        (-age.as_secs_f64() / DECAY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests;
