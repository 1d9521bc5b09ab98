use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use parking_lot::Mutex;
use proptest::{collection::vec, prelude::*};
use skald_core::{
    call::{BoxFuture, Call, CallError, Input, Reply, Request},
    context::Once,
    run::Run,
    store::{Change, CommitError, Snapshot, Store, StoreError},
    unit::{Limits, Mode},
    value::Value,
};
use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    deadline::WithDeadline,
    unit::{Ground, WithUnit, steps::Record},
    world::{Guest, Model, function, increment, key, outcome, step, trapped},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + DAY * 20_000
}

fn unit<E: Run>(mode: Mode, store: &Arc<impl Store>, engine: &Arc<E>) -> WithUnit<E> {
    let store: Arc<dyn Store> = Arc::clone(store) as Arc<dyn Store>;
    let ground = Ground::new(Arc::clone(engine), now);
    WithUnit::new(
        &ground,
        store,
        (mode, Limits::default()),
        WithDeadline::new(ground.engine()),
    )
}

/// A guest whose every run has an effect of its own and another answer. The effect is written without looking, so that
/// no two of them conflict. An argument `false` makes it trap after the effect, and a string makes it refuse.
fn taking() -> Arc<impl Run> {
    let runs = AtomicU32::new(0);
    Guest::new(move |request: Request, mut unit| {
        let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            let effect = format!("{} {run}", key_of(&request));
            unit.put(key("effects", &effect), Some(Bytes::new()))
                .await
                .unwrap();
            sleep(Duration::from_millis(1)).await;
            let Input::Function(function) = &request.input else {
                panic!("{request:?}")
            };
            let result = match function.arguments.first() {
                Some(Value::Bool(false)) => Err(trapped()),
                Some(Value::String(_)) => Ok(Some(Value::Result(Err(None)))),
                _ => Ok(Some(Value::U32(run))),
            };
            (unit, result.map(Reply::Value))
        }
    })
}

/// A guest that answers its first call so, and traps in each further one.
fn answering_once(answer: Option<Value>) -> Arc<impl Run> {
    let answer = Mutex::new(Some(answer));
    Guest::new(move |_, mut unit| {
        let answer = answer.lock().take();
        async move {
            increment(&mut unit, "apples").await;
            (unit, answer.map(Reply::Value).ok_or_else(trapped))
        }
    })
}

/// How many effects the step has had.
async fn effects(model: &Model, step: &str) -> usize {
    let mut view = model.snapshot().await.unwrap();
    let names = view.keys(&"effects".into(), None, 100).await.unwrap();
    let of_step = names.iter().filter(|name| name.starts_with(step));
    of_step.count()
}

fn key_of(request: &Request) -> &str {
    match &request.context.once {
        Some(Once::Step(step)) => &step.key,
        other => panic!("{other:?}"),
    }
}

fn asking(key: &str, argument: Value) -> Request {
    let mut request = step(key);
    let Input::Function(function) = &mut request.input else {
        panic!("{request:?}")
    };
    function.arguments = vec![argument];
    request
}

async fn ask(unit: &WithUnit<impl Run>, request: &Request) -> String {
    outcome(&unit.call(request).await)
}

