//! The history of orders: joined from events, with the names of now.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use e2e::{
    Shopper, places,
    shopper::{self, number, text},
    waiting,
};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Shop, World};

const LIST: &str = "/api/v1/order-history?page_size=2";

/// Who may rename products.
const EDITOR: &str = "catalog_editors";

/// An order of the history once `is` holds for it.
async fn shown(
    shopper: &Shopper,
    order: &str,
    what: &str,
    is: fn(&Value) -> bool,
) -> Result<Value> {
    let path = format!("/api/v1/order-history/{order}");
    waiting::until(&format!("{order} is shown {what}"), async || {
        let answer = shopper.client.get(&path).await?;
        if answer.status == 404 {
            // It is on its way, as the answer says.
            assert_eq!(answer.header("retry-after"), Some("1"));
            return Ok(None);
        }
        Ok(Some(answer.is(200)?.json()?).filter(is))
    })
    .await
}

async fn rename(shopper: &Shopper, path: &str, tag: Option<&str>, name: &str) -> Result<u16> {
    let headers: Vec<(&str, &str)> = tag.map(|tag| ("if-match", tag)).into_iter().collect();
    let body = Bytes::from(json!({"name": name}).to_string());
    let answer = shopper.client.ask(Method::PATCH, path, &headers, body);
    Ok(answer.await?.status)
}

fn events(order: &Value) -> Vec<&str> {
    let history = order["history"].as_array().into_iter().flatten();
    history
        .filter_map(|entry| entry["event"].as_str())
        .collect()
}

#[tokio::test]
async fn an_order_is_shown_with_names_and_follows_it_to_its_end() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("bone-dice", 2), ("ale-horn", 1)]).await?;
    let order = text(&egil.order("tok_ok", "IS").await?, "id")?;
    let seen = shown(&egil, &order, "confirmed", |seen| {
        seen["status"] == "confirmed"
    })
    .await?;
    assert_eq!(seen["customer"], json!({"id": egil.id, "name": "egil"}));
    let lines = json!([
        {"sku": "ale-horn", "title": "Ale horn", "quantity": 1,
         "price": {"amount": 3490, "currency": "EUR"}, "amount": {"amount": 3490, "currency": "EUR"}},
        {"sku": "bone-dice", "title": "Set of bone dice", "quantity": 2,
         "price": {"amount": 1290, "currency": "EUR"}, "amount": {"amount": 2580, "currency": "EUR"}},
    ]);
    let mut shown_lines = seen["lines"].as_array().cloned().unwrap_or_default();
    shown_lines.sort_by_key(|line| line["sku"].to_string());
    assert_eq!(json!(shown_lines), lines);
    assert_eq!(number(&seen["total"], "amount")?, 6_070);
    assert_eq!(events(&seen), ["placed", "confirmed"]);

    let cancel = format!("/api/v1/orders/{order}/cancellation");
    egil.client.post(&cancel, &json!({})).await?.is(202)?;
    let seen = shown(&egil, &order, "cancelled", |seen| {
        seen["status"] == "cancelled"
    })
    .await?;
    assert_eq!(
        events(&seen),
        ["placed", "confirmed", "cancellation-requested", "cancelled"]
    );

    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let refused = text(&egil.order("tok_declined", "IS").await?, "id")?;
    let seen = shown(&egil, &refused, "rejected", |seen| {
        seen["status"] == "rejected"
    })
    .await?;
    let reason = text(&seen, "reason")?;
    assert!(reason.contains("the card was declined"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn a_history_is_its_customers_own_and_comes_newest_first() -> Result<()> {
    let world = World::new().await?;
    let (egil, njal) = (world.shopper("egil").await?, world.shopper("njal").await?);
    let mut placed = Vec::new();
    for _ in 0..5 {
        egil.fill_cart(&[("bone-dice", 1)]).await?;
        placed.push(text(&egil.order("tok_ok", "IS").await?, "id")?);
    }
    placed.reverse();
    let seen = waiting::until("all five are shown", async || {
        let all = shopper::all(&egil.client, LIST).await?;
        Ok((all.len() == 5).then_some(all))
    })
    .await?;
    let ids: Vec<String> = seen
        .iter()
        .map(|order| text(order, "id"))
        .collect::<Result<_>>()?;
    assert_eq!(ids, placed);
    assert!(shopper::all(&njal.client, LIST).await?.is_empty());
    let path = format!("/api/v1/order-history/{}", placed[0]);
    njal.client.get(&path).await?.is(404)?;
    world.client.get(&path).await?.is(401)?;
    world.client.get(LIST).await?.is(401)?;
    Ok(())
}

#[tokio::test]
async fn renames_show_through_in_orders_of_before() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("bone-dice", 2)]).await?;
    let order = text(&egil.order("tok_ok", "IS").await?, "id")?;
    shown(&egil, &order, "confirmed", |seen| {
        seen["status"] == "confirmed"
    })
    .await?;

    let me = "/api/v1/users/me";
    assert_eq!(rename(&egil, me, None, "Egil Skallagrimsson").await?, 200);
    let seen = shown(&egil, &order, "with the new name", |seen| {
        seen["customer"]["name"] == "Egil Skallagrimsson"
    })
    .await?;
    assert_eq!(seen["lines"][0]["title"], "Set of bone dice");

    let dice = "/api/v1/products/bone-dice";
    let tag = world.client.get(dice).await?.is(200)?;
    let tag = tag.header("etag").unwrap_or_default().to_owned();
    // Nobody may, unless the operator says who.
    assert_eq!(rename(&egil, dice, Some(&tag), "Honest dice").await?, 403);
    let allowed = Shop::new().with_variable(&format!("{EDITOR}={}", egil.id));
    let world = world.restart(allowed).await?;
    let egil = at(&egil, &world);
    assert_eq!(
        rename(&egil, dice, Some("\"old\""), "Honest dice").await?,
        412
    );
    assert_eq!(rename(&egil, dice, Some(&tag), "Honest dice").await?, 200);
    let seen = shown(&egil, &order, "with the new title", |seen| {
        seen["lines"][0]["title"] == "Honest dice"
    })
    .await?;
    assert_eq!(seen["lines"][0]["ordered_as"], "Set of bone dice");
    let product = world.client.get(dice).await?.is(200)?.json()?;
    assert_eq!(product["name"], "Honest dice");
    Ok(())
}

