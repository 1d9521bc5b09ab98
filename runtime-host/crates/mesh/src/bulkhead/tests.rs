use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use skald_core::call::{Call, CallError, Reply, Request};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::WithBulkhead;
use crate::world::{Asked, function, id, outcome, within};

const MILLISECOND: Duration = Duration::from_millis(1);

fn bulkhead(concurrency: usize, queue: usize, each: Duration) -> Arc<WithBulkhead<impl Call>> {
    let callee = Asked::new(move |_| async move {
        sleep(each).await;
        Ok(Reply::Handled)
    });
    Arc::new(WithBulkhead::new(
        id(),
        NonZeroUsize::new(concurrency).unwrap(),
        queue,
        callee,
    ))
}

/// Makes so many calls at once; answers with how many were served, and the errors.
async fn burst(
    bulkhead: &Arc<WithBulkhead<impl Call>>,
    calls: usize,
    request: Request,
) -> (usize, Vec<CallError>) {
    let mut all = JoinSet::new();
    for _ in 0..calls {
        let (bulkhead, request) = (Arc::clone(bulkhead), request.clone());
        all.spawn(async move { bulkhead.call(&request).await });
    }
    let (served, refused): (Vec<_>, Vec<_>) =
        all.join_all().await.into_iter().partition(Result::is_ok);
    (
        served.len(),
        refused.into_iter().map(Result::unwrap_err).collect(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_at_once_are_all_served_by_sixty_four_places() {
    let bulkhead = bulkhead(64, 4_096, MILLISECOND);
    let start = Instant::now();
    let (served, refused) = burst(
        &bulkhead,
        1_000,
        within(function(), Duration::from_secs(10)),
    )
    .await;
    assert_eq!((served, refused.len()), (1_000, 0));
    assert_eq!(
        start.elapsed(),
        MILLISECOND * 16,
        "1,000 calls in rounds of 64"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_places_and_queue_are_refused_at_once() {
    let bulkhead = bulkhead(2, 3, MILLISECOND);
    let (served, refused) = burst(&bulkhead, 10, within(function(), Duration::from_secs(10))).await;
    assert_eq!((served, refused.len()), (5, 5));
    insta::assert_snapshot!(outcome(&Err(refused[0].clone())), @"CALL-003: stock has too many calls at once; try again in 1s");
}

#[tokio::test(start_paused = true)]
async fn who_waits_until_its_deadline_is_refused_and_frees_its_place_in_the_queue() {
    let bulkhead = bulkhead(1, 1, MILLISECOND * 100);
    let (served, refused) = burst(&bulkhead, 2, within(function(), MILLISECOND * 50)).await;
    assert_eq!((served, refused.len()), (1, 1));
    let (served, refused) = burst(&bulkhead, 2, within(function(), MILLISECOND * 150)).await;
    assert_eq!((served, refused.len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_frees_its_place() {
    let bulkhead = bulkhead(1, 0, Duration::from_secs(3_600));
    for _ in 0..3 {
        let call = tokio::time::timeout(MILLISECOND, bulkhead.call(&function())).await;
        assert!(call.is_err(), "it was let in, and hangs");
    }
}
