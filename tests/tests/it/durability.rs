//! Power cuts: whatever was acknowledged is there afterwards, and goes on to its end.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    Host, Shopper, places,
    shopper::{GOOD, text},
    waiting,
};
use tokio::task::JoinSet;

use crate::world::{Ledger, World, all_ended, told_once};

/// Customers who order at the same time.
const SHOPPERS: usize = 64;

/// Acknowledged orders before the power goes: enough that all stages of the road have some.
const BEFORE: usize = 150;

/// Somebody, and the orders that were acknowledged to them.
pub(crate) type Bought = (Shopper, Vec<String>);

/// Registers customers, several at a time.
pub(crate) async fn shoppers(world: &World, count: usize) -> Result<Vec<Shopper>> {
    let mut arriving = JoinSet::new();
    for number in 0..count {
        let client = world.client.clone();
        arriving.spawn(async move { Shopper::new(&client, &format!("shopper-{number}")).await });
    }
    arriving.join_all().await.into_iter().collect()
}

/// Orders one thing after the other until the host does not answer any more.
pub(crate) async fn shop_until_the_lights_go_out(
    shopper: Shopper,
    skus: Arc<[String]>,
    acknowledged: Arc<AtomicUsize>,
) -> Bought {
    let mut orders = Vec::new();
    for turn in 0.. {
        // Different customers want different things at the same time, and some the same.
        let at = (shopper.id.len() + turn * 7 + orders.len()) % skus.len().max(1);
        let Some(sku) = skus.get(at) else { break };
        if shopper.fill_cart(&[(sku, 1)]).await.is_err() {
            break;
        }
        let Ok(answer) = shopper.place(GOOD).await else {
            break;
        };
        if matches!(answer.status, 200 | 202) {
            let Some(order) = answer.json().ok().and_then(|order| text(&order, "id").ok()) else {
                break;
            };
            acknowledged.fetch_add(1, Ordering::Relaxed);
            orders.push(order.clone());
            if shopper.ended(&order).await.is_err() {
                break;
            }
        }
    }
    (shopper, orders)
}

/// Lets customers shop, and waits until some orders were acknowledged.
pub(crate) async fn rush(world: &World) -> Result<JoinSet<Bought>> {
    let skus: Arc<[String]> = world.skus().await?.into();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut rush = JoinSet::new();
    for shopper in shoppers(world, SHOPPERS).await? {
        rush.spawn(shop_until_the_lights_go_out(
            shopper,
            Arc::clone(&skus),
            Arc::clone(&acknowledged),
        ));
    }
    waiting::within(
        waiting::PATIENCE * 2,
        "orders are acknowledged",
        async || Ok((acknowledged.load(Ordering::Relaxed) >= BEFORE).then_some(())),
    )
    .await?;
    Ok(rush)
}

/// Every acknowledged order is there, every order has ended, was told of once and paid as it ended, and no piece is lost.
pub(crate) async fn audit(world: &World, rush: Vec<Bought>) -> Result<Ledger> {
    let mut ledger = Ledger::new();
    for (shopper, acknowledged) in rush {
        // Tokens are as good as before, too.
        let shopper = Shopper {
            client: shopper.client.at(&world.client),
            ..shopper
        };
        let orders = all_ended(&shopper)
            .await
            .with_context(|| shopper.id.clone())?;
        let known: BTreeSet<String> = orders
            .iter()
            .map(|order| text(order, "id"))
            .collect::<Result<_>>()?;
        for order in acknowledged {
            ensure!(
                known.contains(&order),
                "{order} was acknowledged and is lost"
            );
        }
        for order in &orders {
            ledger.enter(&shopper, order).await?;
        }
        told_once(&shopper, &orders)
            .await
            .with_context(|| shopper.id.clone())?;
    }
    ledger.balance(&world.client, &world.skus().await?).await?;
    Ok(ledger)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_under_load_loses_nothing_that_was_acknowledged() -> Result<()> {
    let world = World::new().await?;
    let rush = rush(&world).await?;
    let world = world.lose_power().await?;
    let bought = rush.join_all().await;
    let acknowledged: usize = bought.iter().map(|(_, orders)| orders.len()).sum();
    let ledger = audit(&world, bought).await?;
    assert!(
        ledger.count() >= acknowledged && acknowledged >= BEFORE,
        "{acknowledged} of {}",
        ledger.count()
    );
    assert!(ledger.confirmed > 0);

    // And the shop goes on.
    let late = world.shopper("late").await?;
    late.fill_cart(&[("ale-horn", 1)]).await?;
    assert_eq!(
        late.order("tok_declined", "IS").await?["status"],
        "rejected"
    );
    Ok(())
}

#[tokio::test]
async fn a_restart_changes_nothing() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let order = egil.order("tok_ok", "IS").await?;
    egil.mailbox_of(3).await?;
    egil.fill_cart(&[("bone-comb", 4)]).await?;
    let before = (
        egil.orders().await?,
        egil.cart().await?,
        egil.mailbox().await?,
        world.skus().await?,
    );
    assert_eq!(world.host.stop().await?.code, Some(0));

    let host = Host::start(&places::shop(), world.data.path()).await?;
    let world = World {
        client: host.client(),
        host,
        data: world.data,
    };
    let egil = Shopper {
        client: egil.client.at(&world.client),
        ..egil
    };
    let after = (
        egil.orders().await?,
        egil.cart().await?,
        egil.mailbox().await?,
        world.skus().await?,
    );
    assert_eq!(after, before);
    assert_eq!(world.stock("ale-horn").await?, (99, 0, 1));
    assert_eq!(egil.ended(&text(&order, "id")?).await?, order);
    let credentials = Shopper::log_in(&world.client, &egil.email).await?;
    credentials.get("/api/v1/cart").await?.is(200)?;
    Ok(())
}
