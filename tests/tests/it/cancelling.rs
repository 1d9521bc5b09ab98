//! Orders that their customers do not want any more: before the parcel leaves, after it, and while the checkout is at work.

use anyhow::Result;
use e2e::{
    Shopper,
    shopper::{GOOD, number, text},
    waiting,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::world::{Ledger, Shop, World, history, told_once};

/// Orders whose checkouts race with their cancellations.
const RACES: usize = 50;

/// Wishes to cancel an order.
async fn wish(shopper: &Shopper, order: &str) -> Result<Value> {
    let path = format!("/api/v1/orders/{order}/cancellation");
    shopper
        .client
        .post(&path, &json!({}))
        .await?
        .is(202)?
        .json()
}

/// The order once its history ends so.
async fn comes_to(shopper: &Shopper, order: &str, end: &str) -> Result<Value> {
    let path = format!("/api/v1/orders/{order}");
    waiting::until(&format!("{order} comes to {end}"), async || {
        let order = shopper.client.get(&path).await?.is(200)?.json()?;
        let is_there = history(&order)?.last().is_some_and(|last| last == end);
        Ok(is_there.then_some(order))
    })
    .await
}

/// The books of the whole shop agree with these orders of one customer.
async fn balanced(world: &World, shopper: &Shopper, orders: &[Value]) -> Result<Ledger> {
    let mut ledger = Ledger::new();
    for order in orders {
        ledger.enter(shopper, order).await?;
    }
    ledger.balance(&world.client, &world.skus().await?).await?;
    told_once(shopper, orders).await?;
    Ok(ledger)
}

#[tokio::test]
async fn an_order_that_has_not_left_is_cancelled_whole() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 2)]).await?;
    let order = egil.order("tok_ok", "IS").await?;
    let (id, total) = (text(&order, "id")?, number(&order["total"], "amount")?);
    assert_eq!(world.stock("ale-horn").await?, (98, 0, 2));

    let wished = wish(&egil, &id).await?;
    assert_eq!(wished["status"], "confirmed");
    let order = comes_to(&egil, &id, "cancelled").await?;
    assert_eq!(order["status"], "cancelled");
    assert_eq!(
        history(&order)?,
        ["placed", "confirmed", "cancellation-requested", "cancelled"]
    );
    let money = json!({"authorised": total, "captured": total, "voided": 0, "refunded": total});
    assert_eq!(egil.payment(&id).await?, money);
    let shipment = format!("/api/v1/orders/{id}/shipment");
    let shipment = egil.client.get(&shipment).await?.is(200)?.json()?;
    assert_eq!(shipment["status"], "cancelled");
    assert_eq!(world.stock("ale-horn").await?, (100, 0, 0));
    world.sagas().run("cancel-order", &id, "completed").await?;

    // Once is enough.
    let path = format!("/api/v1/orders/{id}/cancellation");
    let again = egil.client.post(&path, &json!({})).await?.is(409)?.json()?;
    insta::assert_snapshot!(text(&again, "detail")?, @"the order was cancelled");
    balanced(&world, &egil, &[order]).await?;
    Ok(())
}

#[tokio::test]
async fn an_order_that_has_left_stays_as_it_is() -> Result<()> {
    let leaves_at_once = Shop::new().with_variable("dispatch_after=0");
    let world = World::open(leaves_at_once, TempDir::new()?).await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 2)]).await?;
    let order = egil.order("tok_ok", "IS").await?;
    let id = text(&order, "id")?;
    let before = (egil.payment(&id).await?, world.stock("ale-horn").await?);

    wish(&egil, &id).await?;
    let order = comes_to(&egil, &id, "cancellation-refused").await?;
    assert_eq!(order["status"], "confirmed");
    let told = order["history"].as_array().and_then(|all| all.last());
    insta::assert_snapshot!(told.map_or("", |last| last["reason"].as_str().unwrap_or_default()), @"It is on its way already.");
    let after = (egil.payment(&id).await?, world.stock("ale-horn").await?);
    assert_eq!(after, before);
    let shipment = format!("/api/v1/orders/{id}/shipment");
    let shipment = egil.client.get(&shipment).await?.is(200)?.json()?;
    assert_eq!(shipment["status"], "shipped");
    world.sagas().run("cancel-order", &id, "completed").await?;
    balanced(&world, &egil, &[order]).await?;
    Ok(())
}

#[tokio::test]
async fn an_order_of_somebody_else_cannot_be_cancelled() -> Result<()> {
    let world = World::new().await?;
    let (egil, skalla) = (world.shopper("egil").await?, world.shopper("skalla").await?);
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let order = egil.order("tok_ok", "IS").await?;
    let path = format!("/api/v1/orders/{}/cancellation", text(&order, "id")?);
    skalla.client.post(&path, &json!({})).await?.is(404)?;
    world.client.post(&path, &json!({})).await?.is(401)?;
    assert_eq!(egil.orders().await?, [order]);
    Ok(())
}

/// Places an order, takes it back at once, and answers with its id.
async fn regret(shopper: Shopper) -> Result<(Shopper, String)> {
    let placed = shopper.place(GOOD).await?.is(202)?.json()?;
    let id = text(&placed, "id")?;
    wish(&shopper, &id).await?;
    Ok((shopper, id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_that_races_with_the_checkout_ends_in_one_of_two_ways() -> Result<()> {
    let world = World::new().await?;
    let crowd = world
        .crowd(RACES, |_| vec![("ale-horn".to_owned(), 1)])
        .await?;
    let mut racing: JoinSet<_> = crowd.into_iter().map(regret).collect();
    let mut raced = Vec::new();
    while let Some(race) = racing.join_next().await {
        raced.push(race??);
    }
    // The first wait is for the events that begin runs, the second for the runs.
    for (shopper, id) in &raced {
        comes_to(shopper, id, "cancelled").await?;
        world.sagas().run("checkout", id, "completed").await?;
        world.sagas().run("cancel-order", id, "completed").await?;
    }
    let mut ledger = Ledger::new();
    let mut confirmed_first = 0;
    for (shopper, id) in &raced {
        let order = comes_to(shopper, id, "cancelled").await?;
        let history = history(&order)?;
        // The checkout came first and was undone after it, or the wish came first and it undid itself.
        let was_confirmed = history.iter().any(|event| event == "confirmed");
        confirmed_first += usize::from(was_confirmed);
        assert_eq!(history.len(), 3 + usize::from(was_confirmed), "{history:?}");
        ledger.enter(shopper, &order).await?;
        told_once(shopper, &[order]).await?;
    }
    crate::world::say(&format!(
        "{confirmed_first} of {RACES} were confirmed first"
    ));
    assert_eq!(ledger.cancelled, RACES);
    ledger.balance(&world.client, &world.skus().await?).await
}
