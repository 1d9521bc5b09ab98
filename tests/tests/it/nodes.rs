//! Several nodes on one Redis: they share the work, and losing one of them, or Redis for a while, loses nothing.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    Client, Host, Shopper,
    shopper::{GOOD, text},
    waiting,
};
use tempfile::TempDir;
use test_redis::{Options, Server};
use tokio::time::{Instant, sleep};

use crate::{
    durability::{Customer, audit, customers, rush},
    world::{Ledger, Shop, World, say},
};

/// How long a node counts as alive after it has last said so.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// A Redis, and the first node on it.
struct Shared {
    redis: Server,
    world: World,
}

impl Shared {
    async fn new() -> Result<Self> {
        let redis = Server::start(Options::default())?;
        let shop = Shop::new().with_args(&["--redis", &redis.url()]);
        let world = World::open(shop, tempfile::tempdir()?).await?;
        Ok(Self { redis, world })
    }

    /// Another node.
    async fn join(&self) -> Result<(Host, TempDir)> {
        let data = tempfile::tempdir()?;
        let host = self.world.shop.start(&data).await?;
        Ok((host, data))
    }
}

fn acknowledged(customers: &[Customer]) -> usize {
    customers.iter().map(|one| one.acknowledged.len()).sum()
}

/// What every test here comes to: all that was acknowledged is there, has ended, and is right.
pub(crate) async fn all_is_right(world: &World, customers: Vec<Customer>) -> Result<Ledger> {
    let (count, start) = (acknowledged(&customers), Instant::now());
    let ledger = audit(world, customers).await?;
    say(&format!(
        "{count} acknowledged orders are right after {:?}",
        start.elapsed()
    ));
    ensure!(ledger.count() >= count, "{count} of {}", ledger.count());
    ensure!(ledger.confirmed > 0 && ledger.rejected > 0 && ledger.cancelled > 0);
    Ok(ledger)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_under_load_loses_nothing() -> Result<()> {
    let shared = Shared::new().await?;
    let customers = customers(&shared.world).await?;
    let (second, _data) = shared.join().await?;
    let rush = rush(&second.client(), &shared.world, customers).await?;
    second.kill().await?;
    let customers = rush.join_all().await;
    all_is_right(&shared.world, customers).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_sleeps_past_its_lease_does_nothing_twice() -> Result<()> {
    let shared = Shared::new().await?;
    let customers = customers(&shared.world).await?;
    let (second, _data) = shared.join().await?;
    let rush = rush(&second.client(), &shared.world, customers).await?;
    second.pause()?;
    sleep(LEASE * 2 + Duration::from_secs(1)).await;
    second.resume()?;
    sleep(LEASE).await;
    second.kill().await?;
    let customers = rush.join_all().await;
    all_is_right(&shared.world, customers).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_dies_under_load_loses_nothing_that_was_acknowledged() -> Result<()> {
    let mut shared = Shared::new().await?;
    let customers = customers(&shared.world).await?;
    let rush = rush(&shared.world.client, &shared.world, customers).await?;
    shared.redis.kill()?;
    sleep(Duration::from_millis(500)).await;
    shared.redis.restart()?;
    let late = waiting::within(waiting::PATIENCE, "the shop goes on", async || {
        let name = format!("late-{}", e2e::shopper::new_key());
        Ok(shared.world.shopper(&name).await.ok())
    })
    .await?;
    waiting::until("orders are taken again", async || {
        let filled = late.fill_cart(&[("ale-horn", 1)]).await.is_ok();
        Ok(filled.then_some(()))
    })
    .await?;
    // The lights go out so that the customers stop.
    let world = shared.world.lose_power().await?;
    let customers = rush.join_all().await;
    all_is_right(&world, customers).await?;
    Ok(())
}

#[tokio::test]
async fn two_nodes_are_one_shop() -> Result<()> {
    let shared = Shared::new().await?;
    let (second, data) = shared.join().await?;
    let egil = shared.world.shopper("egil").await?;
    let there = Shopper {
        client: egil.client.at(&second.client()),
        ..egil.clone()
    };
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let key = e2e::shopper::new_key();
    let order = e2e::Order {
        key: Some(&key),
        ..GOOD
    };
    let placed = there.place(order).await?.is(202)?.json()?;
    // The key is known to every node.
    let again = egil.place(order).await?.is(202)?.json()?;
    assert_eq!(again["id"], placed["id"]);
    let id = text(&placed, "id")?;
    assert_eq!(egil.ended(&id).await?["status"], "confirmed");
    assert_eq!(there.orders().await?, egil.orders().await?);
    // Each node tells of each run, whoever carries it.
    let runs = shared.world.sagas().list(&[]).await?;
    let second_sagas = e2e::Sagas::new(&shared.world.shop.manifest, data.path());
    assert_eq!(second_sagas.list(&[]).await?, runs);
    let ended = second.stop().await?;
    ensure!(ended.code == Some(0), "{}", ended.log);
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    assert_eq!(egil.order("tok_ok", "IS").await?["status"], "confirmed");
    Ok(())
}

#[tokio::test]
async fn a_journal_that_lost_its_end_is_parked_and_not_run_again() -> Result<()> {
    let mut shared = Shared::new().await?;
    let egil = shared.world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let order = egil.order("tok_ok", "IS").await?;
    let id = text(&order, "id")?;
    let sagas = shared.world.sagas();
    let path = format!("/api/v1/orders/{id}/return");
    let wish = serde_json::json!({"reason": "too small"});
    egil.client.post(&path, &wish).await?.is(202)?;
    let run = sagas.run("return-order", &id, "running").await?;
    waiting::until("the run waits", async || {
        let why = sagas.say(&["why", &run]).await?;
        Ok(why.contains("wait for signal").then_some(()))
    })
    .await?;
    let backup = shared.redis.back_up()?;
    let decision = r#"{"approved":true}"#;
    sagas
        .say(&["signal", &run, "decision", "--data", decision])
        .await?;
    sagas.stands(&run, "completed").await?;
    let ended = shared.world.host.stop().await?;
    ensure!(ended.code == Some(0), "{}", ended.log);
    shared.redis.restore(&backup)?;
    let world = World::open(shared.world.shop, shared.world.data).await?;
    world.sagas().stands(&run, "parked").await?;
    let why = world.sagas().say(&["why", &run]).await?;
    assert!(
        why.contains("the store has lost the end of the journal"),
        "{why}"
    );
    Ok(())
}

#[tokio::test]
async fn strangers_hear_the_shop_and_the_shop_hears_strangers() -> Result<()> {
    let shared = Shared::new().await?;
    let (_second, _data) = shared.join().await?;
    let egil = shared.world.shopper("egil").await?;
    // As any program would, on the channel that the notifications listen to.
    let id = egil.id.clone();
    let message = serde_json::json!({
        "specversion": "1.0", "id": "evt_stranger", "source": "/stranger", "type": "shop.order.rejected.v1",
        "time": "2026-01-01T00:00:00Z", "subject": "ord_stranger", "datacontenttype": "application/json",
        "data": {"order": "ord_stranger", "user": id, "reason": "A stranger says so."},
    });
    let message = message.to_string();
    // Whoever listens gets it: both nodes, and it counts once. A second message of the same id is the same.
    for _ in 0..2 {
        shared
            .redis
            .ask(&["PUBLISH", "shop.order.rejected.v1", &message])?;
    }
    let mailbox = egil.mailbox_of(2).await?;
    let told = |mailbox: &[serde_json::Value]| {
        let is_told = |entry: &&serde_json::Value| entry["text"].to_string().contains("stranger");
        mailbox.iter().filter(is_told).count()
    };
    assert_eq!(told(&mailbox), 1, "{mailbox:#?}");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(told(&egil.mailbox().await?), 1);
    Ok(())
}

/// What the front serves; the back serves the rest.
const FRONT: &str = "identity,catalog,cart,orders,notifications,order-history";
const BACK: &str = "inventory,payments,psp,shipping,fraud,audit,checkout,cancel-order,return-order";

/// Waits until the first data is laid out.
async fn filled(world: &World) -> Result<()> {
    waiting::until("the shelves are filled", async || {
        let skus = world.skus().await?;
        let mut filled = skus.len() >= 24;
        for sku in &skus {
            let path = format!("/api/v1/stock/{sku}");
            filled &= world.client.get(&path).await?.status == 200;
        }
        Ok(filled.then_some(()))
    })
    .await
}

/// Waits until a customer's token is good at each door.
async fn let_in(shopper: &Shopper, doors: &[&Client]) -> Result<()> {
    for door in doors {
        let there = shopper.client.at(door);
        waiting::until("tokens are good everywhere", async || {
            Ok((there.get("/api/v1/cart").await?.status == 200).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Waits until the back is reached again: a node that was away is tried before it is trusted.
async fn reached(shopper: &Shopper, order: &str) -> Result<()> {
    let payment = format!("/api/v1/orders/{order}/payment");
    waiting::until("the back is reached again", async || {
        let answer = shopper.client.get(&payment).await?;
        Ok((answer.status == 200).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_serve_parts_of_it_are_one_shop() -> Result<()> {
    let redis = Server::start(Options::default())?;
    let part = |only: &str| Shop::new().with_args(&["--redis", &redis.url(), "--only", only]);
    // The first start lays out the data, for which it takes both.
    let (front_data, back_data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (front, back) = (part(FRONT), part(BACK));
    let (host, back) = tokio::try_join!(front.start(&front_data), back.start(&back_data))?;
    let world = World {
        client: host.client(),
        host,
        data: front_data,
        shop: front,
    };
    filled(&world).await?;
    let egil = world.shopper("egil").await?;
    // Each gateway has learned the keys of tokens from the node that makes them.
    let_in(&egil, &[&world.client, &back.client()]).await?;
    let mut ledger = Ledger::new();
    for (at, token, expected) in [
        (&world.client, "tok_ok", "confirmed"),
        (&back.client(), "tok_declined", "rejected"),
        (&back.client(), "tok_flaky", "confirmed"),
    ] {
        let egil = Shopper {
            client: egil.client.at(at),
            ..egil.clone()
        };
        egil.fill_cart(&[("ale-horn", 1)]).await?;
        let order = egil.order(token, "IS").await?;
        assert_eq!(order["status"], expected);
        ledger.enter(&egil, &order).await?;
    }
    // Both tell who there is, and what each serves.
    let admin = world.sagas().client()?;
    let nodes = admin.get("/admin/v1/nodes").await?.is(200)?.text();
    assert!(
        nodes.contains("checkout") && nodes.contains("identity"),
        "{nodes}"
    );
    // Nobody serves the back any more: what needs it is refused, and nothing is half done.
    let ended = back.stop().await?;
    ensure!(ended.code == Some(0), "{}", ended.log);
    let refused = world.client.get("/api/v1/stock/ale-horn").await?;
    assert_eq!(refused.status, 503, "{}", refused.text());
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let placed = egil.place(GOOD).await?.is(202)?.json()?;
    let back = part(BACK).start(&back_data).await?;
    let order = egil.ended(&text(&placed, "id")?).await?;
    assert_eq!(order["status"], "confirmed");
    reached(&egil, &text(&order, "id")?).await?;
    ledger.enter(&egil, &order).await?;
    waiting::until("the books agree", async || {
        Ok(ledger
            .balance(&world.client, &["ale-horn".to_owned()])
            .await
            .ok())
    })
    .await?;
    drop(back);
    Ok(())
}
