//! Nodes that announce themselves, fall silent, and leave.

use std::{
    env, fmt,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use skald_core::node::{Health, Node, Nodes, Served};
use test_redis::{Cluster, Options, Server};

use crate::redis::{Config, Redis};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

/// Where the child finds the server; set only by the test that starts it.
const SERVER: &str = "SKALD_STORE_TEST_SERVER";

fn node(id: &str) -> Node {
    Node {
        id: id.to_owned(),
        address: Some("127.0.0.1:7000".to_owned()),
        admin: None,
        components: vec![Served {
            component: "orders".to_owned(),
            revision: "sha256:1".to_owned(),
        }],
        load: 3,
        health: Health::Ready,
        epochs: vec![7, 8],
        started_at: SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
        version: "0.1.0".to_owned(),
    }
}

async fn open(url: impl fmt::Display) -> Redis {
    let address = url.to_string().parse().unwrap();
    Redis::open(Config::new("app", address)).await.unwrap()
}

fn durable() -> Server {
    Server::start(Options::default()).unwrap()
}

fn names(nodes: &[Node]) -> Vec<&str> {
    nodes.iter().map(|node| node.id.as_str()).collect()
}

/// Lets the time of the server pass: whatever is asked of it takes some.
async fn until_listed(store: &Redis, expected: &[&str]) {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while names(&store.nodes().await.unwrap()) != expected {
        assert!(tokio::time::Instant::now() < end, "never {expected:?}");
    }
}

#[tokio::test]
async fn nodes_know_of_each_other_until_they_leave() {
    let server = durable();
    let (one, two) = (open(server.url()).await, open(server.url()).await);
    assert!(one.nodes().await.unwrap().is_empty());
    let first = node("b");
    let alone = one.announce(&first, LONG).await.unwrap();
    assert_eq!(alone, vec![first.clone()]);
    let mut second = node("a");
    second.address = None;
    second.health = Health::Draining;
    let expected = [second.clone(), first.clone()];
    assert_eq!(two.announce(&second, LONG).await.unwrap(), expected);
    assert_eq!(one.nodes().await.unwrap(), expected);
    second.load = 99;
    two.announce(&second, LONG).await.unwrap();
    assert_eq!(one.nodes().await.unwrap(), [second, first.clone()]);
    two.leave("a").await.unwrap();
    two.leave("a").await.unwrap();
    two.leave("never there").await.unwrap();
    assert_eq!(one.nodes().await.unwrap(), [first]);
}

#[tokio::test]
async fn a_node_whose_lease_has_ended_is_not_there_and_can_come_back() {
    let server = durable();
    let store = open(server.url()).await;
    store.announce(&node("lasts"), LONG).await.unwrap();
    let short = Duration::from_millis(50);
    let both = store.announce(&node("short"), short).await.unwrap();
    assert_eq!(names(&both), ["lasts", "short"]);
    until_listed(&store, &["lasts"]).await;
    // Nothing is left of it once somebody speaks.
    store.announce(&node("lasts"), LONG).await.unwrap();
    let left = server.ask(&["HKEYS", "skald:app:{$nodes}:nodes"]).unwrap();
    assert_eq!(left, "lasts");
    let both = store.announce(&node("short"), LONG).await.unwrap();
    assert_eq!(names(&both), ["lasts", "short"]);
}

/// Another process.
struct Other(Child);

impl Other {
    /// One that does what this test does for children.
    fn start(name: &str, server: &Server) -> Self {
        let child = Command::new(env::current_exe().unwrap())
            .args([name, "--exact"])
            .env(SERVER, server.url())
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn announce_for_ever(url: &str) {
    let store = open(url).await;
    let mut turns = tokio::time::interval(Duration::from_millis(20));
    loop {
        turns.tick().await;
        let lease = Duration::from_millis(200);
        store.announce(&node("child"), lease).await.unwrap();
    }
}

#[tokio::test]
async fn a_node_that_is_frozen_past_its_lease_is_not_listed() {
    if let Some(url) = env::var_os(SERVER) {
        return announce_for_ever(url.to_str().unwrap()).await;
    }
    let server = durable();
    let store = open(server.url()).await;
    let name = "redis::nodes::tests::a_node_that_is_frozen_past_its_lease_is_not_listed";
    let other = Other::start(name, &server);
    until_listed(&store, &["child"]).await;
    other.signal("-STOP");
    until_listed(&store, &[]).await;
    other.signal("-CONT");
    until_listed(&store, &["child"]).await;
}

#[tokio::test]
async fn nodes_of_a_full_server_stay_known() {
    let server = durable();
    let store = open(server.url()).await;
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    assert!(server.ask(&["SET", "name", "value"]).is_err());
    store.announce(&node("a"), LONG).await.unwrap();
    store.announce(&node("a"), LONG).await.unwrap();
    assert_eq!(store.nodes().await.unwrap(), [node("a")]);
}

#[tokio::test]
async fn leases_and_nodes_survive_the_death_of_the_server() {
    let mut server = durable();
    let store = open(server.url()).await;
    store.announce(&node("a"), LONG).await.unwrap();
    server.kill().unwrap();
    server.restart().unwrap();
    assert_eq!(store.nodes().await.unwrap(), [node("a")]);
}

#[tokio::test]
async fn epochs_grow_also_when_the_server_lost_the_last_ones() {
    let mut server = durable();
    let (one, two) = (open(server.url()).await, open(server.url()).await);
    let backup = server.back_up().unwrap();
    let mut last = 0;
    for store in [&one, &two, &one, &one, &two] {
        let epoch = store.next_epoch().await.unwrap();
        assert!(epoch > last, "{epoch} after {last}");
        last = epoch;
    }
    server.restore(&backup).unwrap();
    let epoch = one.next_epoch().await.unwrap();
    assert!(epoch > last, "{epoch} after {last}");
}

#[tokio::test]
async fn a_cluster_knows_nodes_too() {
    let cluster = Cluster::start(3).unwrap();
    let hosts: Vec<_> = cluster
        .addresses()
        .iter()
        .map(ToString::to_string)
        .collect();
    let store = open(format!("redis+cluster://{}", hosts.join(","))).await;
    let first = store.next_epoch().await.unwrap();
    assert!(store.next_epoch().await.unwrap() > first);
    store.announce(&node("a"), LONG).await.unwrap();
    let both = store.announce(&node("b"), LONG).await.unwrap();
    assert_eq!(names(&both), ["a", "b"]);
    store.leave("a").await.unwrap();
    assert_eq!(names(&store.nodes().await.unwrap()), ["b"]);
}
