//! A thousand customers who want the same few things at the same moment.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    Order, Shopper,
    shopper::{GOOD, new_key, text},
    waiting,
};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_at_once_over_twenty_products_keep_every_account() -> Result<()> {
    let world = World::new().await?;
    let skus = world.skus().await?;
    let start = Instant::now();
    // Together they want about twice of what there is.
    let hot: Vec<String> = skus.iter().take(HOT).cloned().collect();
    let crowd = world
        .crowd(CROWD, move |number| {
            let sku = |at: usize| hot[at % HOT].clone();
            let quantity = [1, 2, 3][number % 3];
            vec![(sku(number), quantity), (sku(number * 7 + 3), 2)]
        })
        .await?;
    say(&format!(
        "{CROWD} customers are here after {:?}",
        start.elapsed()
    ));

    let start = Instant::now();
    let gate = Arc::new(Barrier::new(CROWD));
    let mut orders = JoinSet::new();
    for shopper in crowd {
        let gate = Arc::clone(&gate);
        orders.spawn(async move {
            gate.wait().await;
            let order = order(&shopper).await?;
            Ok::<_, anyhow::Error>((shopper, order))
        });
    }
    let placed: Vec<_> = orders.join_all().await.into_iter().collect::<Result<_>>()?;
    say(&format!(
        "all orders are placed after {:?}",
        start.elapsed()
    ));

    let mut ledger = Ledger::new();
    for (shopper, order) in &placed {
        let path = format!("/api/v1/orders/{order}");
        let ended = waiting::within(PATIENCE, "an order has ended", async || {
            let order = shopper.client.get(&path).await?.is(200)?.json()?;
            Ok((order["status"] != "pending").then_some(order))
        })
        .await
        .with_context(|| order.clone())?;
        ledger.enter(shopper, &ended).await?;
        ensure!(shopper.orders().await?.len() == 1, "one key, one order");
    }
    say(&format!("all have ended after {:?}", start.elapsed()));
    ledger.balance(&world.client, &skus).await?;
    assert_eq!(ledger.confirmed + ledger.rejected, CROWD);
    say(&format!(
        "{} confirmed, {} rejected, {} MiB",
        ledger.confirmed,
        ledger.rejected,
        world.host.memory()? >> 20
    ));
    assert!(
        ledger.confirmed > 0 && ledger.rejected > 0,
        "there is not enough for all"
    );
    // Nobody was turned away while there was something left for them: the last pieces are few.
    for sku in skus.iter().take(HOT) {
        let (available, ..) = world.stock(sku).await?;
        assert!(available < 100, "nobody got any {sku}");
    }
    for (shopper, order) in placed.iter().step_by(100) {
        told_once(shopper, &[shopper.ended(order).await?]).await?;
    }
    Ok(())
}
