//! Orders that cannot be, and providers that misbehave: nothing is lost and nothing happens twice.

use anyhow::Result;
use e2e::shopper::{number, text};
use serde_json::{Value, json};

use crate::world::{Ledger, World, told_once};

/// What an order left behind.
struct Left {
    order: Value,
    payment: Value,
    /// SKU and quantity of the cart's lines.
    cart: Value,
    stock: (u64, u64, u64),
}

/// One customer orders two ale horns.
async fn order(token: &str, country: &str, quantity: u32) -> Result<Left> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", quantity)]).await?;
    let order = egil.order(token, country).await?;
    let mut ledger = Ledger::new();
    ledger.enter(&egil, &order).await?;
    ledger.balance(&world.client, &world.skus().await?).await?;
    told_once(&egil, std::slice::from_ref(&order)).await?;
    let lines = egil.cart().await?["lines"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let lines = lines
        .iter()
        .map(|line| json!([line["sku"], line["quantity"]]))
        .collect();
    Ok(Left {
        payment: egil.payment(&text(&order, "id")?).await?,
        cart: lines,
        stock: world.stock("ale-horn").await?,
        order,
    })
}

#[tokio::test]
async fn a_declined_payment_rejects_the_order_and_gives_the_lines_back() -> Result<()> {
    let left = order("tok_declined", "IS", 2).await?;
    assert_eq!(left.order["status"], "rejected");
    insta::assert_snapshot!(text(&left.order, "reason")?, @"The payment was not possible: the card was declined by its bank.");
    assert_eq!(
        left.payment,
        json!({"authorised": 0, "captured": 0, "voided": 0, "refunded": 0})
    );
    assert_eq!(left.cart, json!([["ale-horn", 2]]));
    assert_eq!(left.stock, (100, 0, 0));
    Ok(())
}

#[tokio::test]
async fn a_country_without_carrier_rejects_after_authorisation_and_lets_the_money_go() -> Result<()>
{
    let left = order("tok_ok", "XX", 2).await?;
    assert_eq!(left.order["status"], "rejected");
    insta::assert_snapshot!(text(&left.order, "reason")?, @"Nobody carries to XX.");
    let total = number(&left.order["total"], "amount")?;
    assert_eq!(
        left.payment,
        json!({"authorised": total, "captured": 0, "voided": total, "refunded": 0})
    );
    assert_eq!(left.cart, json!([["ale-horn", 2]]));
    assert_eq!(left.stock, (100, 0, 0));
    Ok(())
}

#[tokio::test]
async fn more_than_there_is_rejects_the_order_and_charges_nothing() -> Result<()> {
    let left = order("tok_ok", "IS", 101).await?;
    assert_eq!(left.order["status"], "rejected");
    insta::assert_snapshot!(text(&left.order, "reason")?, @"There are only 100 pieces of Ale horn left.");
    assert_eq!(
        left.payment,
        json!({"authorised": 0, "captured": 0, "voided": 0, "refunded": 0})
    );
    assert_eq!(left.cart, json!([["ale-horn", 101]]));
    assert_eq!(left.stock, (100, 0, 0));
    Ok(())
}

#[tokio::test]
async fn a_token_nobody_issued_rejects_the_order() -> Result<()> {
    let left = order("tok_nobody_knows", "IS", 2).await?;
    assert_eq!(left.order["status"], "rejected");
    assert_eq!(left.stock, (100, 0, 0));
    Ok(())
}

#[tokio::test]
async fn a_provider_that_fails_twice_is_asked_until_it_works() -> Result<()> {
    charged_once("tok_flaky").await
}

#[tokio::test]
async fn a_lost_reply_does_not_charge_twice() -> Result<()> {
    charged_once("tok_lost_reply").await
}

#[tokio::test]
async fn a_slow_reply_does_not_charge_twice() -> Result<()> {
    charged_once("tok_slow").await
}

async fn charged_once(token: &str) -> Result<()> {
    let left = order(token, "IS", 2).await?;
    assert_eq!(left.order["status"], "confirmed", "{}", left.order);
    let total = number(&left.order["total"], "amount")?;
    assert_eq!(
        left.payment,
        json!({"authorised": total, "captured": total, "voided": 0, "refunded": 0})
    );
    assert_eq!(left.cart, json!([]));
    assert_eq!(left.stock, (98, 0, 2));
    Ok(())
}

#[tokio::test]
async fn lines_that_come_back_can_be_ordered_again() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 2)]).await?;
    let first = egil.order("tok_declined", "IS").await?;
    let second = egil.order("tok_ok", "IS").await?;
    assert_eq!(
        (first["status"].as_str(), second["status"].as_str()),
        (Some("rejected"), Some("confirmed"))
    );
    assert_ne!(first["id"], second["id"]);
    assert_eq!(world.stock("ale-horn").await?, (98, 0, 2));
    told_once(&egil, &[first, second]).await
}
