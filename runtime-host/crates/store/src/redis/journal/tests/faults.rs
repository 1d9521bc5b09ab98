//! What is lost: answers, writes, connections.

use std::{sync::Arc, time::Duration};

use skald_core::{
    saga::journal::{Append, AppendError, Filter, Journal, Standing},
    store::StoreError,
};
use test_redis::{Options, Proxy, Sentinel, Server};
use tokio::task::JoinSet;

use super::{durable, open};
use crate::{
    contract::journal::{all, begin, entries, next, standing},
    redis::{Config, Redis},
};

async fn behind(server: &Server) -> (Redis, Proxy) {
    let proxy = Proxy::start(server.address()).unwrap();
    (open("app", proxy.url()).await, proxy)
}

async fn grow(store: &Redis, run: &str, entries: u64) -> Append {
    let mut last = begin(run);
    store.append(last.clone()).await.unwrap();
    for _ in 1..entries {
        last = next(&last);
        store.append(last.clone()).await.unwrap();
    }
    last
}

#[tokio::test]
async fn an_entry_whose_answer_was_lost_is_there_once() {
    let server = durable();
    let (store, proxy) = behind(&server).await;
    let first = begin("run_1");
    // The script is known from here on, so that the request that loses its answer is the one that writes.
    store.append(first.clone()).await.unwrap();
    let second = next(&first);
    proxy.swallow_reply_to("entry 2 of run_1");
    store.append(second.clone()).await.unwrap();
    assert_eq!(proxy.done(), 1);
    let third = next(&second);
    proxy.break_request("entry 3 of run_1", 40);
    store.append(third.clone()).await.unwrap();
    assert_eq!(proxy.done(), 2);
    let run = &first.summary.run;
    let expected = [&first, &second, &third].map(|append| append.entry.clone());
    assert_eq!(entries(&store, run).await, expected);
    assert_eq!(store.find(run).await.unwrap(), Some(third.summary));
}

#[tokio::test]
async fn a_purge_whose_answer_was_lost_says_that_the_run_was_there() {
    let server = durable();
    let (store, proxy) = behind(&server).await;
    for run in ["run_1", "run_2"] {
        let ended = standing(begin(run), Standing::Completed);
        store.append(ended.clone()).await.unwrap();
        proxy.swallow_reply_to(run);
        assert!(store.purge(&ended.summary.run).await.unwrap(), "{run}");
        assert!(!store.purge(&ended.summary.run).await.unwrap(), "{run}");
    }
    assert_eq!(proxy.done(), 2);
    assert!(store.list(&all()).await.unwrap().is_empty());
}

#[tokio::test]
async fn entries_of_all_runs_survive_a_line_that_is_cut_again_and_again() {
    let server = durable();
    let (store, proxy) = behind(&server).await;
    let store = Arc::new(store);
    let mut owners = JoinSet::new();
    for run in 0..6 {
        let store = Arc::clone(&store);
        owners.spawn(async move { grow(&store, &format!("run_{run}"), 40).await });
    }
    let mut turns = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..30 {
        turns.tick().await;
        proxy.hang_up();
    }
    for one in owners.join_all().await {
        let kept = entries(&*store, &one.summary.run).await;
        assert_eq!(kept.len(), 40);
        assert_eq!(kept.last(), Some(&one.entry));
    }
}

#[tokio::test]
async fn what_was_answered_survives_the_death_of_the_server() {
    let mut server = durable();
    let store = open("app", server.url()).await;
    let last = grow(&store, "run_1", 5).await;
    server.kill().unwrap();
    server.restart().unwrap();
    let run = &last.summary.run;
    assert_eq!(entries(&store, run).await.len(), 5);
    store.append(next(&last)).await.unwrap();
}

#[tokio::test]
async fn journals_go_on_at_the_replica_that_takes_over() {
    let mut primary = durable();
    let replica = primary.replica(Options::default()).unwrap();
    let sentinel = Sentinel::start(&primary, 1).unwrap();
    let mut config = Config::new("app", sentinel.url().parse().unwrap());
    config.patience = Duration::from_secs(20);
    let store = Redis::open(config).await.unwrap();
    let last = grow(&store, "run_1", 5).await;
    // It copies after the answer.
    test_redis::until("the replica has it all", || {
        let length = replica.ask(&["KEYS", "*:journal:run_1"])?;
        Ok(replica.ask(&["LLEN", &length])? == "5")
    })
    .unwrap();
    primary.kill().unwrap();
    let sixth = next(&last);
    store.append(sixth.clone()).await.unwrap();
    let run = &last.summary.run;
    assert_eq!(entries(&store, run).await.len(), 6);
    assert_eq!(sentinel.primary().unwrap(), replica.address());
    assert_eq!(store.find(run).await.unwrap(), Some(sixth.summary));
}

