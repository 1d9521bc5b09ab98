//! A thousand customers who want the same few things at the same moment.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    Order, Shopper,
    shopper::{GOOD, new_key, text},
    waiting,
};
use serde_json::Value;
use tokio::{sync::Barrier, task::JoinSet, time::Instant};

use crate::world::{Ledger, World, say, told_once};

/// Customers, each with one order.
const CROWD: usize = 1_000;

/// What they all want.
const HOT: usize = 20;

/// How long the host may take until the last order has ended.
const PATIENCE: Duration = Duration::from_secs(90);

/// Orders as a client should: what was not taken for lack of room is sent again under the same key.
async fn order(shopper: &Shopper) -> Result<String> {
    let key = new_key();
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = shopper
            .place(Order {
                key: Some(&key),
                ..GOOD
            })
            .await?;
        match answer.status {
            202 => return text(&answer.json()?, "id"),
            503 | 409 if Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            _ => bail!("{answer:?}"),
        }
    }
}

/// All of them at the same moment; answers who has which order.
async fn order_at_once(crowd: Vec<Shopper>) -> Result<Vec<(Shopper, String)>> {
    let gate = Arc::new(Barrier::new(crowd.len()));
    let mut orders = JoinSet::new();
    for shopper in crowd {
        let gate = Arc::clone(&gate);
        orders.spawn(async move {
            gate.wait().await;
            let order = order(&shopper).await?;
            Ok((shopper, order))
        });
    }
    orders.join_all().await.into_iter().collect()
}

/// The order once it has ended; a crowd takes longer than one customer.
async fn ended(shopper: &Shopper, order: &str) -> Result<Value> {
    let path = format!("/api/v1/orders/{order}");
    waiting::within(PATIENCE, "an order has ended", async || {
        let order = shopper.client.get(&path).await?.is(200)?.json()?;
        Ok((order["status"] != "pending").then_some(order))
    })
    .await
    .with_context(|| order.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_at_once_over_twenty_products_keep_every_account() -> Result<()> {
    let world = World::new().await?;
    let skus = world.skus().await?;
    let start = Instant::now();
    let hot: Vec<String> = skus.iter().take(HOT).cloned().collect();
    // Together they want about twice of what there is.
    let wanted = move |number: usize| {
        let sku = |at: usize| hot[at % HOT].clone();
        vec![
            (sku(number), [1, 2, 3][number % 3]),
            (sku(number * 7 + 3), 2),
        ]
    };
    let crowd = world.crowd(CROWD, wanted).await?;
    say(&format!(
        "{CROWD} customers are here after {:?}",
        start.elapsed()
    ));

    let start = Instant::now();
    let placed = order_at_once(crowd).await?;
    say(&format!(
        "all orders are placed after {:?}",
        start.elapsed()
    ));
    let mut ledger = Ledger::new();
    for (shopper, order) in &placed {
        ledger.enter(shopper, &ended(shopper, order).await?).await?;
        ensure!(shopper.orders().await?.len() == 1, "one key, one order");
    }
    say(&format!(
        "all have ended and were looked at after {:?}",
        start.elapsed()
    ));
    let memory = world.host.memory()? >> 20;
    say(&format!(
        "{} confirmed, {} rejected, {memory} MiB",
        ledger.confirmed, ledger.rejected
    ));

    ledger.balance(&world.client, &skus).await?;
    assert_eq!(ledger.count(), CROWD);
    assert!(
        ledger.confirmed > 0 && ledger.rejected > 0,
        "there is not enough for all"
    );
    // An order takes all or nothing, so that some of everything may be left; most of it is not.
    for sku in skus.iter().take(HOT) {
        let (available, ..) = world.stock(sku).await?;
        assert!(available < 50, "{available} of {sku} are left");
    }
    for (shopper, order) in placed.iter().step_by(100) {
        told_once(shopper, &[shopper.ended(order).await?]).await?;
    }
    Ok(())
}