#[tokio::test]
async fn a_history_builds_itself_from_the_events_of_before_and_again_on_itself() -> Result<()> {
    let world = World::open(without_history()?, TempDir::new()?).await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("bone-dice", 1)]).await?;
    let order = text(&egil.order("tok_ok", "IS").await?, "id")?;
    assert_eq!(
        rename(&egil, "/api/v1/users/me", None, "Egil Skallagrimsson").await?,
        200
    );
    egil.client.get(LIST).await?.is(404)?;

    // From zero, on a log that has all of it.
    let world = world.restart(Shop::new()).await?;
    let egil = at(&egil, &world);
    let complete = |seen: &Value| {
        seen["status"] == "confirmed" && seen["customer"]["name"] == "Egil Skallagrimsson"
    };
    let seen = shown(&egil, &order, "from history", complete).await?;
    assert_eq!(events(&seen), ["placed", "confirmed"]);

    // A subscriber of another name hears everything once more, and finds what the first one has written.
    let again = Shop::new()
        .with_manifest(
            "component = \"order-history\"",
            "component = \"history-again\"",
        )?
        .with_manifest("[component.order-history]", "[component.history-again]")?;
    let world = world.restart(again).await?;
    let egil = at(&egil, &world);
    egil.fill_cart(&[("bone-dice", 1)]).await?;
    let next = text(&egil.order("tok_ok", "IS").await?, "id")?;
    let last = shown(&egil, &next, "after all of before", complete).await?;
    assert_eq!(shown(&egil, &order, "as before", complete).await?, seen);
    assert_eq!(shopper::all(&egil.client, LIST).await?, [last, seen]);
    Ok(())
}

/// The shop before it had a history of orders.
fn without_history() -> Result<Shop> {
    let manifest = std::fs::read_to_string(places::shop())?;
    let (_, rest) = manifest
        .split_once("# --- order-history")
        .context("no history")?;
    let (own, _) = rest.split_once("# --- ").context("nothing after it")?;
    Shop::new().with_manifest(own, "\n")
}

/// The same customer, at a host that was started anew.
fn at(shopper: &Shopper, world: &World) -> Shopper {
    Shopper {
        client: shopper.client.at(&world.client),
        ..shopper.clone()
    }
}