#[tokio::test]
async fn an_owner_that_wakes_up_late_cannot_write() {
    let server = durable();
    let (sleeper, other) = (
        open("app", server.url()).await,
        open("app", server.url()).await,
    );
    let seen = grow(&sleeper, "run_1", 3).await;
    let mut taken = next(&seen);
    taken.summary.epoch = 2;
    other.append(taken.clone()).await.unwrap();
    for late in [next(&seen), next(&next(&seen)), seen.clone()] {
        let error = sleeper.append(late).await.unwrap_err();
        assert!(
            matches!(error, AppendError::Fenced { epoch: 2 }),
            "{error:?}"
        );
    }
    let run = &seen.summary.run;
    assert_eq!(other.find(run).await.unwrap(), Some(taken.summary));
}

async fn expects(store: &Redis, append: Append, place: u64) {
    match store.append(append).await {
        Err(AppendError::Conflict { expected }) => assert_eq!(expected, place),
        other => panic!("expected a conflict, got {other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_lost_its_last_writes_is_noticed_by_the_next_entry() {
    let mut server = durable();
    let store = open("app", server.url()).await;
    let early = grow(&store, "run_1", 3).await;
    let backup = server.back_up().unwrap();
    let fourth = next(&early);
    let fifth = next(&fourth);
    for append in [&fourth, &fifth] {
        store.append(append.clone()).await.unwrap();
    }
    let unknown = grow(&store, "run_2", 2).await;
    server.restore(&backup).unwrap();
    // The same owner, which has never heard of it.
    expects(&store, next(&fifth), 4).await;
    expects(&store, fifth.clone(), 4).await;
    expects(&store, next(&unknown), 1).await;
    let run = &early.summary.run;
    assert_eq!(store.find(run).await.unwrap(), Some(early.summary.clone()));
    assert_eq!(entries(&store, run).await.len(), 3);
    // Another owner reads what is there, and goes on from it.
    let mut goes_on = fourth;
    goes_on.summary.epoch = 2;
    store.append(goes_on).await.unwrap();
}

#[tokio::test]
async fn a_journal_of_which_a_part_was_evicted_is_corrupt() {
    let server = durable();
    let store = open("app", server.url()).await;
    let last = grow(&store, "run_1", 2).await;
    let keys = server.ask(&["KEYS", "*:journal:run_1"]).unwrap();
    server.ask(&["DEL", &keys]).unwrap();
    let error = store.append(next(&last)).await.unwrap_err();
    insta::assert_snapshot!(
        error,
        @"the data cannot be read: a part of the journal of run_1 is missing; does the server evict keys?"
    );
}

#[tokio::test]
async fn without_room_nothing_is_written_and_with_room_it_goes_on() {
    let server = Server::start(Options::default().with("maxmemory-policy", "noeviction")).unwrap();
    let store = open("app", server.url()).await;
    let last = grow(&store, "run_1", 2).await;
    let ended = standing(begin("run_2"), Standing::Completed);
    store.append(ended.clone()).await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let third = next(&last);
    let error = store.append(third.clone()).await.unwrap_err();
    assert!(
        matches!(error, AppendError::Store(StoreError::Full(_))),
        "{error:?}"
    );
    assert_eq!(entries(&store, &third.summary.run).await.len(), 2);
    assert_eq!(
        store.find(&third.summary.run).await.unwrap(),
        Some(last.summary)
    );
    let parked = standing(third.clone(), Standing::Parked);
    assert!(store.append(parked).await.is_err());
    let running = Filter {
        standings: vec![Standing::Running],
        ..all()
    };
    assert_eq!(store.list(&running).await.unwrap().len(), 1);
    assert!(store.purge(&ended.summary.run).await.unwrap());
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    store.append(third).await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_come_back_leaves_the_outcome_open() {
    let server = durable();
    let proxy = Proxy::start(server.address()).unwrap();
    let mut config = Config::new("app", proxy.url().parse().unwrap());
    config.patience = Duration::from_millis(300);
    let store = Redis::open(config).await.unwrap();
    let last = grow(&store, "run_1", 1).await;
    server.stop().unwrap();
    let error = store.append(next(&last)).await.unwrap_err();
    server.cont().unwrap();
    assert!(
        matches!(error, AppendError::Store(StoreError::Unknown(_))),
        "{error:?}"
    );
    // Said again, it is there once, whichever it was.
    store.append(next(&last)).await.unwrap();
    assert_eq!(entries(&store, &last.summary.run).await.len(), 2);
}
