//! What sagas call: services that know a step by its key, and write down what they do.

mod asked;
mod plan;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use skald_core::{
    call::{BoxFuture, CallError, DynCall, Reply, Request},
    context::StepKey,
    saga::RunId,
    value::Value,
};
use tokio::time::{Instant, sleep, sleep_until};

use self::asked::Asked;
pub use self::plan::{Fault, Plan};
use crate::{dice::Dice, points::Points, services::call::Call, shelf::Shelf, shop::Counter};

/// The interface that all steps are of.
pub const SERVICE: &str = "faults:service/api@1.0.0";

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// For which run.
    pub run: RunId,
    /// Under which key.
    pub key: String,
    /// Which step.
    pub step: u32,
    /// Whether it undoes the step.
    pub is_undo: bool,
}

/// The services.
pub struct Ledger {
    shelf: Arc<Shelf>,
    points: Arc<Points>,
    page: Mutex<Page>,
    shop: Mutex<Option<Arc<Counter>>>,
    latency: Mutex<Option<Dice>>,
}

#[derive(Default)]
struct Page {
    plan: Plan,
    attempts: HashMap<(String, u32, bool), usize>,
    effects: Vec<Effect>,
    answers: HashMap<String, Value>,
    requests: u64,
    /// Requests of each key.
    asked: HashMap<String, u64>,
    /// Steps, and their undo, that were asked for.
    steps: BTreeSet<(u32, bool)>,
    flying: HashMap<String, (u32, u32)>,
    violations: Vec<String>,
    has_two_hosts: bool,
}

/// A request that is being answered; it is off the page when it is dropped.
struct Flight<'a> {
    ledger: &'a Ledger,
    key: Arc<StepKey>,
}

// === impl Ledger ===

impl Ledger {
    /// Services that look into the journals to see whether what they are asked is there.
    pub fn new(shelf: Arc<Shelf>, points: Arc<Points>, plan: Plan) -> Self {
        let page = Page {
            plan,
            ..Page::default()
        };
        Self {
            shelf,
            points,
            page: Mutex::new(page),
            shop: Mutex::default(),
            latency: Mutex::new(None),
        }
    }

    /// Each call takes another time.
    pub fn dawdle(&self, dice: Dice) {
        *self.latency.lock() = Some(dice);
    }

    /// From now on this goes wrong.
    pub fn replan(&self, plan: Plan) {
        self.page.lock().plan = plan;
    }

    /// All that was done, in order.
    pub fn effects(&self) -> Vec<Effect> {
        self.page.lock().effects.clone()
    }

    /// What was done before.
    pub fn remember(&self, effects: Vec<Effect>) {
        let mut page = self.page.lock();
        for effect in effects {
            let answer = Value::Result(Ok(Some(Box::new(Value::U32(effect.step * 10)))));
            page.answers.insert(effect.key.clone(), answer);
            page.effects.push(effect);
        }
    }

    /// The shop's services are among them.
    pub(crate) fn open(&self, shop: Counter) {
        *self.shop.lock() = Some(Arc::new(shop));
    }

    /// The shop's services, if they are.
    pub(crate) fn shop(&self) -> Option<Arc<Counter>> {
        self.shop.lock().clone()
    }

    /// Which steps were asked for, or their undo.
    pub fn steps(&self, is_undo: bool) -> Vec<u32> {
        let page = self.page.lock();
        let steps = page.steps.iter().filter(|step| step.1 == is_undo);
        steps.map(|step| step.0).collect()
    }

    /// How often it was asked for something.
    pub fn requests(&self) -> u64 {
        self.page.lock().requests
    }

    /// The most that one key was asked for.
    pub fn most_of_a_key(&self) -> u64 {
        self.page.lock().asked.values().copied().max().unwrap_or(0)
    }

    /// There are two hosts: one that does not know yet that it is not the owner any more may send what it has recorded.
    pub fn expect_two_hosts(&self) {
        self.page.lock().has_two_hosts = true;
    }

    /// What must not be, and was seen.
    pub fn violations(&self) -> Vec<String> {
        self.page.lock().violations.clone()
    }

    async fn answer(&self, asked: Asked) -> Result<Reply, CallError> {
        self.judge(&asked);
        let _flight = Flight::new(self, &asked.key);
        self.points.pass("a request arrives").await;
        self.pause().await;
        let fault = self.next_fault(&asked);
        match fault {
            Fault::Before => return Err(CallError::Trapped("out of luck".to_owned())),
            Fault::Halfway => {
                if let (Some(shop), Some(call)) = (self.shop(), &asked.call) {
                    shop.cut_off(call);
                }
                return Err(CallError::Trapped("halfway".to_owned()));
            }
            Fault::Busy => {
                return Err(CallError::Overloaded {
                    component: "service".into(),
                    retry_after: Duration::from_millis(10),
                });
            }
            Fault::Panic => return Err(broken()),
            Fault::Slow(milliseconds) => sleep(Duration::from_millis(milliseconds)).await,
            Fault::None
            | Fault::After
            | Fault::Hang
            | Fault::Trap
            | Fault::Double
            | Fault::Refuse
            | Fault::Large(_) => {}
        }
        let answer = if fault == Fault::Double {
            let (one, _) = tokio::join!(self.perform(&asked, fault), self.perform(&asked, fault));
            one
        } else {
            self.perform(&asked, fault).await
        };
        self.lose(&asked, fault).await?;
        self.points.pass("an answer leaves").await;
        Ok(Reply::Value(Some(answer)))
    }

