//! Starting where another runs, and stopping while there is work.

use anyhow::Result;
use e2e::{
    Host, Order, places, redact,
    shopper::{GOOD, text},
    skald,
};

use tokio::time::Instant;

use crate::{
    durability::{audit, customers, rush},
    world::{World, say},
};

#[tokio::test]
async fn data_belongs_to_one_host_at_a_time() -> Result<()> {
    let world = World::new().await?;
    let data = world.data.path().to_string_lossy().into_owned();
    let second = skald(
        "up",
        &places::shop(),
        &["--listen", "127.0.0.1:0", "--data-dir", &data],
    )
    .await?;
    assert_ne!(second.code, Some(0));
    assert!(!second.stdout.contains("Serving"), "{second:?}");
    let complaint = second.stderr.lines().last().unwrap_or_default();
    insta::assert_snapshot!(redact::message(complaint, world.data.path()), @"error: the data in [root] is in use by another process; stop that process, or choose another data directory");
    // The first one does not mind.
    world.client.get("/api/v1/products").await?.is(200)?;
    world.host.kill().await?;
    let third = Host::start(&places::shop(), world.data.path()).await?;
    assert_eq!(third.stop().await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_request_that_runs_when_the_host_stops_is_answered() -> Result<()> {
    let mut world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    // The wait for a slow payment is long enough to fall into the stop.
    let waiting = {
        let egil = egil.clone();
        let mut asked = tokio::task::JoinSet::new();
        asked.spawn(async move {
            egil.place(Order {
                token: "tok_slow",
                prefer: Some("wait=20"),
                ..GOOD
            })
            .await
        });
        asked
    };
    let order = e2e::waiting::until("the order is placed", async || {
        egil.orders()
            .await?
            .first()
            .map(|order| text(order, "id"))
            .transpose()
    })
    .await?;
    world.host.terminate()?;
    for answer in waiting.join_all().await {
        let answer = answer?;
        assert!(matches!(answer.status, 200 | 202), "{answer:?}");
        assert_eq!(text(&answer.json()?, "id")?, order);
    }
    assert_eq!(world.host.ended().await?.code, Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_is_orderly_and_loses_nothing() -> Result<()> {
    let mut world = World::new().await?;
    let customers = customers(&world).await?;
    let rush = rush(&world.client, &world, customers).await?;
    let start = Instant::now();
    world.host.terminate()?;
    let ended = world.host.ended().await?;
    say(&format!("stopped in {:?}", start.elapsed()));
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    let bought = rush.join_all().await;
    let host = Host::start(&places::shop(), world.data.path()).await?;
    let world = World {
        client: host.client(),
        host,
        data: world.data,
        shop: world.shop,
    };
    assert!(audit(&world, bought).await?.confirmed > 0);
    Ok(())
}
