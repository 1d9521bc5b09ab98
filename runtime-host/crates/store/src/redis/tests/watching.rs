//! What is heard on the channels.

use std::sync::Arc;

use skald_core::event::{EventLog as _, Published};
use test_redis::{Cluster, Proxy};

use super::{Whole, address, server};
use crate::{
    contract::{commit, event, log::interest, publish},
    redis::{Notice, Redis, Watch, keys::shard},
};

fn watch(redis: &Redis) -> Watch {
    redis.watch(["t", "u"].map(Arc::from))
}

/// An event of a place, with that key.
fn published(place: &str, topic: &str, key: &str) -> Published {
    Published {
        partition: format!("{place}/{}", shard(key, 4)).into(),
        topic: topic.into(),
    }
}

fn own(topic: &str) -> Notice {
    Notice::Own(published("writer", topic, &event(topic, "any").key))
}

/// What others publish has no key here.
fn taken_in(topic: &str) -> Notice {
    Notice::Outside(published("$outside", topic, ""))
}

/// What is in the log from outside.
async fn outside(redis: &Redis) -> Vec<String> {
    let wants = interest("cart", &["t", "u"]);
    let mut found = Vec::new();
    for shard in 0..4 {
        let partition = format!("$outside/{shard}").into();
        found.extend(redis.read(&partition, &wants, 0, 100).await.unwrap());
    }
    let mut found: Vec<_> = found
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event.topic,
                String::from_utf8_lossy(&event.payload)
            )
        })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn our_own_events_are_heard_and_not_taken_for_those_of_others() {
    let server = server();
    let (here, there) = (
        Whole::open("app", &server.url()).await,
        Whole::open("app", &server.url()).await,
    );
    let mut watch = watch(&here.redis);
    assert_eq!(watch.next().await, Notice::Anew);
    for store in [&here, &there] {
        commit(
            store,
            publish(&[event("t", "1"), event("u", "2"), event("never", "3")]),
        )
        .await;
        assert_eq!(watch.next().await, own("t"));
        assert_eq!(watch.next().await, own("u"));
        assert_eq!(watch.next().await, own("never"));
    }
    server.ask(&["PUBLISH", "t", "1"]).unwrap();
    assert_eq!(watch.next().await, taken_in("t"));
    assert_eq!(outside(&here.redis).await, ["t 1"]);
}

#[tokio::test]
async fn what_others_publish_is_taken_in_once_however_many_hosts_hear_it() {
    let server = server();
    let mut watches = Vec::new();
    for _ in 0..3 {
        let redis = Whole::open("app", &server.url()).await.redis;
        let mut watch = watch(&redis);
        assert_eq!(watch.next().await, Notice::Anew);
        watches.push((redis, watch));
    }
    let events = [
        r#"{"specversion":"1.0","id":"1","source":"/them","type":"t","subject":"s"}"#,
        r#"{"specversion":"1.0","id":"1","source":"/them","type":"t","subject":"s","again":true}"#,
        r#"{"specversion":"1.0","id":"2","source":"/them","type":"t","subject":"s"}"#,
    ];
    for payload in events {
        server.ask(&["PUBLISH", "t", payload]).unwrap();
    }
    server.ask(&["PUBLISH", "u", "plain"]).unwrap();
    // Each host hears of all that any of them took in; the last is the plain one.
    for (_, watch) in &mut watches {
        let last = [taken_in("u"), Notice::Own(published("$outside", "u", ""))];
        while !last.contains(&watch.next().await) {}
    }
    let expected = [
        format!("t {}", events[0]),
        format!("t {}", events[2]),
        "u plain".to_owned(),
    ];
    for (redis, _) in &watches {
        assert_eq!(outside(redis).await, expected);
    }
}

#[tokio::test]
async fn a_lost_connection_is_found_again_and_said() {
    let server = server();
    let proxy = Proxy::start(server.address()).unwrap();
    let store = Whole::open("app", &proxy.url()).await;
    let mut watch = watch(&store.redis);
    assert_eq!(watch.next().await, Notice::Anew);
    proxy.hang_up();
    assert_eq!(watch.next().await, Notice::Anew);
    commit(&store, publish(&[event("t", "1")])).await;
    assert_eq!(watch.next().await, own("t"));
}

#[tokio::test]
async fn a_cluster_is_heard_whole() {
    let cluster = Cluster::start(3).unwrap();
    let store = Whole::open("app", &address(&cluster)).await;
    let mut watch = watch(&store.redis);
    assert_eq!(watch.next().await, Notice::Anew);
    commit(&store, publish(&[event("t", "1")])).await;
    assert_eq!(watch.next().await, own("t"));
    let server = &cluster.servers()[1];
    server.ask(&["PUBLISH", "t", "outside"]).unwrap();
    assert_eq!(watch.next().await, taken_in("t"));
    assert_eq!(outside(&store.redis).await, ["t outside"]);
}
