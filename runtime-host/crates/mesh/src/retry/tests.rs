use std::{num::NonZeroU32, time::Duration};

use skald_core::{
    call::{Call, CallError, Input, Reply, Request},
    store::StoreError,
    unit::Mode,
};
use tokio::time::Instant;

use super::{Config, WithRetry};
use crate::world::{Asked, function, id, outcome, post, request, step, trapped, within};

const SECOND: Duration = Duration::from_secs(1);

/// How many attempts are made of a call that fails with `error` always.
async fn attempts(mode: Mode, error: fn() -> CallError, request: Request) -> u32 {
    let retry = WithRetry::new(
        Config::default(),
        mode,
        Asked::new(move |_| async move { Err(error()) }),
    );
    let result = retry.call(&request).await;
    assert_eq!(
        outcome(&result),
        outcome(&Err(error())),
        "the error is the callee's"
    );
    retry.inner.times()
}

fn overloaded() -> CallError {
    CallError::Overloaded {
        component: id(),
        retry_after: SECOND,
    }
}

#[tokio::test(start_paused = true)]
async fn a_hiccup_is_not_noticed() {
    let callee = Asked::new(|time| async move {
        if time < 3 {
            Err(trapped())
        } else {
            Ok(Reply::Handled)
        }
    });
    let retry = WithRetry::new(Config::default(), Mode::Held, callee);
    assert_eq!(outcome(&retry.call(&function()).await), "handled");
}

#[tokio::test(start_paused = true)]
async fn a_trap_is_tried_again_only_where_it_undid_everything() {
    assert_eq!(attempts(Mode::Held, trapped, function()).await, 3);
    assert_eq!(attempts(Mode::Immediate, trapped, function()).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_surely_did_nothing_is_tried_again_in_either_mode() {
    assert_eq!(attempts(Mode::Held, overloaded, function()).await, 3);
    assert_eq!(attempts(Mode::Immediate, overloaded, function()).await, 3);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_end_otherwise_is_not_tried_again() {
    let errors: [fn() -> CallError; 6] = [
        || CallError::NoSuchComponent(id()),
        || CallError::KeyReused,
        || CallError::KeyRunning,
        || CallError::ShuttingDown,
        || CallError::OverLimit("memory".to_owned()),
        || CallError::Store(StoreError::Full("no room".to_owned())),
    ];
    for error in errors {
        assert_eq!(
            attempts(Mode::Held, error, function()).await,
            1,
            "{}",
            error()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn requests_from_outside_and_events_are_not_tried_again_here() {
    assert_eq!(attempts(Mode::Held, trapped, post()).await, 1);
    assert_eq!(
        attempts(Mode::Held, trapped, request(Input::Message("{}".into()))).await,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn steps_of_sagas_are_not_tried_again_here() {
    assert_eq!(attempts(Mode::Held, trapped, step("s1")).await, 1);
    assert_eq!(attempts(Mode::Held, overloaded, step("s1")).await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_pause_is_as_long_as_the_callee_asks_and_never_outlasts_the_deadline() {
    let start = Instant::now();
    assert_eq!(
        attempts(Mode::Held, overloaded, within(function(), SECOND * 10)).await,
        3
    );
    assert!(
        (SECOND * 2..SECOND * 3).contains(&start.elapsed()),
        "{:?}",
        start.elapsed()
    );

    let start = Instant::now();
    assert_eq!(
        attempts(Mode::Held, overloaded, within(function(), SECOND)).await,
        1
    );
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn pauses_double_up_to_the_longest_and_are_jittered() {
    let config = Config::default();
    let longest = |attempt| {
        (0..1_000)
            .map(|_| config.pause(attempt, &trapped()))
            .max()
            .unwrap()
    };
    for (attempt, most) in [(1, 50), (2, 100), (3, 200), (20, 2_000), (200, 2_000)] {
        let most = Duration::from_millis(most);
        assert!(
            longest(attempt) < most && longest(attempt) > most.mul_f64(0.9),
            "attempt {attempt}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn when_everything_fails_the_budget_ends_the_retries() {
    let config = Config {
        attempts: NonZeroU32::new(2).unwrap(),
        backoff: Duration::ZERO,
        ..Config::default()
    };
    let retry = WithRetry::new(config, Mode::Held, Asked::new(|_| async { Err(trapped()) }));
    for _ in 0..1_000 {
        let _ = retry.call(&function()).await;
    }
    // A hundred saved up, and a fifth of the calls; the sleeps of the paused clock add a few.
    let retries = retry.inner.times() - 1_000;
    assert!((290..=320).contains(&retries), "{retries}");
}