#[tokio::test(start_paused = true)]
async fn the_same_step_is_answered_again_and_has_its_effect_once() {
    for mode in [Mode::Held, Mode::Immediate] {
        let model = Model::new();
        let unit = unit(mode, &model, &taking());
        for _ in 0..3 {
            assert_eq!(ask(&unit, &step("s1")).await, "Some(U32(1))");
        }
        assert_eq!(effects(&model, "s1").await, 1);
        assert_eq!(
            ask(&unit, &step("s2")).await,
            "Some(U32(2))",
            "another step"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_any_type_comes_back_as_it_was() {
    let text = |text: &str| Box::new(Value::String(text.to_owned()));
    for value in [
        None,
        Some(Value::Result(Ok(None))),
        Some(Value::Option(Some(text("a")))),
        Some(Value::List(vec![
            Value::F64(f64::INFINITY),
            Value::Tuple(vec![]),
        ])),
        Some(Value::Record(vec![(
            "kind".to_owned(),
            Value::Variant("paid".to_owned(), Some(text("card"))),
        )])),
    ] {
        let model = Model::new();
        let unit = unit(Mode::Held, &model, &answering_once(value.clone()));
        unit.call(&step("s1")).await.unwrap();
        let again = unit.call(&step("s1")).await.unwrap();
        assert!(
            matches!(&again, Reply::Value(again) if *again == value),
            "{again:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_running_is_sent_away_and_answered_afterwards() {
    let model = Model::new();
    let unit = unit(Mode::Held, &model, &taking());
    let request = step("s1");
    let (first, second) = tokio::join!(unit.call(&request), unit.call(&request));
    assert_eq!(outcome(&first), "Some(U32(1))");
    assert!(matches!(second, Err(CallError::KeyRunning)));
    assert!(second.unwrap_err().is_before_effect());
    assert_eq!(ask(&unit, &request).await, "Some(U32(1))");
    assert_eq!(effects(&model, "s1").await, 1);
}

#[tokio::test(start_paused = true)]
async fn refusals_and_failures_are_not_kept() {
    let model = Model::new();
    let unit = unit(Mode::Held, &model, &taking());
    let refused = asking("s1", Value::String("no".to_owned()));
    assert_eq!(ask(&unit, &refused).await, "Some(Result(Err(None)))");
    let failed = asking("s1", Value::Bool(false));
    assert_eq!(
        ask(&unit, &failed).await,
        "CALL-006: the component trapped: oops"
    );
    assert_eq!(model.commits(), 0);
    assert_eq!(ask(&unit, &step("s1")).await, "Some(U32(3))");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_writes_nothing_costs_no_commit_and_is_asked_anew() {
    let model = Model::new();
    let runs = AtomicU32::new(0);
    let reading = Guest::new(move |_, mut unit: skald_core::unit::Unit| {
        let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            unit.get(&key("shop", "apples")).await.unwrap();
            (unit, Ok(Reply::Value(Some(Value::U32(run)))))
        }
    });
    let unit = unit(Mode::Held, &model, &reading);
    assert_eq!(ask(&unit, &step("s1")).await, "Some(U32(1))");
    assert_eq!(ask(&unit, &step("s1")).await, "Some(U32(2))");
    assert_eq!(model.commits(), 0);
}

#[tokio::test(start_paused = true)]
async fn where_writes_are_immediate_a_step_that_is_cut_off_before_its_record_happens_again() {
    let model = Model::new();
    let unit = unit(Mode::Immediate, &model, &taking());
    let failed = asking("s1", Value::Bool(false));
    ask(&unit, &failed).await;
    assert_eq!(ask(&unit, &step("s1")).await, "Some(U32(2))");
    assert_eq!(
        effects(&model, "s1").await,
        2,
        "at least once, and not once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_is_an_error_and_not_a_second_effect() {
    for damage in [&b""[..], b"\x02\x00\x00", b"\x01\x00\x01\xff"] {
        let model = Model::new();
        model.set(key("$steps", "s1"), damage);
        let result = unit(Mode::Held, &model, &taking()).call(&step("s1")).await;
        let Err(CallError::Store(error)) = result else {
            panic!("{result:?}")
        };
        assert_eq!(
            error.to_string(),
            "the data cannot be read: the record of step s1 of run_1"
        );
        assert_eq!(effects(&model, "s1").await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_too_long_to_keep_takes_its_effect_back() {
    let model = Model::new();
    let guest = Guest::new(|_, mut unit| async move {
        increment(&mut unit, "apples").await;
        let long = Value::String("x".repeat(1 << 20));
        (unit, Ok(Reply::Value(Some(long))))
    });
    let result = ask(&unit(Mode::Held, &model, &guest), &step("s1")).await;
    assert_eq!(
        result,
        "CALL-007: the component went over its limit: the answer of a step may have 1048576 bytes"
    );
    assert_eq!(model.number("apples"), 0);
}

#[test]
fn a_record_can_be_read_by_later_releases() {
    let record = Record {
        format: 1,
        recorded_at: 1_000,
        answer: Some(Value::Result(Ok(Some(Box::new(Value::String(
            "pay_1".to_owned(),
        )))))),
    };
    let bytes = format!("{:?}", postcard::to_stdvec(&record).unwrap());
    insta::assert_snapshot!(bytes, @"[1, 232, 7, 1, 19, 0, 1, 12, 5, 112, 97, 121, 95, 49]");
}

fn record(days_ago: u32) -> Vec<u8> {
    let at = now() - DAY * days_ago;
    let record = Record {
        format: 1,
        recorded_at: crate::unit::millis(at),
        answer: Some(Value::U32(7)),
    };
    postcard::to_stdvec(&record).unwrap()
}

#[tokio::test]
async fn a_record_is_good_until_it_is_swept_after_thirty_days() {
    let model = Model::new();
    model.set(key("$steps", "new"), &record(30));
    model.set(key("$steps", "old"), &record(31));
    model.set(key("$steps", "damaged"), b"\x02");
    model.set(key("shop", "old"), &record(31));
    let unit = unit(Mode::Held, &model, &taking());
    assert_eq!(ask(&unit, &step("old")).await, "Some(U32(7))");
    assert_eq!(crate::unit::sweep::sweep(&*model, now()).await.unwrap(), 1);
    assert_eq!(crate::unit::sweep::sweep(&*model, now()).await.unwrap(), 0);
    assert_eq!(ask(&unit, &step("new")).await, "Some(U32(7))");
    assert!(model.stored(&key("$steps", "old")).is_none());
    assert!(model.stored(&key("$steps", "damaged")).is_some());
    assert!(model.stored(&key("shop", "old")).is_some());
}

/// A store whose commits go on when whoever asked for them is gone, and that takes its time to say how they ended.
struct Writer {
    model: Arc<Model>,
    at_work: Mutex<JoinSet<()>>,
}

impl Store for Writer {
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        self.model.snapshot()
    }

    fn commit(&self, change: Change, now: SystemTime) -> BoxFuture<'_, Result<(), CommitError>> {
        let (tell, told) = oneshot::channel();
        let model = Arc::clone(&self.model);
        self.at_work.lock().spawn(async move {
            let result = model.commit(change, now).await;
            sleep(Duration::from_millis(2)).await;
            // Nobody listens where the caller is gone.
            let _ = tell.send(result);
        });
        Box::pin(async { told.await.unwrap() })
    }
}

/// One sending of a step.
#[derive(Clone, Debug)]
struct Sending {
    step: &'static str,
    /// When it is sent, in milliseconds.
    at: u64,
    /// How long its sender lives, or waits.
    patience: u64,
    /// Whether the component traps this time.
    traps: bool,
    /// To which of two hosts over the same data, or before or after a restart.
    host: usize,
}

fn sendings() -> impl Strategy<Value = Vec<Sending>> {
    let one = (
        prop_oneof![Just("s1"), Just("s2")],
        0..20_u64,
        prop_oneof![1..10_u64, Just(1_000)],
        any::<bool>(),
        0..2_usize,
    );
    vec(
        one.prop_map(|(step, at, patience, traps, host)| Sending {
            step,
            at,
            patience,
            traps,
            host,
        }),
        1..12,
    )
}

/// Sends each of these and then, with all the patience there is, both steps once more. Answers with the effects of each
/// step, the answers given meanwhile, and the last one.
async fn send_all(sendings: Vec<Sending>) -> Vec<(usize, Vec<String>, String)> {
    let model = Model::slow(Duration::from_millis(2));
    let writer = Arc::new(Writer {
        model: Arc::clone(&model),
        at_work: Mutex::default(),
    });
    let engine = taking();
    let hosts = [(); 2].map(|()| Arc::new(unit(Mode::Held, &writer, &engine)));
    let mut at_once = JoinSet::new();
    for sending in sendings {
        let host = Arc::clone(&hosts[sending.host]);
        at_once.spawn(async move {
            sleep(Duration::from_millis(sending.at)).await;
            let request = asking(sending.step, Value::Bool(!sending.traps));
            let patience = Duration::from_millis(sending.patience);
            let result = timeout(patience, host.call(&request)).await;
            (sending.step, result)
        });
    }
    let mut given = Vec::new();
    for (step, result) in at_once.join_all().await {
        if let Ok(reply @ Ok(_)) = result {
            given.push((step, outcome(&reply)));
        }
    }
    let mut seen = Vec::new();
    for name in ["s1", "s2"] {
        let last = ask(&hosts[0], &step(name)).await;
        let of_step = given.iter().filter(|(step, _)| *step == name);
        let answers = of_step.map(|(_, answer)| answer.clone()).collect();
        seen.push((effects(&model, name).await, answers, last));
    }
    seen
}

proptest! {
    /// Senders give up, die and come again, at two hosts, while commits go on without them; the component traps now and
    /// then.
    #[test]
    fn however_often_and_whenever_a_step_is_sent_it_happens_once_and_is_answered_alike(sendings in sendings()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        for (effects, answers, last) in runtime.block_on(send_all(sendings)) {
            prop_assert_eq!(effects, 1);
            prop_assert!(last.starts_with("Some(U32("), "{}", last);
            for answer in answers {
                prop_assert_eq!(answer, last.clone());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_no_step_leaves_no_record() {
    let model = Model::new();
    let guest = Guest::new(|_, mut unit| async move {
        increment(&mut unit, "apples").await;
        (unit, Ok(Reply::Value(None)))
    });
    unit(Mode::Held, &model, &guest)
        .call(&function())
        .await
        .unwrap();
    let mut view = model.snapshot().await.unwrap();
    assert!(
        view.keys(&"$steps".into(), None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}
