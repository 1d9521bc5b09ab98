//! Plays programs, and writes down what they see.

mod calls;
mod place;
mod plan;
mod sights;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use skald_core::{
    call::{BoxFuture, CallError, Reply},
    manifest::ComponentId,
    saga::{
        Command, Outcome, RunId, State,
        play::{Interrupted, Part, Play, PlayError, Stage},
    },
    value::Value,
};

use self::{
    calls::{call_of, step_of},
    place::Place,
    sights::{Seen, Sign},
};
use crate::{
    points::Points,
    program::{Breakage, Fate, Node, Program},
    shelf::Shelf,
};

/// The programs, by component and revision.
pub struct Actors {
    points: Arc<Points>,
    shelf: Arc<Shelf>,
    programs: Mutex<HashMap<(String, String), Arc<Program>>>,
    current: Mutex<HashMap<String, String>>,
    plays: Mutex<HashMap<RunId, Vec<Seen>>>,
    broken: Mutex<HashMap<(RunId, String), u32>>,
    playing: Arc<Mutex<(usize, usize)>>,
}

/// One play of a program.
struct Actor<'a> {
    actors: &'a Actors,
    stage: Arc<dyn Stage>,
    seen: Seen,
}

/// How a part of a program went.
enum Flow {
    /// It goes on.
    On,
    /// The program ends.
    End(Result<(), String>),
}

// === impl Actors ===

impl Actors {
    /// Nobody yet.
    pub fn new(points: Arc<Points>, shelf: Arc<Shelf>) -> Self {
        Self {
            points,
            shelf,
            programs: Mutex::default(),
            current: Mutex::default(),
            plays: Mutex::default(),
            broken: Mutex::default(),
            playing: Arc::default(),
        }
    }

    /// A revision of a component; it is the current one from now on.
    pub fn learn(&self, component: &str, revision: &str, program: Program) {
        let of = (component.to_owned(), revision.to_owned());
        self.programs.lock().insert(of, Arc::new(program));
        let mut current = self.current.lock();
        current.insert(component.to_owned(), revision.to_owned());
    }

    /// A revision is gone.
    pub fn forget(&self, component: &str, revision: &str) {
        let of = (component.to_owned(), revision.to_owned());
        self.programs.lock().remove(&of);
    }

    /// What each play of a run has seen, in order.
    pub fn plays(&self, run: &RunId) -> Vec<Vec<String>> {
        let plays = self.plays.lock();
        let plays = plays.get(run).map(Vec::as_slice).unwrap_or_default();
        plays.iter().map(|seen| seen.lock().texts()).collect()
    }

    /// The most plays there were at once.
    pub fn most_playing(&self) -> usize {
        self.playing.lock().1
    }

    /// A play begins.
    fn remember(&self, run: &RunId, seen: &Seen) {
        let (records, _) = self.shelf.read(run).unwrap_or_default();
        let journal = State::fold(records).ok();
        let mut plays = self.plays.lock();
        let plays = plays.entry(run.clone()).or_default();
        plays
            .iter()
            .for_each(|play| play.lock().end(journal.as_ref()));
        plays.push(Arc::clone(seen));
    }

    /// Whether it goes wrong now.
    fn breaks(&self, run: &RunId, what: String, times: u32) -> bool {
        let mut broken = self.broken.lock();
        let count = broken.entry((run.clone(), what)).or_default();
        *count += 1;
        times == 0 || *count <= times
    }
}

impl Play for Actors {
    fn play<'a>(
        &'a self,
        part: &'a Part,
        stage: Arc<dyn Stage>,
    ) -> BoxFuture<'a, Result<Reply, PlayError>> {
        Box::pin(async move {
            let of = (part.component.to_string(), part.revision.clone());
            let program = self.programs.lock().get(&of).cloned();
            let Some(program) = program else {
                return Err(PlayError::NoRevision("it is not deployed".to_owned()));
            };
            let _place = Place::take(&self.playing);
            let seen = Seen::default();
            self.remember(stage.run(), &seen);
            let actor = Actor {
                actors: self,
                stage,
                seen,
            };
            actor.perform(&program).await
        })
    }

    fn current(&self, component: &ComponentId) -> Option<String> {
        self.current.lock().get(component.as_str()).cloned()
    }
}

