//! Orders that do not look like their customer's: nothing is charged, nothing is kept, and nobody learns why.

use anyhow::Result;
use e2e::{
    Shopper,
    shopper::{number, text},
    waiting,
};
use serde_json::{Value, json};

use crate::world::{Ledger, Shop, World, told_once};

/// What a customer whose order is declined is told, whatever was found.
const NOT_ACCEPTED: &str = "The order could not be accepted.";

/// Orders one ale horn, which costs 34.90.
async fn horn(shopper: &Shopper, token: &str) -> Result<Value> {
    shopper.fill_cart(&[("ale-horn", 1)]).await?;
    shopper.order(token, "IS").await
}

/// What the screening of an order said, as the shop's people see it.
async fn screening(world: &World, order: &Value) -> Result<String> {
    let sagas = world.sagas();
    let run = sagas
        .run("checkout", &text(order, "id")?, "completed")
        .await?;
    Ok(sagas.show(&run).await?.to_string())
}

fn is_declined(order: &Value) -> bool {
    order["status"] == "rejected" && order["reason"] == NOT_ACCEPTED
}

#[tokio::test]
async fn an_order_above_the_limit_is_rejected_before_any_money_moves() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    // 30 lyres at 349.00 are more than the 10,000.00 that an order may cost.
    egil.fill_cart(&[("lyre-oak", 30)]).await?;
    let large = egil.order("tok_ok", "IS").await?;
    assert!(number(&large["total"], "amount")? > 1_000_000);
    assert!(is_declined(&large), "{large}");
    let nothing = json!({"authorised": 0, "captured": 0, "voided": 0, "refunded": 0});
    assert_eq!(egil.payment(&text(&large, "id")?).await?, nothing);
    assert_eq!(world.stock("lyre-oak").await?, (100, 0, 0));
    assert_eq!(egil.cart().await?["lines"][0]["quantity"], 30);
    let told = screening(&world, &large).await?;
    assert!(told.contains("above-limit"), "{told}");
    let mail = egil.mailbox_of(3).await?;
    assert_eq!(
        text(&mail[0], "text")?,
        format!(
            "We could not fulfil your order {}: The order could not be accepted.",
            text(&large, "id")?
        )
    );

    // Who takes less is welcome: what was declined is not held against them.
    egil.fill_cart(&[("lyre-oak", 1)]).await?;
    let small = egil.order("tok_ok", "IS").await?;
    assert_eq!(small["status"], "confirmed", "{small}");
    let mut ledger = Ledger::new();
    ledger.enter(&egil, &large).await?;
    ledger.enter(&egil, &small).await?;
    ledger.balance(&world.client, &world.skus().await?).await?;
    told_once(&egil, &[large, small]).await
}

#[tokio::test]
async fn a_customer_who_orders_too_often_is_stopped_and_others_are_not() -> Result<()> {
    let shop = Shop::new().with_variable("fraud_orders=2");
    let world = World::open(shop, tempfile::tempdir()?).await?;
    let (egil, skalla) = (world.shopper("egil").await?, world.shopper("skalla").await?);
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(horn(&egil, "tok_ok").await?);
    }
    assert_eq!(orders[0]["status"], "confirmed");
    assert_eq!(orders[1]["status"], "confirmed");
    assert!(is_declined(&orders[2]), "{}", orders[2]);
    let told = screening(&world, &orders[2]).await?;
    assert!(told.contains("many-orders"), "{told}");
    let other = horn(&skalla, "tok_ok").await?;
    assert_eq!(other["status"], "confirmed", "{other}");

    let mut ledger = Ledger::new();
    for order in &orders {
        ledger.enter(&egil, order).await?;
    }
    ledger.enter(&skalla, &other).await?;
    ledger.balance(&world.client, &world.skus().await?).await?;
    assert_eq!(world.stock("ale-horn").await?, (97, 0, 3));
    told_once(&egil, &orders).await
}

#[tokio::test]
async fn what_a_failed_checkout_was_to_cost_is_not_spent() -> Result<()> {
    // Two horns may be bought, and no third.
    let shop = Shop::new().with_variable("fraud_spending=7000");
    let world = World::open(shop, tempfile::tempdir()?).await?;
    let egil = world.shopper("egil").await?;
    let mut ends = Vec::new();
    for token in ["tok_declined", "tok_ok", "tok_declined", "tok_ok", "tok_ok"] {
        let order = horn(&egil, token).await?;
        let word = if is_declined(&order) {
            "declined"
        } else {
            order["status"].as_str().unwrap_or_default()
        };
        ends.push(word.to_owned());
    }
    assert_eq!(
        ends,
        ["rejected", "confirmed", "rejected", "confirmed", "declined"]
    );
    Ok(())
}

#[tokio::test]
async fn who_tries_cards_out_is_stopped_after_a_row_of_rejections() -> Result<()> {
    let shop = Shop::new().with_variable("fraud_rejections=2");
    let world = World::open(shop, tempfile::tempdir()?).await?;
    let egil = world.shopper("egil").await?;
    let mut tries = Vec::new();
    for _ in 0..2 {
        tries.push(horn(&egil, "tok_declined").await?);
    }
    // That an order was rejected is heard of by an event, after its end was seen.
    let stopped = waiting::until("cards are not tried any more", async || {
        let order = horn(&egil, "tok_declined").await?;
        Ok(is_declined(&order).then_some(order))
    })
    .await?;
    assert!(tries.iter().all(|order| !is_declined(order)), "{tries:?}");
    let told = screening(&world, &stopped).await?;
    assert!(told.contains("many-rejections"), "{told}");
    let nothing = json!({"authorised": 0, "captured": 0, "voided": 0, "refunded": 0});
    assert_eq!(egil.payment(&text(&stopped, "id")?).await?, nothing);
    let late = horn(&egil, "tok_ok").await?;
    assert!(is_declined(&late), "{late}");
    Ok(())
}
