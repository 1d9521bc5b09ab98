//! What stands in for the host when a saga's plan runs natively, in tests: it notes each step with its answer, and plays
//! the plan again from the beginning whenever it goes on, as the host does after a crash.
//!
//! A test stops a run after any number of steps, and so between any two: to look around, to let another run go on, or to
//! have this one cancelled. Services that stand in for the real ones put each of their calls into [`step`].

use std::{
    any::Any,
    cell::RefCell,
    collections::VecDeque,
    fmt,
    panic::{self, AssertUnwindSafe},
    rc::Rc,
};

use super::WaitError;

thread_local! {
    /// The run that plays on this thread.
    static STAGE: RefCell<Stage> = RefCell::default();
}

/// A run of a plan: what has happened so far. A copy goes on by itself.
#[derive(Clone, Debug, Default)]
pub struct Run {
    journal: Vec<Entry>,
    signals: VecDeque<Result<Vec<u8>, WaitError>>,
    /// How many steps the plan may have made before somebody cancels the run.
    cancelled_after: Option<usize>,
    /// Whether the step after those has its effect all the same, and nobody hears of it.
    loses_an_answer: bool,
    statuses: Vec<String>,
}

/// How far a run has come when it stops playing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Played<T> {
    /// The plan has ended, with this.
    Ended(T),
    /// It was cancelled, and everything that was not committed is undone.
    RolledBack,
    /// It has made as many steps as it should, and this one comes next.
    Paused(String),
    /// It waits for this signal.
    Waits(String),
    /// An undo was refused; which, and why.
    Parked(String),
}

/// One step and its answer.
#[derive(Clone)]
struct Entry {
    name: String,
    answer: Rc<dyn Any>,
    words: String,
}

/// What the thread-local plays.
#[derive(Default)]
struct Stage {
    run: Run,
    position: usize,
    /// How many steps that nobody has made before may still be made.
    fresh: usize,
    /// How many scopes there have been.
    scopes: usize,
    /// What would be undone now, oldest first.
    undos: Vec<Registered>,
    undoing: bool,
}

/// An undo entry of an open scope.
struct Registered {
    scope: usize,
    name: String,
    undo: Undo,
}

type Undo = Box<dyn Fn() -> Result<(), String>>;

/// What is to be done about a step.
enum Next {
    /// It was made before, with this answer.
    Known(Rc<dyn Any>),
    /// It is to be made.
    New,
    /// It is to be made, and then the run is cancelled as if it had no answer.
    Lost,
    /// The plan goes no further.
    Stop(Stop),
}

/// Why a plan stops in the middle; it travels as the payload of an unwinding.
enum Stop {
    Paused(String),
    Waits(String),
    Parked(String),
    Cancelled,
}

/// A scope of the run that plays.
#[derive(Debug)]
pub(super) struct Scope(usize);

/// Makes a step of the plan, or answers what it answered before. Everything that a plan calls goes through here.
pub fn step<T: Clone + fmt::Debug + 'static>(name: &str, effect: impl FnOnce() -> T) -> T {
    let next = STAGE.with_borrow_mut(|stage| stage.next(name));
    let stop = match next {
        Next::Known(answer) => match answer.downcast_ref::<T>() {
            Some(answer) => return answer.clone(),
            None => crate::unavailable(&format!("{name} had an answer of another type before")),
        },
        Next::New => {
            let answer = effect();
            STAGE.with_borrow_mut(|stage| stage.note(name, &answer));
            return answer;
        }
        Next::Lost => {
            let lost = format!("{:?}, lost", effect());
            STAGE.with_borrow_mut(|stage| stage.note(name, &lost));
            Stop::Cancelled
        }
        Next::Stop(stop) => stop,
    };
    panic::resume_unwind(Box::new(stop))
}

// === impl Run ===

impl Run {
    /// Plays the plan from the beginning, and lets it make so many steps that it has not made before.
    ///
    /// A plan that ends with a scope that is still open is rolled back, as the host would.
    pub fn play<T>(&mut self, steps: usize, plan: impl FnOnce() -> T) -> Played<T> {
        self.statuses.clear();
        STAGE.set(Stage {
            run: std::mem::take(self),
            fresh: steps,
            ..Stage::default()
        });
        let played = acted(|| {
            let ended = plan();
            roll_back(None);
            Played::Ended(ended)
        });
        let played = match played {
            Err(Stop::Cancelled) => acted(|| {
                roll_back(None);
                Played::RolledBack
            }),
            other => other,
        };
        *self = STAGE.take().run;
        played.unwrap_or_else(Stop::played)
    }

    /// Plays the plan to its end, or to where it waits.
    pub fn finish<T>(&mut self, plan: impl FnOnce() -> T) -> Played<T> {
        self.play(usize::MAX, plan)
    }

    /// Has the run cancelled before the next step of its plan. What it is undoing by itself it undoes first.
    pub fn cancel(&mut self) {
        self.cancelled_after.get_or_insert(self.journal.len());
    }

    /// Has the run cancelled while the next step of its plan is under way: it has its effect, and nobody hears its answer.
    pub fn cancel_midway(&mut self) {
        self.loses_an_answer = self.cancelled_after.is_none();
        self.cancel();
    }

    /// Sends a signal; the run receives it when it next waits.
    pub fn send(&mut self, payload: &[u8]) {
        self.signals.push_back(Ok(payload.to_vec()));
    }

    /// Lets the time of a wait run out.
    pub fn time_out(&mut self) {
        self.signals.push_back(Err(WaitError::TimedOut));
    }

