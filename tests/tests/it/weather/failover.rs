//! Servers that take the place of others while hosts go on: a replica that lagged, and primaries of a cluster.

use anyhow::{Result, ensure};
use e2e::{Host, Sagas, shopper::text, waiting};
use serde_json::Value;
use tempfile::TempDir;
use test_redis::{Cluster, Options, Proxy, Server};

use super::{Rain, SOME, forget, look_at_the_parked};
use crate::{
    durability::customers,
    nodes::all_is_right,
    world::{Shop, World, say},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lags_takes_over_while_the_host_goes_on() -> Result<()> {
    let coast = super::Coast::new().await?;
    let rain = coast.rain().await?;
    let mut replica = coast.redis.replica(Options::default())?;
    rain.orders(SOME).await?;
    replica.promote()?;
    // All of these are acknowledged, and lost.
    rain.orders(2 * SOME).await?;
    coast.line.lead_to(replica.address());
    rain.orders(SOME).await?;
    let mut customers = rain.over().await?;
    let regressed = look_at_the_parked(&coast.world).await?;
    let lost = forget(&coast.world, &mut customers).await?;
    say(&format!(
        "{lost} orders were lost, {regressed} runs had got further"
    ));
    ensure!(lost > 0 && regressed > 0, "the replica did not lag");
    all_is_right(&coast.world, customers).await?;
    Ok(())
}

/// Two nodes on a server that has a replica, which they were told to accept, and a run that the first node carries.
struct Pair {
    line: Proxy,
    primary: Server,
    replica: Server,
    first: World,
    second: Host,
    /// Of the second.
    data: TempDir,
    run: String,
}

impl Pair {
    async fn new() -> Result<Self> {
        let primary = Server::start(Options::default())?;
        let replica = primary.replica(Options::default())?;
        let line = Proxy::start(primary.address())?;
        let args = ["--redis", &line.url(), "--accept-redis-durability"];
        let shop = Shop::new().with_args(&args);
        let first = World::open(shop, tempfile::tempdir()?).await?;
        let egil = first.shopper("egil").await?;
        egil.fill_cart(&[("ale-horn", 1)]).await?;
        let order = text(&egil.order("tok_ok", "IS").await?, "id")?;
        let path = format!("/api/v1/orders/{order}/return");
        let wish = serde_json::json!({"reason": "too small"});
        egil.client.post(&path, &wish).await?.is(202)?;
        let run = first.sagas().run("return-order", &order, "running").await?;
        let sagas = first.sagas();
        waiting::until("the run waits", async || {
            let why = sagas.say(&["why", &run]).await?;
            Ok(why.contains("wait for signal").then_some(()))
        })
        .await?;
        let data = tempfile::tempdir()?;
        let second = first.shop.start(&data).await?;
        Ok(Self {
            line,
            primary,
            replica,
            first,
            second,
            data,
            run,
        })
    }

    /// The replica has all that there is, and copies no more.
    fn part(&mut self) -> Result<()> {
        let mut client = self.primary.client()?;
        client.ask(&["SET", "last", "word"])?;
        let copies = client.ask(&["WAIT", "1", "10000"])?;
        ensure!(copies == "1", "{copies} have it");
        Ok(self.replica.promote()?)
    }

    /// The runs, as the second node knows them.
    fn sagas(&self) -> Sagas {
        Sagas::new(&self.first.shop.manifest, self.data.path())
    }
}

/// Waits until a run stands so. Whoever is asked may be without its server for a moment.
async fn stands(sagas: &Sagas, run: &str, standing: &str) -> Result<()> {
    waiting::until(&format!("{run} is {standing}"), async || {
        let view = sagas.show(run).await.unwrap_or_default();
        let now = view.pointer("/row/standing").and_then(Value::as_str);
        Ok((now == Some(standing)).then_some(()))
    })
    .await
}

/// Gives the run what it waits for, as soon as somebody carries it, and waits for its end.
async fn decide(sagas: &Sagas, run: &str) -> Result<()> {
    let decision = r#"{"approved":true}"#;
    let signal = ["signal", run, "decision", "--data", decision];
    waiting::until("the signal is taken", async || {
        Ok(sagas.say(&signal).await.ok())
    })
    .await?;
    stands(sagas, run, "completed").await
}

#[tokio::test]
async fn a_run_is_not_carried_on_blindly_whose_node_died_with_the_server_that_had_its_end()
-> Result<()> {
    let mut pair = Pair::new().await?;
    pair.part()?;
    // This is acknowledged, and lost; and nobody is left who knows of it.
    decide(&pair.first.sagas(), &pair.run).await?;
    let sagas = pair.sagas();
    pair.first.host.kill().await?;
    pair.line.lead_to(pair.replica.address());
    stands(&sagas, &pair.run, "parked").await?;
    let why = sagas.say(&["why", &pair.run]).await?;
    ensure!(why.contains("the store is on other servers"), "{why}");
    // A person has looked.
    sagas.say(&["retry", &pair.run]).await?;
    decide(&sagas, &pair.run).await?;
    drop(pair.second);
    Ok(())
}

#[tokio::test]
async fn a_run_is_carried_on_whose_node_has_seen_that_another_server_has_all_of_it() -> Result<()> {
    let mut pair = Pair::new().await?;
    pair.part()?;
    pair.line.lead_to(pair.replica.address());
    let server = pair.replica.ask(&["INFO", "server"])?;
    let is_id = |line: &&str| line.starts_with("run_id:");
    let id = server.lines().find(is_id).unwrap_or("none").to_owned();
    waiting::until("both nodes have looked", async || {
        let vouched = pair
            .replica
            .ask(&["HVALS", "skald:shop:{$nodes}:vouched"])?;
        Ok((vouched.matches(&id).count() >= 2).then_some(()))
    })
    .await?;
    let sagas = pair.sagas();
    pair.first.host.kill().await?;
    // Parked, it would not take the signal up.
    decide(&sagas, &pair.run).await?;
    drop(pair.second);
    Ok(())
}

/// A shop on a cluster, and customers in it.
async fn on_cluster(cluster: &Cluster) -> Result<(World, Rain)> {
    let hosts = cluster.addresses();
    let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    let url = format!("redis+cluster://{}", hosts.join(","));
    let shop = Shop::new().with_args(&["--redis", &url, "--accept-redis-durability"]);
    let world = World::open(shop, tempfile::tempdir()?).await?;
    let customers = customers(&world).await?;
    let rain = Rain::new(&world, &world.client, customers).await?;
    rain.orders(SOME).await?;
    Ok((world, rain))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_of_a_cluster_that_dies_and_comes_back_loses_nothing() -> Result<()> {
    let mut cluster = Cluster::start(3)?;
    let (world, rain) = on_cluster(&cluster).await?;
    for server in cluster.servers_mut() {
        server.kill()?;
        rain.refusals(1).await?;
        server.restart()?;
        rain.orders(SOME).await?;
    }
    let customers = rain.over().await?;
    all_is_right(&world, customers).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_of_a_cluster_hands_over_to_its_replica() -> Result<()> {
    let cluster = Cluster::start(3)?;
    let replica = cluster.replica(0)?;
    let (world, rain) = on_cluster(&cluster).await?;
    // The primary waits until the replica has all that it has.
    replica.ask(&["CLUSTER", "FAILOVER"])?;
    waiting::until("the replica has taken over", async || {
        let info = replica.ask(&["INFO", "replication"])?;
        Ok(info.contains("role:master").then_some(()))
    })
    .await?;
    rain.orders(2 * SOME).await?;
    let customers = rain.over().await?;
    all_is_right(&world, customers).await?;
    Ok(())
}
