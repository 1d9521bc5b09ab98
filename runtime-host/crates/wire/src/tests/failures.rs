use std::{future::poll_fn, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;

use skald_core::{
    call::{Call, CallError, Input, Reply},
    manifest::ComponentId,
    store::StoreError,
    value::Value,
};
use skald_telemetry::tasks::Tasks;
use tokio::net::{TcpListener, TcpStream};

use super::world::{Node, capture, config, nobody, paid, peer, peers};
use crate::{Limits, testing::contracts};

#[tokio::test]
async fn where_nobody_answers_nothing_was_sent() {
    let peers = peers(config(), vec![peer("a", nobody().await)]);
    let error = peers.call(&capture()).await.unwrap_err();
    assert!(
        matches!(error, CallError::Broken { .. }) && error.is_before_effect(),
        "{error:?}"
    );
    // Until the next try is due nobody waits for it.
    let error = peers.call(&capture()).await.unwrap_err();
    assert!(matches!(error, CallError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn a_dead_node_costs_its_calls_nothing_where_another_is_alive() {
    let node = Node::start(config(), paid).await;
    let known = vec![peer("dead", nobody().await), node.peer("b")];
    let peers = peers(config(), known);
    for _ in 0..50 {
        peers.call(&capture()).await.unwrap();
    }
    assert_eq!(node.components.seen.lock().len(), 50);
}

/// Somebody who takes one call and does not answer it.
async fn dying(last_words: Option<h2::Reason>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    Tasks::new().spawn("somebody who dies", async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let call = connection.accept().await.unwrap().unwrap();
        if let Some(reason) = last_words {
            connection.abrupt_shutdown(reason);
            let _ = poll_fn(|context| connection.poll_closed(context)).await;
        }
        drop((connection, call));
    });
    address
}

#[tokio::test]
async fn a_call_that_is_cut_off_may_have_happened_and_is_not_made_again() {
    for last_words in [
        None,
        Some(h2::Reason::NO_ERROR),
        Some(h2::Reason::INTERNAL_ERROR),
    ] {
        // One of two that die in the same way is asked, and not the other one.
        let known = vec![
            peer("a", dying(last_words).await),
            peer("b", dying(last_words).await),
        ];
        let peers = peers(config(), known);
        let error = peers.call(&capture()).await.unwrap_err();
        assert!(
            matches!(error, CallError::Store(StoreError::Unknown(_))),
            "{error:?}"
        );
        assert!(!error.is_before_effect());
    }
}

/// Somebody who turns every call away.
async fn refusing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    Tasks::new().spawn("somebody who refuses", async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            refuse(h2::server::handshake(stream).await.unwrap()).await;
        }
    });
    address
}

async fn refuse(mut connection: h2::server::Connection<TcpStream, Bytes>) {
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        respond.send_reset(h2::Reason::REFUSED_STREAM);
    }
}

#[tokio::test]
async fn a_call_that_is_turned_away_goes_to_another_node() {
    let node = Node::start(config(), paid).await;
    let peers = peers(config(), vec![peer("a", refusing().await), node.peer("b")]);
    for _ in 0..20 {
        peers.call(&capture()).await.unwrap();
    }
    assert_eq!(node.components.seen.lock().len(), 20);
}

#[tokio::test]
async fn a_node_that_was_started_anew_is_called_over_a_new_connection() {
    let first = Node::start(config(), paid).await;
    let address = first.address;
    let peers = peers(config(), vec![first.peer("a")]);
    peers.call(&capture()).await.unwrap();
    first.stop().await;
    let second = Node::start_at(&address.to_string(), config(), paid).await;
    peers.call(&capture()).await.unwrap();
    assert_eq!(second.components.seen.lock().len(), 1);
}

#[tokio::test]
async fn a_node_that_stops_ends_its_calls_and_takes_no_new_ones() {
    let node = Arc::new(Node::start(config(), paid).await);
    let held = node.components.gate.acquire().await.unwrap();
    let peers = Arc::new(peers(config(), vec![node.peer("a")]));
    let (tasks, asking) = (Tasks::new(), Arc::clone(&peers));
    let (tell, told) = tokio::sync::oneshot::channel();
    tasks.spawn("call", async move {
        let _ = tell.send(asking.call(&capture()).await);
    });
    let begun = node.components.begun.acquire().await.unwrap();
    node.tasks.stop();
    // Where it listened, nobody does any more; what runs goes on.
    let mut refused = peers.call(&capture()).await;
    while refused.is_ok() {
        refused = peers.call(&capture()).await;
    }
    assert!(refused.unwrap_err().is_before_effect());
    drop((held, begun));
    assert!(matches!(told.await.unwrap(), Ok(Reply::Value(_))));
    node.stop().await;
}

