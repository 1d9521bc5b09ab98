//! What the servers of tests can be relied on for.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "these are tests, and time is what one of them is about"
)]

use std::{
    io::{self, BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use test_redis::{Client, Cluster, Options, Proxy, Sentinel, Server, until};

fn durable() -> Server {
    Server::start(Options::default()).unwrap()
}

#[test]
fn what_was_answered_survives_a_kill() {
    let mut server = durable();
    server.ask(&["SET", "name", "value"]).unwrap();
    let pid = server.pid();
    server.kill().unwrap();
    assert!(server.ask(&["PING"]).is_err());
    server.restart().unwrap();
    assert_ne!(server.pid(), pid);
    assert_eq!(server.ask(&["GET", "name"]).unwrap(), "value");
}

/// Set only by the test that starts itself again to be killed.
const CHILD: &str = "TEST_REDIS_CHILD";

#[test]
fn a_server_does_not_outlive_a_test_that_is_killed() {
    if std::env::var_os(CHILD).is_some() {
        let server = durable();
        println!("at {}", server.address());
        // Until it is killed.
        io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_server_does_not_outlive_a_test_that_is_killed",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut addresses = lines.filter_map(|line| line.ok()?.strip_prefix("at ")?.parse().ok());
    let address = addresses.next().unwrap();
    assert!(Client::connect(address).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    until("the server is gone", || {
        Ok(Client::connect(address).is_err())
    })
    .unwrap();
}

#[test]
fn a_server_that_is_restored_has_the_data_of_its_backup() {
    let mut server = durable();
    server.ask(&["SET", "name", "1"]).unwrap();
    let backup = server.back_up().unwrap();
    server.ask(&["SET", "name", "2"]).unwrap();
    server.restore(&backup).unwrap();
    assert_eq!(server.ask(&["GET", "name"]).unwrap(), "1");
}

#[test]
fn options_win_over_what_is_usual() {
    let options = Options::default().with("appendfsync", "everysec");
    let server = Server::start(options.password("secret")).unwrap();
    let found = server.ask(&["CONFIG", "GET", "append*sync"]).unwrap();
    assert_eq!(found, "appendfsync\neverysec");
    assert!(server.url().starts_with("redis://:secret@127.0.0.1:"));
    let mut stranger = Client::connect(server.address()).unwrap();
    assert!(stranger.ask(&["PING"]).is_err());
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let options = Options::default().with("maxmemory-policy", "nonsense");
    let error = Server::start(options).unwrap_err().to_string();
    assert!(error.contains("maxmemory-policy"), "{error}");
}

#[test]
fn a_frozen_server_answers_when_it_goes_on() {
    let server = durable();
    let mut client = server.client().unwrap();
    server.stop().unwrap();
    let state = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    assert!(state.contains(" T "), "{state}");
    server.cont().unwrap();
    assert_eq!(client.ask(&["PING"]).unwrap(), "PONG");
}

#[test]
fn a_replica_has_what_its_primary_has_and_can_take_its_place() {
    let mut primary = durable();
    primary.ask(&["SET", "name", "value"]).unwrap();
    let mut replica = primary.replica(Options::default()).unwrap();
    assert_eq!(replica.ask(&["GET", "name"]).unwrap(), "value");
    assert!(replica.ask(&["SET", "name", "another"]).is_err());
    primary.kill().unwrap();
    replica.promote().unwrap();
    replica.ask(&["SET", "name", "another"]).unwrap();
    replica.restart().unwrap();
    assert_eq!(replica.ask(&["GET", "name"]).unwrap(), "another");
}

#[test]
fn a_sentinel_makes_a_replica_the_primary() {
    let mut primary = durable();
    let replica = primary.replica(Options::default()).unwrap();
    let sentinel = Sentinel::start(&primary, 1).unwrap();
    assert_eq!(sentinel.primary().unwrap(), primary.address());
    primary.kill().unwrap();
    until("the replica is the primary", || {
        let is_known = sentinel.primary()? == replica.address();
        Ok(is_known && replica.ask(&["SET", "name", "value"]).is_ok())
    })
    .unwrap();
}

#[test]
fn a_cluster_serves_every_slot() {
    let cluster = Cluster::start(3).unwrap();
    let info = cluster.servers()[0].ask(&["CLUSTER", "INFO"]).unwrap();
    assert!(info.contains("cluster_slots_ok:16384"), "{info}");
    let mut takers = 0;
    for server in cluster.servers() {
        match server.ask(&["SET", "name", "value"]) {
            Ok(_) => takers += 1,
            Err(error) => assert!(error.to_string().starts_with("MOVED"), "{error}"),
        }
    }
    assert_eq!(takers, 1);
}

#[test]
fn a_replica_in_a_cluster_takes_over_what_it_has() {
    let cluster = Cluster::start(3).unwrap();
    let replica = cluster.replica(0).unwrap();
    let primary = &cluster.servers()[0];
    // Slot 3168, one of the first third.
    primary.ask(&["SET", "{b}", "copied"]).unwrap();
    until("it is copied", || {
        let mut client = replica.client()?;
        client.ask(&["READONLY"])?;
        Ok(client.ask(&["GET", "{b}"])? == "copied")
    })
    .unwrap();
    primary.keep_to_itself().unwrap();
    primary.ask(&["SET", "{b}", "lost"]).unwrap();
    replica.take_over().unwrap();
    assert_eq!(replica.ask(&["GET", "{b}"]).unwrap(), "copied");
    until("the former primary knows", || {
        Ok(primary
            .ask(&["GET", "{b}"])
            .is_err_and(|error| error.to_string().starts_with("MOVED")))
    })
    .unwrap();
}

fn through(proxy: &Proxy, command: &[&str]) -> io::Result<String> {
    Client::connect(proxy.address())?.ask(command)
}

#[test]
fn a_cut_line_ends_connections_until_it_is_mended() {
    let server = durable();
    let proxy = Proxy::start(server.address()).unwrap();
    let mut client = Client::connect(proxy.address()).unwrap();
    assert_eq!(client.ask(&["PING"]).unwrap(), "PONG");
    proxy.cut();
    assert!(client.ask(&["PING"]).is_err());
    assert!(through(&proxy, &["PING"]).is_err());
    proxy.mend();
    assert_eq!(through(&proxy, &["PING"]).unwrap(), "PONG");
}

#[test]
fn a_request_whose_reply_is_lost_was_done() {
    let server = durable();
    let proxy = Proxy::start(server.address()).unwrap();
    proxy.swallow_reply_to("INCR");
    assert_eq!(through(&proxy, &["PING"]).unwrap(), "PONG");
    assert!(through(&proxy, &["INCR", "count"]).is_err());
    assert_eq!(proxy.done(), 1);
    assert_eq!(through(&proxy, &["GET", "count"]).unwrap(), "1");
}

#[test]
fn a_request_that_is_broken_was_not_done() {
    let server = durable();
    let proxy = Proxy::start(server.address()).unwrap();
    proxy.break_request("INCR", 10);
    assert!(through(&proxy, &["INCR", "count"]).is_err());
    assert_eq!(through(&proxy, &["GET", "count"]).unwrap(), "");
}

#[test]
fn a_slow_line_takes_its_time() {
    let server = durable();
    let proxy = Proxy::start(server.address()).unwrap();
    let delay = Duration::from_millis(30);
    proxy.delay(delay);
    let start = Instant::now();
    assert_eq!(through(&proxy, &["PING"]).unwrap(), "PONG");
    assert!(start.elapsed() >= delay);
}

#[test]
fn what_a_line_holds_back_arrives_once_it_is_mended() {
    let server = durable();
    let proxy = Proxy::start(server.address()).unwrap();
    let mut client = Client::connect(proxy.address()).unwrap();
    assert_eq!(client.ask(&["PING"]).unwrap(), "PONG");
    proxy.hold();
    let asked = thread::spawn(move || client.ask(&["INCR", "count"]));
    thread::sleep(Duration::from_millis(50));
    assert_eq!(server.ask(&["GET", "count"]).unwrap(), "");
    assert!(!asked.is_finished());
    proxy.mend();
    assert_eq!(asked.join().unwrap().unwrap(), "1");
}

#[test]
fn a_line_can_lead_elsewhere() {
    let (one, two) = (durable(), durable());
    let proxy = Proxy::start(one.address()).unwrap();
    let mut client = Client::connect(proxy.address()).unwrap();
    client.ask(&["SET", "name", "one"]).unwrap();
    proxy.lead_to(two.address());
    assert!(client.ask(&["GET", "name"]).is_err());
    assert_eq!(through(&proxy, &["GET", "name"]).unwrap(), "");
}
