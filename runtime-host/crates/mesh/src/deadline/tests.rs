use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use skald_core::{
    call::{CallError, Reply},
    store::Store,
    unit::{Limits, Mode, Unit},
};
use tokio::time::Instant;

use super::WithDeadline;
use crate::world::{Guest, Model, function, within};

const SECOND: Duration = Duration::from_secs(1);

fn unit() -> Unit {
    let store: Arc<dyn Store> = Model::new();
    Unit::new(Mode::Held, store, Limits::default(), || {
        SystemTime::UNIX_EPOCH
    })
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_is_too_slow_is_dropped_at_its_deadline() {
    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    let guest = Guest::new(move |_, unit| {
        let instance = Dropped(Arc::clone(&count));
        async move {
            let _instance = instance;
            pending::<()>().await;
            (unit, Ok(Reply::Handled))
        }
    });
    let start = Instant::now();
    let result = WithDeadline::new(guest)
        .run(&within(function(), SECOND), unit())
        .await;
    assert!(matches!(result, Err(CallError::TimedOut(time)) if time == SECOND));
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_has_passed_does_not_begin() {
    let guest = Guest::new(|_, _| async { unreachable!("nobody waits for this") });
    let result = WithDeadline::new(guest)
        .run(&within(function(), Duration::ZERO), unit())
        .await;
    assert!(matches!(result, Err(CallError::TimedOut(Duration::ZERO))));
}
