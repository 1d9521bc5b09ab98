use std::{future::pending, time::Duration};

use skald_core::call::{Call, CallError, Reply};
use tokio::time::{advance, timeout};

use super::{Config, WithBreaker};
use crate::world::{Asked, function, id, outcome, post, step, trapped};

fn breaker<C: Call>(inner: C) -> WithBreaker<C> {
    WithBreaker::new(Config::default(), id(), inner)
}

/// Asks `times` times and answers with the last outcome.
async fn ask(breaker: &WithBreaker<impl Call>, times: u32) -> String {
    let mut last = String::new();
    for _ in 0..times {
        last = outcome(&breaker.call(&function()).await);
    }
    last
}

#[tokio::test(start_paused = true)]
async fn a_failing_component_is_left_alone_and_tried_again_later() {
    let breaker = breaker(Asked::new(|time| async move {
        if time <= 7 {
            Err(trapped())
        } else {
            Ok(Reply::Handled)
        }
    }));
    assert_eq!(
        ask(&breaker, 7).await,
        "CALL-006: the component trapped: oops"
    );
    let rejected = breaker.call(&function()).await.unwrap_err();
    assert!(
        matches!(rejected, CallError::Broken { retry_after, .. } if retry_after <= Duration::from_millis(1_500))
    );
    assert!(rejected.is_before_effect());
    assert_eq!(breaker.inner.times(), 7);

    advance(Duration::from_millis(1_500)).await;
    assert_eq!(ask(&breaker, 3).await, "handled");
}

#[tokio::test(start_paused = true)]
async fn clients_and_events_that_make_it_trap_do_not_shut_it_to_others() {
    let breaker = breaker(Asked::new(|_| async { Err(trapped()) }));
    for _ in 0..100 {
        let outside = breaker.call(&post()).await;
        assert_eq!(outcome(&outside), "CALL-006: the component trapped: oops");
    }
    assert_eq!(
        ask(&breaker, 1).await,
        "CALL-006: the component trapped: oops"
    );
}

#[tokio::test(start_paused = true)]
async fn steps_of_sagas_are_kept_from_a_failing_component_and_tell_of_it() {
    let breaker = breaker(Asked::new(|_| async { Err(trapped()) }));
    for _ in 0..7 {
        breaker.call(&step("s1")).await.unwrap_err();
    }
    let rejected = breaker.call(&step("s1")).await.unwrap_err();
    assert!(matches!(rejected, CallError::Broken { .. }), "{rejected}");
    assert!(ask(&breaker, 1).await.starts_with("CALL-004"));
    assert_eq!(breaker.inner.times(), 7);
}

#[tokio::test(start_paused = true)]
async fn refusals_bad_events_and_full_queues_do_not_open_it() {
    let errors: [fn() -> CallError; 5] = [
        || CallError::HandlerFailed("no such order".to_owned()),
        || CallError::KeyReused,
        || CallError::NoSuchExport {
            component: id(),
            export: "x".to_owned(),
        },
        || CallError::Overloaded {
            component: id(),
            retry_after: Duration::ZERO,
        },
        || CallError::Conflict { attempts: 32 },
    ];
    for error in errors {
        let breaker = breaker(Asked::new(move |_| async move { Err(error()) }));
        ask(&breaker, 100).await;
        assert_eq!(breaker.inner.times(), 100, "{}", error());
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_their_callers_gave_up_do_not_open_it() {
    let breaker = breaker(Asked::new(|_| pending()));
    for _ in 0..20 {
        let _ = timeout(Duration::from_millis(1), breaker.call(&function())).await;
    }
    assert_eq!(breaker.inner.times(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_half_way_does_not_keep_it_shut() {
    let breaker = breaker(Asked::new(|time| async move {
        match time {
            ..=7 => Err(trapped()),
            8 => pending().await,
            _ => Ok(Reply::Handled),
        }
    }));
    ask(&breaker, 7).await;
    advance(Duration::from_millis(1_500)).await;
    let probe = timeout(Duration::from_millis(1), breaker.call(&function())).await;
    assert!(probe.is_err(), "the probe hangs");

    advance(Duration::from_secs(3)).await;
    assert_eq!(ask(&breaker, 1).await, "handled");
}
