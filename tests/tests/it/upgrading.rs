//! New code for a saga whose runs are under way.

use std::fs;

use anyhow::Result;
use e2e::{Shopper, places, redact, shopper::text};
use serde_json::json;
use tempfile::TempDir;

use crate::world::{Ledger, Shop, World, history};

/// A shop whose component `return-order` has the same code with another digest.
fn with_other_digest(folder: &TempDir) -> Result<Shop> {
    let wasm = folder.path().join("return_order.wasm");
    let mut bytes = fs::read(places::wasm("return-order"))?;
    // A custom section (0) of 9 bytes, which are a name of 8 bytes: engines pass over it.
    bytes.extend(b"\x00\x09\x08version2");
    fs::write(&wasm, bytes)?;
    Shop::new().with_manifest(
        "target/wasm32-wasip2/component/return_order.wasm",
        &wasm.to_string_lossy(),
    )
}

/// Two orders that are to be returned, each with the run that waits for a decision.
async fn waiting_returns(world: &World, egil: &Shopper) -> Result<Vec<(String, String)>> {
    let mut returns = Vec::new();
    for _ in 0..2 {
        egil.fill_cart(&[("ale-horn", 1)]).await?;
        let order = text(&egil.order("tok_ok", "IS").await?, "id")?;
        let path = format!("/api/v1/orders/{order}/return");
        let wish = json!({"reason": "too small"});
        egil.client.post(&path, &wish).await?.is(202)?;
        let run = world.sagas().run("return-order", &order, "running").await?;
        returns.push((order, run));
    }
    Ok(returns)
}

#[tokio::test]
async fn a_run_keeps_its_code_and_may_go_on_with_code_that_fits() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    let returns = waiting_returns(&world, &egil).await?;
    let revision = async |world: &World, run: &str| {
        let view = world.sagas().show(run).await?;
        text(&view["row"], "revision")
    };
    let old = revision(&world, &returns[0].1).await?;

    let folder = TempDir::new()?;
    let world = world.restart(with_other_digest(&folder)?).await?;
    let sagas = world.sagas();
    let said = sagas.say(&["upgrade", "--all", "--dry-run"]).await?;
    assert_eq!(
        said.lines().filter(|line| line.contains("fits")).count(),
        2,
        "{said}"
    );
    let [(stays, stay), (goes, go)] = returns.as_slice() else {
        anyhow::bail!("two returns");
    };
    assert_eq!(
        revision(&world, stay).await?,
        old,
        "nothing is done in a dry run"
    );
    let said = sagas
        .say(&["upgrade", go, "--why", "the newest is the best"])
        .await?;
    insta::assert_snapshot!(redact::story(&said), @"[run] goes on with revision [revision].");
    let new = revision(&world, go).await?;
    assert_ne!(new, old);

    // Each ends with its own code, the old one after a power cut, too.
    let world = world.lose_power().await?;
    let sagas = world.sagas();
    let client = egil.client.at(&world.client);
    let egil = Shopper { client, ..egil };
    for (run, its) in [(stay, &old), (go, &new)] {
        let decision = r#"{"approved":true}"#;
        sagas
            .say(&["signal", run, "decision", "--data", decision])
            .await?;
        sagas.stands(run, "completed").await?;
        assert_eq!(&revision(&world, run).await?, its);
    }
    let mut ledger = Ledger::new();
    for order in [stays, goes] {
        let order = egil.ended(order).await?;
        assert_eq!(
            history(&order)?.last().map(String::as_str),
            Some("returned")
        );
        ledger.enter(&egil, &order).await?;
    }
    ledger.balance(&world.client, &world.skus().await?).await?;
    assert_eq!(world.stock("ale-horn").await?, (100, 0, 0));
    Ok(())
}