#[tokio::test]
async fn the_asking_side_lets_its_calls_end_too() {
    let node = Node::start(config(), paid).await;
    let tasks = Tasks::new();
    let peers = crate::Peers::new(
        config(),
        contracts(&[("payments", super::world::SHOP)]),
        tasks.clone(),
    );
    peers.set(vec![node.peer("a")]);
    peers.call(&capture()).await.unwrap();
    let drained = tasks.drain(Duration::from_secs(10)).await;
    assert_eq!(drained, skald_telemetry::tasks::Drained::default());
    assert!(peers.call(&capture()).await.unwrap_err().is_before_effect());
}

#[tokio::test]
async fn who_no_longer_waits_has_the_call_dropped_there() {
    let node = Node::start(config(), paid).await;
    let held = node.components.gate.acquire().await.unwrap();
    let peers = peers(config(), vec![node.peer("a")]);
    let mut call = capture();
    call.context.deadline =
        Some(tokio::time::Instant::now().into_std() + Duration::from_millis(50));
    let error = peers.call(&call).await.unwrap_err();
    assert!(matches!(error, CallError::TimedOut(_)), "{error:?}");
    // The server has nothing to wait for, although nothing was answered.
    node.stop().await;
    drop(held);
}

#[tokio::test]
async fn messages_have_a_longest() {
    let small = crate::Config {
        limits: Limits {
            message_bytes: 100,
            ..Limits::default()
        },
        ..config()
    };
    let node = Node::start(small.clone(), paid).await;
    let mut long = capture();
    if let Input::Function(function) = &mut long.input {
        function.arguments[0] = Value::String("o".repeat(200));
    }
    // Told here where the limit is the same, and by the other node where it is not.
    for config in [small, config()] {
        let peers = peers(config, vec![node.peer("a")]);
        let error = peers.call(&long).await.unwrap_err();
        assert!(matches!(error, CallError::OverLimit(_)), "{error:?}");
    }
    assert_eq!(node.components.seen.lock().len(), 0);
}

#[tokio::test]
async fn nodes_that_know_different_contracts_do_not_misread_each_other() {
    let node = Node::start(config(), paid).await;
    let other = super::world::SHOP.replace("cents: u64)", "cents: s64)");
    let peers = crate::Peers::new(config(), contracts(&[("payments", &other)]), Tasks::new());
    peers.set(vec![node.peer("a")]);
    let mut call = capture();
    if let Input::Function(function) = &mut call.input {
        function.arguments[1] = Value::S64(1);
    }
    let error = peers.call(&call).await.unwrap_err();
    insta::assert_snapshot!(error, @"payments does not export /shop.payments.v1.Api/Capture as the caller knows it");
    assert_eq!(node.components.seen.lock().len(), 0);
    assert!(peers.has(&ComponentId::from("payments")));
}

/// Somebody who lets others connect and says nothing ever.
async fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    Tasks::new().spawn("somebody silent", async move {
        let mut streams = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            streams.push(stream);
        }
    });
    address
}

#[tokio::test]
async fn a_node_that_hangs_is_noticed_without_a_deadline() {
    let mut config = config();
    config.limits.ping = Duration::from_millis(20);
    config.limits.ping_timeout = Duration::from_millis(20);
    let peers = peers(config, vec![peer("a", silent().await)]);
    let error = peers.call(&capture()).await.unwrap_err();
    assert!(
        matches!(error, CallError::Store(StoreError::Unknown(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_call_that_nobody_answers_has_an_end_of_its_own() {
    let mut config = config();
    config.limits.call = Duration::from_millis(20);
    let peers = peers(config, vec![peer("a", silent().await)]);
    let error = peers.call(&capture()).await.unwrap_err();
    assert!(
        matches!(error, CallError::Store(StoreError::Unknown(_))),
        "{error:?}"
    );
}
