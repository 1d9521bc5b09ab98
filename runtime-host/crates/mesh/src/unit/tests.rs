use std::{
    future::Future,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use skald_core::{
    call::{Call, CallError, Reply, Request},
    context::{InboxMark, Once, TraceContext},
    event::{Book, NewEvent},
    run::Run,
    store::Store,
    unit::{Limits, Mode, Unit},
    value::Value,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{Ground, WithUnit};
use crate::{
    bulkhead::WithBulkhead,
    deadline::WithDeadline,
    world::{Guest, Model, answer, function, id, increment, key, outcome, text, trapped, within},
};

fn unit<E: Run>(mode: Mode, model: &Arc<Model>, engine: Arc<E>) -> WithUnit<E> {
    let store: Arc<dyn Store> = Arc::clone(model) as Arc<dyn Store>;
    let ground = Ground::new(engine, || SystemTime::UNIX_EPOCH);
    WithUnit::new(
        &ground,
        store,
        (mode, Limits::default()),
        WithDeadline::new(ground.engine()),
    )
}

/// A guest that counts apples and then answers with `reply`.
fn counting(reply: fn() -> Result<Reply, CallError>) -> Arc<impl Run> {
    Guest::new(move |_, mut unit| async move {
        increment(&mut unit, "apples").await;
        let trace = TraceContext {
            trace_id: 1,
            span_id: 1,
            sampled: false,
        };
        unit.publish(NewEvent::new("counted".into(), "{}".into(), trace))
            .await
            .unwrap();
        (unit, reply())
    })
}

/// The outcome of one call of the counting guest, and the apples and events there are then.
async fn counted(mode: Mode, reply: fn() -> Result<Reply, CallError>) -> (u64, usize) {
    let model = Model::new();
    let result = unit(mode, &model, counting(reply)).call(&function()).await;
    assert_eq!(outcome(&result), outcome(&reply()));
    (model.number("apples"), model.events())
}

fn delivery(sequence: u64) -> Request {
    let mut request = function();
    request.context.once = Some(Once::Inbox(InboxMark {
        book: Book {
            group: "stock".into(),
            partition: "log".into(),
        },
        generation: 0,
        sequence,
    }));
    request
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_well_keeps_its_writes_and_events() {
    assert_eq!(counted(Mode::Held, || Ok(Reply::Handled)).await, (1, 1));
    assert_eq!(counted(Mode::Held, || Ok(answer(201, b""))).await, (1, 1));
    assert_eq!(counted(Mode::Held, || Ok(Reply::Value(None))).await, (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_or_a_failure_leaves_nothing_behind() {
    let refused = || Ok(Reply::Value(Some(Value::Result(Err(None)))));
    assert_eq!(counted(Mode::Held, refused).await, (0, 0));
    assert_eq!(counted(Mode::Held, || Ok(answer(409, b""))).await, (0, 0));
    assert_eq!(counted(Mode::Held, || Err(trapped())).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn without_atomic_writes_stay_whatever_the_end() {
    assert_eq!(
        counted(Mode::Immediate, || Ok(answer(409, b""))).await,
        (1, 1)
    );
    assert_eq!(counted(Mode::Immediate, || Err(trapped())).await, (1, 1));
}

#[tokio::test]
async fn a_call_that_touches_no_data_costs_the_store_nothing() {
    let model = Model::new();
    let guest = Guest::new(|_, unit| async { (unit, Ok(Reply::Handled)) });
    unit(Mode::Held, &model, guest)
        .call(&function())
        .await
        .unwrap();
    assert_eq!(
        (model.snapshots.load(Ordering::Relaxed), model.commits()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_call_that_only_reads_is_not_committed() {
    let model = Model::new();
    let guest = Guest::new(|_, mut unit: Unit| async {
        unit.get(&key("shop", "apples")).await.unwrap();
        (unit, Ok(Reply::Handled))
    });
    unit(Mode::Held, &model, guest)
        .call(&function())
        .await
        .unwrap();
    assert_eq!(
        (model.snapshots.load(Ordering::Relaxed), model.commits()),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_takes_effect_once_however_often_it_is_delivered() {
    let model = Model::new();
    let unit = unit(Mode::Held, &model, counting(|| Ok(Reply::Handled)));
    for sequence in [1, 1, 2, 1] {
        assert_eq!(outcome(&unit.call(&delivery(sequence)).await), "handled");
    }
    assert_eq!(model.number("apples"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_failed_is_not_marked_as_handled() {
    let model = Model::new();
    for mode in [Mode::Held, Mode::Immediate] {
        let failing = unit(
            mode,
            &model,
            counting(|| Err(CallError::HandlerFailed("no".to_owned()))),
        );
        failing.call(&delivery(1)).await.unwrap_err();
    }
    let before = model.number("apples");
    let working = unit(Mode::Held, &model, counting(|| Ok(Reply::Handled)));
    working.call(&delivery(1)).await.unwrap();
    assert_eq!(model.number("apples"), before + 1);
}

#[tokio::test(start_paused = true)]
async fn an_immediate_handler_marks_its_event_after_it_has_succeeded() {
    let model = Model::new();
    let guest = Guest::new(|_, unit| async { (unit, Ok(Reply::Handled)) });
    let unit = unit(Mode::Immediate, &model, guest);
    unit.call(&delivery(1)).await.unwrap();
    assert_eq!(outcome(&unit.call(&delivery(1)).await), "handled");
    assert_eq!(model.commits(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_interrupts_a_guest_but_never_a_commit() {
    let model = Model::slow(Duration::from_secs(3));
    let unit = unit(Mode::Held, &model, counting(|| Ok(Reply::Handled)));
    let result = unit.call(&within(function(), Duration::from_secs(1))).await;
    assert_eq!(outcome(&result), "handled");
    assert_eq!(model.number("apples"), 1);
}

/// Runs so many calls at once, sixty-four at a time; answers with how often the guest ran.
async fn crowd<G, A>(model: &Arc<Model>, calls: usize, guest: G) -> usize
where
    G: Fn(usize, Unit) -> A + Send + Sync + 'static,
    A: Future<Output = Unit> + Send + 'static,
{
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let engine = Guest::new(move |_, unit| {
        let unit = guest(count.fetch_add(1, Ordering::Relaxed), unit);
        async move { (unit.await, Ok(Reply::Handled)) }
    });
    let places = NonZeroUsize::new(64).unwrap();
    let stack = Arc::new(WithBulkhead::new(
        id(),
        places,
        calls,
        unit(Mode::Held, model, engine),
    ));
    let mut all = JoinSet::new();
    for _ in 0..calls {
        let stack = Arc::clone(&stack);
        all.spawn(async move {
            stack
                .call(&within(function(), Duration::from_secs(60)))
                .await
        });
    }
    for result in all.join_all().await {
        assert_eq!(outcome(&result), "handled");
    }
    runs.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_that_want_the_same_key_are_all_served_in_two_or_three_runs_each() {
    let model = Model::slow(Duration::from_millis(1));
    let start = Instant::now();
    let runs = crowd(&model, 1_000, |_, mut unit| async move {
        increment(&mut unit, "apples").await;
        unit
    })
    .await;
    assert_eq!(model.number("apples"), 1_000, "no update is lost");
    assert!(runs < 3_000, "{runs} runs");
    // One call and its commit take 3 ms by the paused clock, and they can only come one after the other.
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn calls_that_cross_each_other_over_several_keys_are_all_served() {
    let model = Model::slow(Duration::from_millis(1));
    crowd(&model, 300, |run, mut unit| async move {
        let (from, to) = [("a", "b"), ("b", "c"), ("c", "a"), ("b", "a")][run % 4];
        increment(&mut unit, from).await;
        increment(&mut unit, to).await;
        unit
    })
    .await;
    let total: u64 = ["a", "b", "c"].iter().map(|name| model.number(name)).sum();
    assert_eq!(total, 600);
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_up_when_others_outside_keep_changing_its_data() {
    let model = Model::new();
    let outside = Arc::clone(&model);
    let guest = Guest::new(move |_, mut unit| {
        let outside = Arc::clone(&outside);
        async move {
            increment(&mut unit, "apples").await;
            outside.set(key("shop", "apples"), &text(7));
            (unit, Ok(Reply::Handled))
        }
    });
    let result = unit(Mode::Held, &model, guest).call(&function()).await;
    insta::assert_snapshot!(outcome(&result), @"CALL-009: the data kept changing under the call (32 attempts)");
    assert_eq!(model.number("apples"), 7);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_queues_for_a_key_gives_up_at_its_deadline() {
    let model = Model::new();
    let guest = Guest::new(|_, mut unit| async move {
        increment(&mut unit, "apples").await;
        sleep(Duration::from_millis(700)).await;
        (unit, Ok(Reply::Handled))
    });
    let unit = unit(Mode::Held, &model, guest);
    let call = || async { unit.call(&within(function(), Duration::from_secs(2))).await };
    let (first, second, third) = tokio::join!(call(), call(), call());
    let mut outcomes =
        [outcome(&first), outcome(&second), outcome(&third)].map(|text| text[..7].to_owned());
    outcomes.sort();
    assert_eq!(
        outcomes,
        ["CALL-005", "handled", "handled"].map(|text| text[..7].to_owned())
    );
    assert_eq!(
        model.number("apples"),
        2,
        "an answer in time and an effect go together"
    );
    assert!(unit.contention.is_idle());
}