    /// What is lost after the effect.
    async fn lose(&self, asked: &Asked, fault: Fault) -> Result<(), CallError> {
        let timed_out = CallError::TimedOut(Duration::from_secs(5));
        match fault {
            Fault::After => Err(timed_out),
            Fault::Trap => Err(CallError::Trapped("after the effect".to_owned())),
            Fault::Hang => {
                let late = Instant::now() + Duration::from_secs(30);
                sleep_until(asked.deadline.unwrap_or(late)).await;
                Err(timed_out)
            }
            Fault::None
            | Fault::Before
            | Fault::Halfway
            | Fault::Double
            | Fault::Slow(_)
            | Fault::Busy
            | Fault::Refuse
            | Fault::Large(_)
            | Fault::Panic => Ok(()),
        }
    }

    fn next_fault(&self, asked: &Asked) -> Fault {
        let mut page = self.page.lock();
        let of = (asked.key.run.clone(), asked.step, asked.key.undo);
        let attempt = page.attempts.entry(of).or_default();
        let number = *attempt;
        *attempt += 1;
        page.plan.fault((asked.step, asked.key.undo), number)
    }

    /// The effect and its answer are written down together.
    async fn perform(&self, asked: &Asked, fault: Fault) -> Value {
        self.points.pass("an effect begins").await;
        let answer = {
            let mut page = self.page.lock();
            let key = &asked.key.key;
            let known = page.answers.get(key).cloned();
            match known.filter(|_| !page.plan.forgetful.contains(&asked.step)) {
                Some(answer) => answer,
                // A refusal changes nothing, and is not remembered.
                None if fault == Fault::Refuse => asked.refused(),
                None => match (self.shop(), &asked.call) {
                    (Some(shop), Some(call)) => page.serve(asked, &shop, call),
                    _ => page.take_effect(asked, fault),
                },
            }
        };
        self.points.pass("an effect is there").await;
        answer
    }

    async fn pause(&self) {
        let pause = self.latency.lock().as_mut().map(|dice| dice.below(50));
        if let Some(pause) = pause {
            sleep(Duration::from_millis(pause)).await;
        }
    }

    /// What must hold whenever something is asked.
    fn judge(&self, asked: &Asked) {
        let mut page = self.page.lock();
        page.requests += 1;
        page.steps.insert((asked.step, asked.key.undo));
        *page.asked.entry(asked.key.key.clone()).or_default() += 1;
        let (forward, undo) = page.flying.get(&asked.key.run).copied().unwrap_or_default();
        let what = if asked.key.undo { "undo" } else { "step" };
        let run = RunId::from(asked.key.run.as_str());
        let mut wrongs = self.shelf.objections(&run, &asked.key.key, asked.key.undo);
        if asked.key.undo && forward > 0 {
            wrongs.push("a step may still take effect".to_owned());
        }
        if asked.key.undo && undo > 0 {
            wrongs.push("another entry is being undone".to_owned());
        }
        if !asked.key.undo && undo > 0 {
            wrongs.push("an entry is being undone".to_owned());
        }
        let is_wrong = |wrong: &String| !page.has_two_hosts || wrong.contains("key");
        wrongs.retain(is_wrong);
        let told = wrongs
            .into_iter()
            .map(|wrong| format!("{what} {} of {run} was sent: {wrong}", asked.step));
        page.violations.extend(told);
    }
}

#[expect(clippy::panic, reason = "the fault is a panic")]
fn broken() -> CallError {
    panic!("an attempt breaks, as it was told to")
}

impl DynCall for Ledger {
    fn call_boxed(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            match Asked::read(&request) {
                Some(asked) => self.answer(asked).await,
                None => Err(CallError::Engine("this is no step".to_owned())),
            }
        })
    }
}

// === impl Page ===

impl Page {
    /// As the host does it: the answer is kept with what was written. A refusal is not, nor what has written nothing.
    fn serve(&mut self, asked: &Asked, shop: &Counter, call: &Call) -> Value {
        let served = shop.serve(call);
        let is_noted = |effect: &Effect| effect.key == asked.key.key;
        if !served.is_refused && !self.effects.iter().any(is_noted) {
            self.note(asked);
        }
        if served.has_changed {
            let (key, answer) = (asked.key.key.clone(), served.answer.clone());
            self.answers.insert(key, answer);
        }
        served.answer
    }

    fn take_effect(&mut self, asked: &Asked, fault: Fault) -> Value {
        let answer = match fault {
            Fault::Large(bytes) => Value::String("x".repeat(bytes)),
            _ => Value::U32(asked.step * 10),
        };
        let answer = Value::Result(Ok(Some(Box::new(answer))));
        self.note(asked);
        self.answers.insert(asked.key.key.clone(), answer.clone());
        answer
    }

    fn note(&mut self, asked: &Asked) {
        self.effects.push(Effect {
            run: RunId::from(asked.key.run.as_str()),
            key: asked.key.key.clone(),
            step: asked.step,
            is_undo: asked.key.undo,
        });
    }
}

// === impl Flight ===

impl<'a> Flight<'a> {
    fn new(ledger: &'a Ledger, key: &Arc<StepKey>) -> Self {
        let flight = Self {
            ledger,
            key: Arc::clone(key),
        };
        flight.count(|count| *count += 1);
        flight
    }

    fn count(&self, change: impl FnOnce(&mut u32)) {
        let mut page = self.ledger.page.lock();
        let (forward, undo) = page.flying.entry(self.key.run.clone()).or_default();
        change(if self.key.undo { undo } else { forward });
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.count(|count| *count = count.saturating_sub(1));
    }
}