    /// The names of all steps so far.
    pub fn trace(&self) -> String {
        let names: Vec<&str> = self.journal.iter().map(|entry| &*entry.name).collect();
        names.join(" ")
    }

    /// All steps so far with their answers, to tell runs apart.
    pub fn words(&self) -> String {
        let words: Vec<&str> = self.journal.iter().map(|entry| &*entry.words).collect();
        let cancelled = (self.cancelled_after, self.loses_an_answer);
        format!("{} {cancelled:?}", words.join(" "))
    }

    /// What people were told, oldest first.
    pub fn statuses(&self) -> &[String] {
        &self.statuses
    }
}

// === impl Stage ===

impl Stage {
    /// What is to be done about the next step.
    fn next(&mut self, name: &str) -> Next {
        let known = self.run.journal.get(self.position);
        if self.is_cancelled() && !self.loses_this() {
            return Next::Stop(Stop::Cancelled);
        }
        if let Some(known) = known {
            assert_eq!(known.name, name, "a plan makes the same steps again");
            let known = Rc::clone(&known.answer);
            // What was lost before is not told now either; what is undone follows.
            let lost = self.is_cancelled();
            self.position += 1;
            return if lost {
                Next::Stop(Stop::Cancelled)
            } else {
                Next::Known(known)
            };
        }
        if self.is_cancelled() {
            return Next::Lost;
        }
        if self.fresh == 0 {
            return Next::Stop(Stop::Paused(name.to_owned()));
        }
        self.fresh -= 1;
        Next::New
    }

    /// Whether the answer of the next step is the one that is lost.
    fn loses_this(&self) -> bool {
        self.run.loses_an_answer && self.run.cancelled_after == Some(self.position)
    }

    /// Whether the plan is to go no further. What is being undone goes on.
    fn is_cancelled(&self) -> bool {
        let after = self.run.cancelled_after;
        !self.undoing && after.is_some_and(|after| self.position >= after)
    }

    fn note<T: Clone + fmt::Debug + 'static>(&mut self, name: &str, answer: &T) {
        self.position += 1;
        self.run.journal.push(Entry {
            name: name.to_owned(),
            answer: Rc::new(answer.clone()),
            words: format!("{name}={answer:?}"),
        });
    }

    /// Takes the newest entry of this scope, or of any.
    fn newest(&mut self, scope: Option<usize>) -> Option<Registered> {
        let belongs = |entry: &Registered| scope.is_none_or(|scope| entry.scope == scope);
        let at = self.undos.iter().rposition(belongs)?;
        Some(self.undos.remove(at))
    }
}

// === impl Scope ===

impl Scope {
    pub(super) fn new(_name: &str) -> Self {
        STAGE.with_borrow_mut(|stage| {
            stage.scopes += 1;
            Self(stage.scopes)
        })
    }

    pub(super) fn register(&self, name: &str, undo: impl Fn() -> Result<(), String> + 'static) {
        let entry = Registered {
            scope: self.0,
            name: name.to_owned(),
            undo: Box::new(undo),
        };
        STAGE.with_borrow_mut(|stage| stage.undos.push(entry));
    }

    pub(super) fn commit(self) {
        STAGE.with_borrow_mut(|stage| stage.undos.retain(|entry| entry.scope != self.0));
    }

    pub(super) fn rollback(self, _reason: &str) -> u32 {
        roll_back(Some(self.0));
        0
    }
}

pub(super) fn status(text: &str) {
    STAGE.with_borrow_mut(|stage| stage.run.statuses.push(text.to_owned()));
}

pub(super) fn wait(signal: &str, timeout_millis: Option<u64>) -> Result<Vec<u8>, WaitError> {
    let name = match timeout_millis {
        Some(millis) => format!("wait({signal}, {millis} ms)"),
        None => format!("wait({signal})"),
    };
    let waits = STAGE.with_borrow(|stage| {
        let new = stage.position == stage.run.journal.len();
        new && stage.run.signals.is_empty() && !stage.is_cancelled()
    });
    if waits {
        panic::resume_unwind(Box::new(Stop::Waits(name)));
    }
    step(&name, || {
        let signal = STAGE.with_borrow_mut(|stage| stage.run.signals.pop_front());
        signal.unwrap_or(Err(WaitError::Unsupported))
    })
}

/// Undoes what is registered in this scope, or everything that is not committed, newest first.
fn roll_back(scope: Option<usize>) {
    STAGE.with_borrow_mut(|stage| stage.undoing = true);
    while let Some(entry) = STAGE.with_borrow_mut(|stage| stage.newest(scope)) {
        let undone: Result<(), String> = step(&format!("undo-{}", entry.name), entry.undo);
        if let Err(reason) = undone {
            let why = format!("{}: {reason}", entry.name);
            panic::resume_unwind(Box::new(Stop::Parked(why)));
        }
    }
    STAGE.with_borrow_mut(|stage| stage.undoing = false);
}

/// Runs `act` up to where it stops. Only stops of ours are caught.
fn acted<T>(act: impl FnOnce() -> Played<T>) -> Result<Played<T>, Stop> {
    panic::catch_unwind(AssertUnwindSafe(act)).map_err(|payload| match payload.downcast::<Stop>() {
        Ok(stop) => *stop,
        Err(other) => panic::resume_unwind(other),
    })
}

// === impl Stop ===

impl Stop {
    fn played<T>(self) -> Played<T> {
        match self {
            Self::Paused(next) => Played::Paused(next),
            Self::Waits(signal) => Played::Waits(signal),
            Self::Parked(why) => Played::Parked(why),
            Self::Cancelled => Played::RolledBack,
        }
    }
}

// === impl Entry ===

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

#[cfg(test)]
mod tests;
