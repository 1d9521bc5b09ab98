//! A stage over a journal in memory, with everything outside the saga's code in the hands of the test.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    context::TraceContext,
    manifest::ComponentId,
    saga::{
        Action, Command, Input, Issue, Misuse, Outcome, Parked, Record, RunId, Script, Stamped,
        Started, State, Step, Undone,
        play::{Interrupted, Stage},
    },
    value::Value,
};

/// When the first record is made, in microseconds.
const BEGIN: u64 = 1_790_000_000_000_000;

/// What happens outside the code.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// In which order these commands end. They do so when the code waits for one of several; others end when the code
    /// waits for them.
    pub(super) order: Vec<u32>,
    /// Whether all of them end at the first wait, and not one at each.
    pub(super) at_once: bool,
    /// What people send, by the names of signals.
    pub(super) signals: Vec<(String, Vec<u8>)>,
    /// At which wait nothing happens any more, counted from 0.
    pub(super) silent_at: Option<usize>,
    /// At which question the stage wants no more of the code, counted from 0.
    pub(super) stopped_at: Option<usize>,
}

/// A stage, and the journal it writes.
pub(super) struct Desk {
    plan: Plan,
    run: RunId,
    inner: Mutex<Inner>,
    waits: AtomicUsize,
    questions: AtomicUsize,
    /// A wait has come at which nothing happens.
    pub(super) silence: tokio::sync::Notify,
}

struct Inner {
    journal: Vec<Stamped>,
    state: State,
    script: Script,
    mismatch: Option<Parked>,
    order: VecDeque<u32>,
}

impl Desk {
    /// The beginning of a run.
    pub(super) fn begin(input: Input, plan: &Plan) -> Arc<Self> {
        let component = ComponentId::from("saga");
        let started = Started {
            run: RunId::of(&component, "evt_1"),
            component: component.to_string(),
            revision: "first".to_owned(),
            key: "evt_1".to_owned(),
            subject: "ord_1".to_owned(),
            input,
            trace: String::new(),
            principal: None,
        };
        let first = Stamped {
            at: BEGIN,
            record: Record::Started(started),
        };
        Self::resume(vec![first], plan)
    }

    /// A run as its journal says, after whatever happened.
    pub(super) fn resume(journal: Vec<Stamped>, plan: &Plan) -> Arc<Self> {
        let state = State::fold(journal.clone()).unwrap();
        let mut inner = Inner {
            script: Script::new(&state),
            order: plan.order.iter().copied().collect(),
            journal,
            state,
            mismatch: None,
        };
        inner.follow();
        // What ended at once outside had ended there before the crash, too.
        let has_ended = |ordinal: &u32| inner.state.outcome(*ordinal).is_some();
        if plan.at_once && plan.order.iter().any(has_ended) {
            inner.end_next(true);
        }
        Arc::new(Self {
            run: inner.state.run().clone(),
            inner: Mutex::new(inner),
            plan: plan.clone(),
            waits: AtomicUsize::new(0),
            questions: AtomicUsize::new(0),
            silence: tokio::sync::Notify::new(),
        })
    }

    pub(super) fn journal(&self) -> Vec<Stamped> {
        self.inner.lock().journal.clone()
    }

    /// How often the code had to wait.
    pub(super) fn waits(&self) -> usize {
        self.waits.load(Ordering::Relaxed)
    }

    /// How often it asked anything.
    pub(super) fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }

    /// What the code asked otherwise than the journal says, if it did.
    pub(super) fn mismatch(&self) -> Option<Parked> {
        let inner = self.inner.lock();
        inner
            .mismatch
            .clone()
            .or_else(|| inner.script.finish(&inner.state))
    }

    fn ask(&self) -> Result<(), Interrupted> {
        let number = self.questions.fetch_add(1, Ordering::Relaxed);
        match self.plan.stopped_at {
            Some(at) if number >= at => Err(Interrupted::Stopped),
            _ => Ok(()),
        }
    }

    /// The code waits for one of these, and none has ended. What the plan says happens.
    async fn wait(&self, ordinals: &[u32]) {
        let number = self.waits.fetch_add(1, Ordering::Relaxed);
        if self.plan.silent_at == Some(number) {
            self.silence.notify_one();
            return std::future::pending().await;
        }
        // The guest has to be left and entered again, as with a real call.
        tokio::task::yield_now().await;
        let mut inner = self.inner.lock();
        if ordinals.len() > 1 || inner.order.contains(&ordinals[0]) {
            inner.end_next(self.plan.at_once);
        } else {
            inner.end(ordinals[0], &self.plan);
        }
    }
}

impl Inner {
    fn record(&mut self, record: Record) {
        let stamped = Stamped {
            at: self.state.updated_at() + 1_500,
            record,
        };
        self.state.apply(stamped.clone()).unwrap();
        self.journal.push(stamped);
    }

    /// Ends the next of those that end in an order, or all of them.
    fn end_next(&mut self, at_once: bool) {
        while let Some(ordinal) = self.order.pop_front() {
            if !self.state.open().contains(&ordinal) {
                continue;
            }
            self.end_well(ordinal);
            if !at_once {
                return;
            }
        }
    }

