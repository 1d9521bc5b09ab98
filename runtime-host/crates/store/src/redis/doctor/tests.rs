//! Real servers with settings that are well, weak, and of no use.

use std::{collections::BTreeSet, fs, path::Path};

use test_redis::{Cluster, Options, Proxy, Server};

use super::{Doctor, Report, Verdict};
use crate::redis::Config;

async fn examine(url: &str) -> Report {
    let mut config = Config::new("app", url.parse().unwrap());
    config.patience = std::time::Duration::from_secs(2);
    Doctor::examine(&config).await
}

/// All but what is another on each machine.
fn told(report: &Report) -> String {
    let lines = report.findings.iter().map(|one| {
        if one.check.starts_with("latency") {
            return format!("{}: …", one.check);
        }
        let found = match one.check {
            "maxmemory" if one.verdict == Verdict::Well => "…",
            "version" => "…",
            _ => &*one.found,
        };
        let stake = one.stake.map(|stake| format!(", {stake:?}"));
        let head = format!(
            "{}: {}{} ({found})",
            one.check,
            one.verdict,
            stake.unwrap_or_default()
        );
        match &*one.risk {
            "" => head,
            risk => format!("{head}\n    {risk}\n    {}", one.fix),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What is not well.
fn complaints(report: &Report) -> String {
    let findings = report.findings.iter();
    let findings =
        findings.filter(|one| one.verdict != Verdict::Well && !one.check.starts_with("latency"));
    told(&Report {
        findings: findings.cloned().collect(),
        ..report.clone()
    })
}

async fn complaints_of(options: Options) -> (Report, String) {
    let server = Server::start(options).unwrap();
    let report = examine(&server.url()).await;
    let text = complaints(&report);
    (report, text)
}

#[tokio::test]
async fn a_durable_server_is_well() {
    let server = Server::start(Options::default()).unwrap();
    let report = examine(&server.url()).await;
    assert!(report.is_durable());
    insta::assert_snapshot!(told(&report), @r"
    layout: well (one server)
    version: well (…)
    role: well (primary)
    replicas: well (none)
    appendonly: well (yes)
    appendfsync: well (always)
    files: well (written)
    maxmemory: well (…)
    maxmemory-policy: well (noeviction)
    rights: well (scripts run, and may use all commands they need)
    latency of answers: …
    latency of writes: …
    ");
    let left = server.ask(&["KEYS", "*"]).unwrap();
    assert_eq!(left, "", "nothing is left of what was tried");
}

#[tokio::test]
async fn a_server_that_flushes_each_second_can_lose_that_second() {
    let options = Options::default().with("appendfsync", "everysec");
    let (report, text) = complaints_of(options).await;
    assert!(!report.is_durable());
    assert_eq!(report.verdict(), Verdict::Weak);
    insta::assert_snapshot!(text, @r"
    appendfsync: weak, Data (everysec)
        A machine that dies loses the last second of commits that were answered; up to two when its disk is slow.
        CONFIG SET appendfsync always
    ");
}

#[tokio::test]
async fn a_server_that_leaves_flushing_to_its_system_can_lose_more() {
    let (_, text) = complaints_of(Options::default().with("appendfsync", "no")).await;
    insta::assert_snapshot!(text, @r"
    appendfsync: weak, Data (no)
        A machine that dies loses what its system had not written yet, commonly up to half a minute.
        CONFIG SET appendfsync always
    ");
    let options = Options::default().with("no-appendfsync-on-rewrite", "yes");
    let (report, text) = complaints_of(options).await;
    assert!(!report.is_durable());
    insta::assert_snapshot!(text, @r"
    appendfsync: weak, Data (always, not while the file is rewritten)
        A machine that dies while the file is rewritten loses what was committed meanwhile, up to half a minute.
        CONFIG SET no-appendfsync-on-rewrite no
    ");
}

#[tokio::test]
async fn a_server_in_memory_alone_can_lose_everything() {
    let (report, text) = complaints_of(Options::default().with("appendonly", "no")).await;
    assert!(report.is_usable() && !report.is_durable());
    insta::assert_snapshot!(text, @r"
    appendonly: weak, Data (no, no snapshots either)
        A crash loses all that was committed since the last snapshot; without snapshots, everything.
        CONFIG SET appendonly yes
    ");
}

#[tokio::test]
async fn a_server_that_evicts_can_lose_state() {
    let evicting = |policy| Options::default().with("maxmemory-policy", policy);
    let (report, text) = complaints_of(evicting("allkeys-lru").with("maxmemory", "1gb")).await;
    assert!(!report.is_usable());
    insta::assert_snapshot!(text, @r"
    maxmemory-policy: unusable, Service (allkeys-lru)
        When its memory is full it throws keys away: state, events and journals.
        CONFIG SET maxmemory-policy noeviction
    ");
    // One that has no limit yet, and one that throws only away what was given a time to live.
    for options in [
        evicting("allkeys-lru"),
        evicting("volatile-lru").with("maxmemory", "1gb"),
    ] {
        let (report, text) = complaints_of(options).await;
        assert!(report.is_usable() && !report.is_durable(), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_is_nearly_full_is_weak_and_loses_nothing() {
    let server = Server::start(Options::default()).unwrap();
    let large = "x".repeat(50 << 20);
    server.ask(&["SET", "large", &large]).unwrap();
    let info = server.ask(&["INFO", "memory"]).unwrap();
    let used = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    let used: u64 = used.unwrap().parse().unwrap();
    let most = (used * 10 / 9).to_string();
    server.ask(&["CONFIG", "SET", "maxmemory", &most]).unwrap();
    let report = examine(&server.url()).await;
    assert!(report.is_durable());
    let finding = report.findings.iter().find(|one| one.check == "maxmemory");
    assert_eq!(finding.unwrap().verdict, Verdict::Weak);
}

#[tokio::test]
async fn a_replica_is_of_no_use_and_its_primary_can_lose_what_it_lacks() {
    let primary = Server::start(Options::default()).unwrap();
    let replica = primary.replica(Options::default()).unwrap();
    let text = complaints(&examine(&replica.url()).await);
    let text = text.replace(&primary.address().to_string(), "[primary]");
    insta::assert_snapshot!(text, @r"
    role: unusable, Service (replica of [primary])
        A replica takes no writes.
        name the primary, or let Sentinel or the cluster name it: redis+sentinel://… or redis+cluster://…
    ");
    let report = examine(&primary.url()).await;
    assert!(!report.is_durable());
    insta::assert_snapshot!(complaints(&report), @r"
    replicas: weak, Data (1, at least 0 within 10 s to write)
        A replica that takes over lacks what it has not copied yet, however much that is: commits that were answered are lost.
        CONFIG SET min-replicas-to-write 1 bounds it; accept the rest, or do without failover
    ");
    primary
        .ask(&["CONFIG", "SET", "min-replicas-to-write", "1"])
        .unwrap();
    insta::assert_snapshot!(complaints(&examine(&primary.url()).await), @r"
    replicas: weak, Data (1, at least 1 within 10 s to write)
        A replica that takes over lacks what it has not copied yet: up to 10 s of commits that were answered are lost.
        CONFIG SET min-replicas-max-lag 1 bounds it further; accept the rest, or do without failover
    ");
}

#[tokio::test]
async fn settings_that_are_hidden_are_not_taken_to_be_well() {
    let server = Server::start(Options::default()).unwrap();
    server
        .ask(&["ACL", "SETUSER", "default", "-config"])
        .unwrap();
    let report = examine(&server.url()).await;
    let text = complaints(&report);
    assert!(report.is_usable() && !report.is_durable());
    insta::assert_snapshot!(text, @r"
    appendfsync: weak, Data (cannot be seen)
        CONFIG GET is hidden: whether commits that were answered can be lost is for its operator to say.
        let the user run CONFIG GET, or have its operator confirm `appendonly yes` and `appendfsync always`
    ");
}

#[tokio::test]
async fn a_user_with_too_few_rights_is_told_which() {
    let server = Server::start(Options::default()).unwrap();
    let user = |rules: &[&str]| {
        let command = [
            &["ACL", "SETUSER", "skald", "reset", "on", ">secret"],
            rules,
        ]
        .concat();
        server.ask(&command).unwrap();
        format!("redis://skald:secret@{}", server.address())
    };
    let url = user(&[
        "~skald:*",
        "&*",
        "+@all",
        "-@admin",
        "-@dangerous",
        "+info",
        "+config|get",
        "+cluster",
    ]);
    let report = examine(&url).await;
    assert!(report.is_durable(), "{}", complaints(&report));
    assert!(!report.address.contains("secret"));
    let url = user(&["~skald:*", "&*", "+@all", "-xadd", "-publish"]);
    insta::assert_snapshot!(complaints(&examine(&url).await), @r"
    rights: unusable, Service (refused: XADD, PUBLISH, PUBLISH on any channel)
        Commits that come to these commands stop half-way.
        ACL SETUSER … ~skald:* &* +@all -@admin -@dangerous +info +config|get +cluster
    ");
    let url = user(&["~skald:*", "&skald:*", "&shop.*", "+@all"]);
    insta::assert_snapshot!(complaints(&examine(&url).await), @r"
    rights: weak, Data (may publish on some channels only)
        A commit with an event whose topic is none of them stops half-way.
        ACL SETUSER … &*, or &TOPIC for each topic of the application
    ");
    let url = user(&["~other:*", "&*", "+@all"]);
    assert_eq!(examine(&url).await.verdict(), Verdict::Unusable);
    let url = user(&["~*", "&*", "+@all", "-eval", "-evalsha"]);
    insta::assert_snapshot!(complaints(&examine(&url).await), @r"
    rights: unusable, Service (scripts do not run: NoPerm: this user has no permissions to run the 'evalsha' command)
        Nothing can be committed.
        ACL SETUSER … ~skald:* &* +@all -@admin -@dangerous +info +config|get +cluster
    ");
    let wrong = format!("redis://skald:wrong@{}", server.address());
    insta::assert_snapshot!(complaints(&examine(&wrong).await).replace(&server.address().to_string(), "[server]"), @r"
    connection: unusable, Service (Password authentication failed - AuthenticationFailed)
        Nothing can be kept at redis://[server].
        start the server, or correct the address, the user or the password
    ");
}

#[tokio::test]
async fn a_server_that_cannot_write_its_file_is_of_no_use() {
    let options = Options::default()
        .with("appendonly", "no")
        .with("save", "3600 1")
        .with("dbfilename", "dump.rdb");
    let server = Server::start(options).unwrap();
    // A folder in the place of the file: the snapshot cannot be renamed to it.
    fs::create_dir(server.directory().join("dump.rdb")).unwrap();
    assert!(server.ask(&["SAVE"]).is_err());
    let _ = server.ask(&["BGSAVE"]);
    test_redis::until("the snapshot failed", || {
        let info = server.ask(&["INFO", "persistence"])?;
        Ok(info.contains("rdb_last_bgsave_status:err"))
    })
    .unwrap();
    let text = complaints(&examine(&server.url()).await);
    insta::assert_snapshot!(text, @r"
    appendonly: weak, Data (no, snapshots only)
        A crash loses all that was committed since the last snapshot; without snapshots, everything.
        CONFIG SET appendonly yes
    files: unusable, Service (the last snapshot failed)
        It refuses all writes until a snapshot succeeds.
        make room on its disk, then BGSAVE; or, with appendonly, CONFIG SET stop-writes-on-bgsave-error no
    ");
}

#[tokio::test]
async fn a_file_that_is_made_for_the_first_time_holds_nothing_yet() {
    let server = Server::start(Options::default().with("appendonly", "no")).unwrap();
    server.ask(&["SET", "name", "value"]).unwrap();
    let slowly = ["CONFIG", "SET", "rdb-key-save-delay", "100000000"];
    server.ask(&slowly).unwrap();
    server.ask(&["CONFIG", "SET", "appendonly", "yes"]).unwrap();
    let report = examine(&server.url()).await;
    assert!(!report.is_durable());
    insta::assert_snapshot!(complaints(&report), @r"
    files: weak, Data (made for the first time)
        appendonly was switched on just now: a crash before the file is complete loses everything.
        look again when INFO says aof_rewrite_in_progress:0
    ");
}

#[tokio::test]
async fn a_server_behind_tls_is_looked_at_like_others() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = file("certificate.pem", &made.cert.pem());
    let port = test_redis::free_port().unwrap();
    let options = Options::default()
        .with("tls-port", &port.to_string())
        .with(
            "tls-key-file",
            &file("key.pem", &made.signing_key.serialize_pem()),
        )
        .with("tls-cert-file", &certificate)
        .with("tls-ca-cert-file", &certificate)
        .with("tls-auth-clients", "no");
    let _server = Server::start(options.password("secret")).unwrap();
    let url = format!("rediss://:secret@localhost:{port}");
    let mut config = Config::new("app", url.parse().unwrap());
    // Nobody of those that the system trusts has signed it.
    assert!(!Doctor::examine(&config).await.is_usable());
    config.roots = Some(made.cert.pem().into_bytes());
    let report = Doctor::examine(&config).await;
    assert!(report.is_durable(), "{}", told(&report));
}

#[tokio::test]
async fn a_slow_server_is_weak_and_loses_nothing() {
    let server = Server::start(Options::default()).unwrap();
    let proxy = Proxy::start(server.address()).unwrap();
    proxy.delay(std::time::Duration::from_millis(25));
    let report = examine(&proxy.url()).await;
    assert!(report.is_durable());
    let slow = report
        .findings
        .iter()
        .find(|one| one.check == "latency of answers");
    assert_eq!(slow.unwrap().verdict, Verdict::Weak);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_of() {
    let mut server = Server::start(Options::default()).unwrap();
    server.kill().unwrap();
    let report = examine(&server.url()).await;
    assert_eq!(report.verdict(), Verdict::Unusable);
    assert!(!report.is_durable() && !report.is_usable());
    assert_eq!(report.findings.len(), 1);
}

fn of(cluster: &Cluster) -> String {
    let hosts = cluster.addresses();
    let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    format!("redis+cluster://{}", hosts.join(","))
}

#[tokio::test]
async fn a_cluster_is_looked_at_as_a_whole_and_each_of_its_servers() {
    let cluster = Cluster::start(3).unwrap();
    let url = of(&cluster);
    let report = examine(&url).await;
    assert!(report.is_durable());
    insta::assert_snapshot!(told(&report), @r"
    layout: weak, Service (a cluster of 3 primaries with 16384 slots)
        3 of them have no replica: when one dies, what it has waits until it is back.
        redis-cli --cluster add-node HOST:PORT HOST:PORT --cluster-slave
    version: well (…)
    role: well (primary (3 servers))
    replicas: well (none (3 servers))
    appendonly: well (yes (3 servers))
    appendfsync: well (always (3 servers))
    files: well (written (3 servers))
    maxmemory: well (…)
    maxmemory-policy: well (noeviction (3 servers))
    rights: well (scripts run, and may use all commands they need)
    latency of answers: …
    latency of writes: …
    ");
    let weak = &cluster.servers()[1];
    weak.ask(&["CONFIG", "SET", "appendfsync", "everysec"])
        .unwrap();
    let report = examine(&url).await;
    assert!(!report.is_durable());
    let finding = report
        .findings
        .iter()
        .find(|one| one.check == "appendfsync")
        .unwrap();
    assert_eq!(finding.server, Some(weak.address().to_string()));
    assert_eq!(finding.verdict, Verdict::Weak);
}

#[tokio::test]
async fn servers_are_what_they_were_asked_for_as() {
    let cluster = Cluster::start(3).unwrap();
    let one = format!("redis://{}", cluster.addresses()[0]);
    insta::assert_snapshot!(complaints(&examine(&one).await), @r"
    layout: unusable, Service (a member of a cluster)
        It has a part of the keys only.
        write redis+cluster://HOST:PORT,HOST:PORT
    ");
    let server = Server::start(Options::default()).unwrap();
    let report = examine(&format!("redis+cluster://{}", server.address())).await;
    assert_eq!(report.verdict(), Verdict::Unusable);
}

#[tokio::test]
async fn a_cluster_that_misses_a_server_is_of_no_use() {
    let mut cluster = Cluster::start(3).unwrap();
    let url = of(&cluster);
    cluster.servers_mut()[2].kill().unwrap();
    let first = cluster.servers()[0].client();
    let mut first = first.unwrap();
    test_redis::until("the cluster misses a server", || {
        Ok(first
            .ask(&["CLUSTER", "INFO"])?
            .contains("cluster_state:fail"))
    })
    .unwrap();
    let report = examine(&url).await;
    assert_eq!(
        report.verdict(),
        Verdict::Unusable,
        "{}",
        complaints(&report)
    );
}

/// Words after `before` in all files below `folder` with this ending.
fn words(folder: &Path, ending: &str, before: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            words(&path, ending, before, found);
        } else if path.extension().is_some_and(|one| one == ending) {
            let text = fs::read_to_string(&path).unwrap();
            let words = text.split(before).skip(1);
            found.extend(
                words
                    .filter_map(|word| word.split(['\'', '"']).next())
                    .map(str::to_owned),
            );
        }
    }
}

#[test]
fn every_command_of_the_scripts_is_tried() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/redis");
    let (mut used, mut tried) = (BTreeSet::new(), BTreeSet::new());
    words(&folder, "lua", "redis.call('", &mut used);
    words(&folder, "rs", "redis::cmd(\"", &mut used);
    words(&folder.join("doctor"), "lua", "try('", &mut tried);
    // What is asked without a script, and is allowed where anything is.
    let plain = ["CLUSTER", "CONFIG", "EVAL", "EVALSHA", "INFO", "PING"].map(str::to_owned);
    tried.extend(plain);
    assert!(used.contains("ZADD") && used.contains("XADD"));
    let missing: Vec<_> = used.difference(&tried).collect();
    assert!(missing.is_empty(), "not tried: {missing:?}");
}
