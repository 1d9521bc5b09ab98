use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use skald_core::{
    call::{Call, CallError, Reply, Request},
    context::{IdempotencyKey, Once},
    run::Run,
    store::Store,
    unit::{Limits, Mode},
};

use crate::{
    deadline::WithDeadline,
    unit::{Ground, WithUnit},
    world::{Guest, Model, increment, key, outcome, post, trapped},
};

/// The tests' time of day, in hours. Each test is a process or a thread of its own; those that share it only read it.
static HOURS: AtomicU64 = AtomicU64::new(480_000);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(HOURS.load(Ordering::Relaxed) * 3_600)
}

fn keyed(scope: &str, fingerprint: &str) -> Request {
    let mut request = post();
    let key = IdempotencyKey {
        scope: scope.to_owned(),
        fingerprint: fingerprint.to_owned(),
    };
    request.context.once = Some(Once::Key(key));
    request
}

fn unit<E: Run>(mode: Mode, model: &Arc<Model>, engine: Arc<E>) -> WithUnit<E> {
    let store: Arc<dyn Store> = Arc::clone(model) as Arc<dyn Store>;
    let ground = Ground::new(engine, now);
    WithUnit::new(
        &ground,
        store,
        (mode, Limits::default()),
        WithDeadline::new(ground.engine()),
    )
}

/// A guest that counts orders and answers with `status`, its number and a body that is not text.
fn ordering(status: u16) -> Arc<impl Run> {
    let number = AtomicU64::new(1);
    Guest::new(move |_, mut unit| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        async move {
            increment(&mut unit, "orders").await;
            let response = http::Response::builder()
                .status(status)
                .header("location", format!("/orders/{number}"))
                .header("x-name", http::HeaderValue::from_bytes(b"caf\xe9").unwrap())
                .header("connection", "close")
                .body(Bytes::from_static(b"\xff\x00made"))
                .unwrap();
            (unit, Ok(Reply::Http(response)))
        }
    })
}