    fn end(&mut self, ordinal: u32, plan: &Plan) {
        match self.state.command(ordinal).cloned().unwrap() {
            Command::Step(_) | Command::Sleep { .. } => self.end_well(ordinal),
            Command::Wait { signal, .. } => self.end_wait(ordinal, &signal, plan),
            Command::Rollback { .. } => self.roll_back(ordinal),
            other => panic!("nothing waits for {other}"),
        }
    }

    fn end_well(&mut self, ordinal: u32) {
        let outcome = match self.state.command(ordinal) {
            Some(Command::Step(step)) => Outcome::Returned(answer(step)),
            _ => Outcome::Fired,
        };
        self.complete(ordinal, outcome);
    }

    fn end_wait(&mut self, ordinal: u32, signal: &str, plan: &Plan) {
        let sent = plan.signals.iter().find(|(name, _)| name == signal);
        let Some((name, payload)) = sent else {
            return self.complete(ordinal, Outcome::TimedOut);
        };
        self.record(Record::Signalled {
            id: format!("sig_{ordinal}"),
            name: name.clone(),
            payload: payload.clone(),
        });
        self.follow();
    }

    fn roll_back(&mut self, ordinal: u32) {
        while self.state.outcome(ordinal).is_none() {
            match self.state.next_undo() {
                Some(ordinal) => self.record(Record::Undone {
                    ordinal,
                    how: Undone::Done,
                }),
                None => self.follow(),
            }
        }
    }

    /// Records what follows from what is recorded.
    fn follow(&mut self) {
        for action in self.state.actions() {
            if let Action::Record(record) = action {
                self.record(*record);
            }
        }
    }

    fn complete(&mut self, ordinal: u32, outcome: Outcome) {
        self.record(Record::Completed {
            ordinal,
            outcome,
            by: None,
        });
    }
}

impl Desk {
    /// Asks until there is an answer; something of `ordinals` ends in between.
    async fn until<T>(
        &self,
        ordinals: &[u32],
        mut ask: impl FnMut(&mut Inner) -> Result<Option<T>, Misuse>,
    ) -> Result<T, Interrupted> {
        self.ask()?;
        loop {
            let answer = ask(&mut self.inner.lock())?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
            self.wait(ordinals).await;
        }
    }
}

impl Stage for Desk {
    fn issue(&self, command: Command) -> Result<u32, Interrupted> {
        self.ask()?;
        let mut inner = self.inner.lock();
        let Inner { script, state, .. } = &mut *inner;
        match script.issue(state, &command)? {
            Issue::Replayed(ordinal) => Ok(ordinal),
            Issue::New(ordinal) => {
                inner.record(Record::Issued { ordinal, command });
                let Inner { script, state, .. } = &mut *inner;
                script.pass(state);
                Ok(ordinal)
            }
            Issue::Mismatch(parked) => {
                inner.mismatch = Some(parked);
                Err(Interrupted::Stopped)
            }
        }
    }

    fn outcome(&self, ordinal: u32) -> BoxFuture<'_, Result<Outcome, Interrupted>> {
        Box::pin(async move {
            let ask = |inner: &mut Inner| inner.script.outcome(&inner.state, ordinal);
            self.until(&[ordinal], ask).await
        })
    }

    fn join<'a>(&'a self, ordinals: &'a [u32]) -> BoxFuture<'a, Result<u32, Interrupted>> {
        let ask = |inner: &mut Inner| inner.script.join(&inner.state, ordinals);
        Box::pin(self.until(ordinals, ask))
    }

    fn patched(&self, id: &str) -> Result<bool, Interrupted> {
        let known = {
            let Inner { script, state, .. } = &mut *self.inner.lock();
            script.patched(state, id)
        };
        match known {
            Some(taken) => Ok(taken),
            None => self
                .issue(Command::Patch { id: id.to_owned() })
                .map(|_| true),
        }
    }

    fn now(&self) -> u64 {
        self.inner.lock().script.now()
    }

    fn run(&self) -> &RunId {
        &self.run
    }

    fn key(&self) -> &str {
        "evt_1"
    }

    fn is_live(&self) -> bool {
        let inner = self.inner.lock();
        inner.script.is_live(&inner.state)
    }

    fn trace(&self) -> Option<TraceContext> {
        None
    }
}

/// What the service answers.
pub(super) fn answer(step: &Step) -> Option<Value> {
    match (step.function.as_str(), step.arguments.as_slice()) {
        ("work", [Value::U32(call), Value::String(text)]) => {
            let answer = Value::Record(vec![
                ("call".to_owned(), Value::U32(*call)),
                ("text".to_owned(), Value::String(text.clone())),
            ]);
            Some(Value::Result(Ok(Some(Box::new(answer)))))
        }
        ("forget", [Value::U32(_)]) => None,
        // The service of the small components.
        ("add", [Value::U32(one), Value::U32(other)]) => Some(Value::U32(one + other)),
        other => panic!("nobody answers {other:?}"),
    }
}
