use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use skald_core::{call::CallError, store::StoreError};

use super::{Verdict, judge};
use crate::{Config, schedule::Tries};

const NAME: &str = "stock";

fn config() -> Config {
    Config {
        concurrency: NonZeroUsize::MIN,
        attempts: NonZeroU32::new(3).unwrap(),
        backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(1),
        window: Config::WINDOW,
    }
}

fn failed() -> CallError {
    CallError::HandlerFailed("no".to_owned())
}

#[test]
fn pauses_double_up_to_the_longest() {
    let most = |row| match judge(&config(), Tries { attempts: 0, row }, &failed()) {
        Verdict::Retry { most, .. } => most.as_millis(),
        Verdict::Bury { .. } => panic!("too early"),
    };
    let pauses: Vec<_> = [0, 1, 2, 3, 4, 5, 31, 32, u32::MAX].map(most).into();
    assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000]);
}

#[test]
fn the_last_failure_of_the_handler_ends_the_trying() {
    let verdict = |attempts| {
        judge(
            &config(),
            Tries {
                attempts,
                row: attempts,
            },
            &failed(),
        )
    };
    assert!(matches!(
        verdict(1),
        Verdict::Retry {
            tries: Tries {
                attempts: 2,
                row: 2
            },
            ..
        }
    ));
    assert_eq!(verdict(2), Verdict::Bury { attempts: 3 });
    // Fewer attempts may be allowed now than when the failures were noted.
    assert_eq!(verdict(7), Verdict::Bury { attempts: 8 });
}

#[test]
fn failures_of_the_host_use_up_no_attempts() {
    let retry_after = Duration::from_secs(2);
    let store = StoreError::Unavailable("gone".to_owned());
    for error in [
        CallError::Overloaded {
            component: NAME.into(),
            retry_after,
        },
        CallError::Broken {
            component: NAME.into(),
            retry_after,
        },
        CallError::Store(store),
        CallError::ShuttingDown,
        CallError::Conflict { attempts: 5 },
        CallError::Engine("no memory".to_owned()),
    ] {
        let verdict = judge(
            &config(),
            Tries {
                attempts: 2,
                row: 9,
            },
            &error,
        );
        let tries = Tries {
            attempts: 2,
            row: 10,
        };
        let least = error.retry_after().unwrap_or_default();
        assert_eq!(
            verdict,
            Verdict::Retry {
                tries,
                least,
                most: Duration::from_secs(1)
            },
            "{error}"
        );
    }
}

#[test]
fn failures_of_handler_and_caller_use_up_attempts() {
    for error in [
        failed(),
        CallError::TimedOut(Duration::from_secs(1)),
        CallError::Trapped("unreachable".to_owned()),
        CallError::OverLimit("memory".to_owned()),
        CallError::NoSuchComponent(NAME.into()),
    ] {
        let verdict = judge(
            &config(),
            Tries {
                attempts: 2,
                row: 2,
            },
            &error,
        );
        assert_eq!(verdict, Verdict::Bury { attempts: 3 }, "{error}");
    }
}