// === impl Actor ===

impl Actor<'_> {
    async fn perform(&self, program: &Program) -> Result<Reply, PlayError> {
        let ended = match self.all(program, None, "").await? {
            Flow::On => Ok(()),
            Flow::End(ended) => ended,
        };
        self.actors.points.pass("the code ends").await;
        // The answer says all that was seen, so that no replay can see anything else.
        let seen = self.seen.lock().texts().join("; ");
        let answer = match ended {
            Ok(()) => Ok(Some(Box::new(Value::String(seen)))),
            Err(error) => Err(Some(Box::new(Value::String(error)))),
        };
        Ok(Reply::Value(Some(Value::Result(answer))))
    }

    fn all<'a>(
        &'a self,
        nodes: &'a [Node],
        scope: Option<u32>,
        path: &'a str,
    ) -> BoxFuture<'a, Result<Flow, PlayError>> {
        Box::pin(self.every(nodes, scope, path))
    }

    async fn every(
        &self,
        nodes: &[Node],
        scope: Option<u32>,
        path: &str,
    ) -> Result<Flow, PlayError> {
        for (at, node) in nodes.iter().enumerate() {
            let flow = self.one(node, scope, &format!("{path}/{at}")).await?;
            if let Flow::End(_) = flow {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    async fn one(&self, node: &Node, scope: Option<u32>, path: &str) -> Result<Flow, PlayError> {
        match node {
            Node::Call(step) => self.call(*step).await,
            Node::Try(step) => self.attempt(*step, scope).await,
            Node::Ask(step) => self.call(*step).await.map(|_| Flow::On),
            Node::Fan { calls, timer } => self.fan(calls, *timer).await,
            Node::Start(step) => {
                self.issue(step_of(*step, 0)).await?;
                Ok(Flow::On)
            }
            Node::Undo(step) => self.register(*step, scope).await,
            Node::Scope { body, end } => self.scope(body, *end, path).await,
            Node::Sleep(milliseconds) => {
                let milliseconds = *milliseconds;
                self.wait_for(Command::Sleep { milliseconds }).await
            }
            Node::Wait { signal, timeout } => {
                let (signal, timeout_ms) = (signal.clone(), *timeout);
                self.wait_for(Command::Wait { signal, timeout_ms }).await
            }
            Node::Status(text) => self.do_now(Command::Status { text: text.clone() }).await,
            Node::Patch(id, body) => {
                self.actors.points.pass("the code asks").await;
                if self.stage.patched(id).map_err(stopped)? {
                    return self.all(body, scope, path).await;
                }
                Ok(Flow::On)
            }
            Node::Large(step, bytes) => self.wait_for(step_of(*step, *bytes)).await,
            Node::Break(how, times) => self.go_wrong(*how, *times, path).await,
            Node::Shop { part, breaks } => self.plan(part, *breaks).await,
            Node::Refuse => Ok(Flow::End(Err("the code refuses".to_owned()))),
            Node::Finish => Ok(Flow::End(Ok(()))),
        }
    }

    async fn register(&self, step: u32, scope: Option<u32>) -> Result<Flow, PlayError> {
        let Some(scope) = scope else {
            return Ok(Flow::On);
        };
        let undo = call_of(step, "undo", 0);
        self.do_now(Command::Register { scope, undo }).await
    }

    async fn call(&self, step: u32) -> Result<Flow, PlayError> {
        let ordinal = self.issue(step_of(step, 0)).await?;
        Ok(match self.outcome(ordinal).await? {
            Outcome::Returned(Some(Value::Result(Err(_)))) => {
                Flow::End(Err(format!("{step} was refused")))
            }
            _ => Flow::On,
        })
    }

    async fn attempt(&self, step: u32, scope: Option<u32>) -> Result<Flow, PlayError> {
        let flow = self.call(step).await?;
        let Flow::End(Err(reason)) = flow else {
            return Ok(flow);
        };
        if let Some(scope) = scope {
            self.wait_for(Command::Rollback { scope, reason }).await?;
        }
        Ok(Flow::End(Ok(())))
    }

    async fn fan(&self, calls: &[u32], timer: Option<u64>) -> Result<Flow, PlayError> {
        let mut tickets = Vec::new();
        for step in calls {
            tickets.push(self.issue(step_of(*step, 0)).await?);
        }
        let timer = match timer {
            Some(milliseconds) => Some(self.issue(Command::Sleep { milliseconds }).await?),
            None => None,
        };
        let mut left = tickets.len().max(usize::from(tickets.is_empty()));
        tickets.extend(timer);
        while left > 0 && !tickets.is_empty() {
            let first = self.stage.join(&tickets).await.map_err(stopped)?;
            self.actors.points.pass("the code goes on").await;
            self.note(Sign::Ended(first), format!("{first} was first"));
            if Some(first) == timer {
                break;
            }
            self.outcome(first).await?;
            left -= 1;
        }
        Ok(Flow::On)
    }

    async fn scope(&self, body: &[Node], end: Fate, path: &str) -> Result<Flow, PlayError> {
        let name = path.to_owned();
        let scope = self.issue(Command::Open { name }).await?;
        let flow = self.all(body, Some(scope), path).await?;
        if let Flow::End(_) = flow {
            return Ok(flow);
        }
        let reason = "the code says so".to_owned();
        match end {
            Fate::Commit => self.do_now(Command::Commit { scope }).await,
            Fate::Rollback => self.wait_for(Command::Rollback { scope, reason }).await,
            Fate::Leave => Ok(Flow::On),
        }
    }

    async fn go_wrong(&self, how: Breakage, times: u32, path: &str) -> Result<Flow, PlayError> {
        let what = path.to_owned();
        if !self.actors.breaks(self.stage.run(), what, times) {
            return Ok(Flow::On);
        }
        Err(PlayError::Crashed(match how {
            Breakage::Trap => CallError::Trapped("unreachable".to_owned()),
            Breakage::Panic => broken(),
            Breakage::Memory => CallError::OverLimit("64 MiB of memory".to_owned()),
            // Nothing but whoever runs it ends it.
            Breakage::Spin => std::future::pending().await,
        }))
    }

    async fn do_now(&self, command: Command) -> Result<Flow, PlayError> {
        self.issue(command).await?;
        Ok(Flow::On)
    }

    async fn wait_for(&self, command: Command) -> Result<Flow, PlayError> {
        let ordinal = self.issue(command).await?;
        self.outcome(ordinal).await?;
        Ok(Flow::On)
    }

    async fn issue(&self, command: Command) -> Result<u32, PlayError> {
        self.actors.points.pass("the code asks").await;
        let text = command.to_string();
        let ordinal = self.stage.issue(command).map_err(stopped)?;
        self.note(Sign::Issued(ordinal), format!("{ordinal} is {text}"));
        Ok(ordinal)
    }

    async fn outcome(&self, ordinal: u32) -> Result<Outcome, PlayError> {
        let outcome = self.stage.outcome(ordinal).await.map_err(stopped)?;
        self.actors.points.pass("the code goes on").await;
        self.note(
            Sign::Ended(ordinal),
            format!("{ordinal} ended with {outcome:?}"),
        );
        Ok(outcome)
    }

    /// Times are kept apart by how they begin: they may differ between runs, but not between plays of one.
    fn note(&self, by: Sign, text: String) {
        let at = format!("at {}", self.stage.now());
        self.seen.lock().add(by, [text, at]);
    }
}

#[expect(clippy::panic, reason = "the fault is a panic")]
fn broken() -> CallError {
    panic!("what runs the code breaks, as it was told to")
}

fn stopped(interrupted: Interrupted) -> PlayError {
    match interrupted {
        Interrupted::Stopped => PlayError::Stopped,
        Interrupted::Misuse(misuse) => PlayError::Crashed(CallError::Trapped(misuse.to_string())),
    }
}