async fn ask(unit: &WithUnit<impl Run>, request: &Request) -> String {
    match unit.call(request).await {
        Ok(Reply::Http(response)) => format!(
            "{} {:?} {:?}",
            response.status(),
            response.headers(),
            response.body()
        ),
        other => outcome(&other),
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_request_is_answered_again_and_has_its_effect_once() {
    for mode in [Mode::Held, Mode::Immediate] {
        let model = Model::new();
        let unit = unit(mode, &model, ordering(201));
        let first = ask(&unit, &keyed("anna POST /orders 1", "f1")).await;
        let second = ask(&unit, &keyed("anna POST /orders 1", "f1")).await;
        assert!(
            first.contains("/orders/1") && !first.contains("replayed"),
            "{first}"
        );
        insta::allow_duplicates! {
            insta::assert_snapshot!(second, @r#"201 Created {"location": "/orders/1", "x-name": "caf\xe9", "idempotent-replayed": "true"} b"\xff\0made""#);
        }
        assert_eq!(model.number("orders"), 1);
        assert!(
            ask(&unit, &keyed("anna POST /orders 2", "f1"))
                .await
                .contains("/orders/2")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_used_with_another_request_is_refused() {
    let model = Model::new();
    let unit = unit(Mode::Held, &model, ordering(201));
    ask(&unit, &keyed("k", "f1")).await;
    let other = ask(&unit, &keyed("k", "f2")).await;
    assert_eq!(
        other,
        "CALL-010: the idempotency key was used with another request"
    );
    assert_eq!(model.number("orders"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_request_is_running_is_refused_and_free_afterwards() {
    let model = Model::new();
    let unit = unit(Mode::Held, &model, ordering(201));
    let request = keyed("k", "f1");
    let (first, second) = tokio::join!(ask(&unit, &request), ask(&unit, &request));
    assert!(first.contains("201"), "{first}");
    assert_eq!(
        second,
        "CALL-011: a request with this idempotency key is still running"
    );
    assert!(ask(&unit, &request).await.contains("replayed"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_frees_its_key() {
    let model = Model::new();
    let unit = unit(Mode::Held, &model, ordering(201));
    let request = keyed("k", "f1");
    let dropped = tokio::time::timeout(Duration::ZERO, unit.call(&request)).await;
    assert!(dropped.is_err());
    assert!(ask(&unit, &request).await.contains("/orders/2"));
    assert_eq!(model.number("orders"), 1);
}

#[tokio::test(start_paused = true)]
async fn refusals_and_failures_are_not_kept() {
    let model = Model::new();
    let refusing = unit(Mode::Held, &model, ordering(422));
    assert!(ask(&refusing, &keyed("k", "f1")).await.contains("422"));
    let failing = unit(
        Mode::Held,
        &model,
        Guest::new(|_, unit| async { (unit, Err(trapped())) }),
    );
    ask(&failing, &keyed("k", "f1")).await;
    let working = unit(Mode::Held, &model, ordering(201));
    assert!(
        ask(&working, &keyed("k", "corrected"))
            .await
            .contains("201")
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_even_where_nothing_was_written() {
    let model = Model::new();
    let reading = Guest::new(|_, unit| async { (unit, Ok(crate::world::answer(200, b"read"))) });
    let unit = unit(Mode::Held, &model, reading);
    ask(&unit, &keyed("k", "f1")).await;
    assert!(ask(&unit, &keyed("k", "f1")).await.contains("replayed"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_forgotten_after_a_day() {
    let model = Model::new();
    let record = |hours_ago: u64| {
        let at = (HOURS.load(Ordering::Relaxed) - hours_ago) * 3_600_000;
        format!(
            r#"{{"fingerprint":"f1","recorded_at":{at},"status":200,"headers":[],"body":{{"text":"old"}}}}"#
        )
    };
    let place = key("$idempotency", "k");
    let unit = unit(Mode::Held, &model, ordering(201));
    model.set(place.clone(), record(24).as_bytes());
    assert!(ask(&unit, &keyed("k", "f1")).await.contains("old"));
    model.set(place.clone(), record(25).as_bytes());
    assert!(ask(&unit, &keyed("k", "f1")).await.contains("201"));
    assert!(
        model
            .stored(&place)
            .unwrap()
            .starts_with(br#"{"fingerprint":"f1","recorded_at":17280000"#)
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_is_an_error_and_not_a_second_effect() {
    let model = Model::new();
    model.set(key("$idempotency", "k"), b"{");
    let unit = unit(Mode::Held, &model, ordering(201));
    let error = unit.call(&keyed("k", "f1")).await.unwrap_err();
    assert!(matches!(error, CallError::Store(_)));
    assert_eq!(model.number("orders"), 0);
}

#[tokio::test]
async fn a_sweep_deletes_what_has_expired_and_nothing_else() {
    let model = Model::new();
    let record = |hours_ago: u64| {
        let at = (HOURS.load(Ordering::Relaxed) - hours_ago) * 3_600_000;
        format!(
            r#"{{"fingerprint":"f","recorded_at":{at},"status":200,"headers":[],"body":{{"text":""}}}}"#
        )
    };
    for number in 0..1_200 {
        let place = key("$idempotency", &format!("k{number:04}"));
        model.set(
            place,
            record(if number % 2 == 0 { 25 } else { 23 }).as_bytes(),
        );
    }
    model.set(key("$idempotency", "damaged"), b"{");
    model.set(key("shop", "k0000"), record(25).as_bytes());
    assert_eq!(
        crate::unit::sweep::sweep(&*model, now()).await.unwrap(),
        600
    );
    assert_eq!(crate::unit::sweep::sweep(&*model, now()).await.unwrap(), 0);
    for (store, name, is_there) in [
        ("$idempotency", "k0000", false),
        ("$idempotency", "k1198", false),
        ("$idempotency", "k0001", true),
        ("$idempotency", "damaged", true),
        ("shop", "k0000", true),
    ] {
        assert_eq!(
            model.stored(&key(store, name)).is_some(),
            is_there,
            "{name}"
        );
    }
}
