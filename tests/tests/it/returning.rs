//! Orders that are sent back: a run that waits for a person, across a power cut.

use anyhow::Result;
use e2e::{
    Shopper, redact,
    shopper::{number, text},
    waiting,
};
use serde_json::{Value, json};

use crate::world::{Ledger, World, history, told_once};

/// An order that somebody wishes to return, and the run that waits for a decision.
struct Return {
    world: World,
    shopper: Shopper,
    order: String,
    run: String,
}

impl Return {
    async fn new() -> Result<Self> {
        let world = World::new().await?;
        let shopper = world.shopper("egil").await?;
        shopper.fill_cart(&[("ale-horn", 2)]).await?;
        let order = text(&shopper.order("tok_ok", "IS").await?, "id")?;
        let path = format!("/api/v1/orders/{order}/return");
        let wish = json!({"reason": "too small"});
        shopper.client.post(&path, &wish).await?.is(202)?;
        let run = world.sagas().run("return-order", &order, "running").await?;
        Ok(Self {
            world,
            shopper,
            order,
            run,
        })
    }

    async fn lose_power(self) -> Result<Self> {
        let world = self.world.lose_power().await?;
        let client = self.shopper.client.at(&world.client);
        let shopper = Shopper {
            client,
            ..self.shopper
        };
        Ok(Self {
            world,
            shopper,
            ..self
        })
    }

    /// Waits until the run waits for its decision, and answers with what `why` says.
    async fn waits(&self) -> Result<String> {
        let sagas = self.world.sagas();
        waiting::until("the run waits", async || {
            let why = sagas.say(&["why", &self.run]).await?;
            Ok(why.contains("wait for signal").then_some(why))
        })
        .await
    }

    async fn decide(&self, decision: &str, id: &str) -> Result<String> {
        let args = [
            "signal", &self.run, "decision", "--data", decision, "--id", id,
        ];
        self.world.sagas().say(&args).await
    }

    /// The order at the end of the run, after the books were seen to agree.
    async fn ended(&self) -> Result<Value> {
        self.world.sagas().stands(&self.run, "completed").await?;
        let order = self.shopper.ended(&self.order).await?;
        let mut ledger = Ledger::new();
        ledger.enter(&self.shopper, &order).await?;
        let skus = self.world.skus().await?;
        ledger.balance(&self.world.client, &skus).await?;
        told_once(&self.shopper, std::slice::from_ref(&order)).await?;
        Ok(order)
    }
}

#[tokio::test]
async fn a_return_waits_across_a_power_cut_and_is_granted_once() -> Result<()> {
    let waiting = Return::new().await?;
    let before = waiting.waits().await?;
    insta::assert_snapshot!(redact::story(&before), @r#"
    [run] of return-order is running.
    It waits for number 3 since [time]: wait for signal "decision", 14 d at most.
    1 undo entry would be called, newest first, if it rolls back.
    "#);
    let waiting = waiting.lose_power().await?;
    assert_eq!(waiting.waits().await?, before);
    let listed = waiting
        .world
        .sagas()
        .say(&["ls", "--subject", &waiting.order])
        .await?;
    assert!(listed.contains("Waiting for approval"), "{listed}");

    let said = waiting.decide(r#"{"approved":true}"#, "decision-1").await?;
    insta::assert_snapshot!(redact::story(&said), @r#"[run] has the signal "decision", sent as decision-1. See `skald saga show [run]`."#);
    // Whoever did not hear the answer sends it again; a power cut makes no difference to it.
    let waiting = waiting.lose_power().await?;
    let order = waiting.ended().await?;
    assert_eq!(
        history(&order)?,
        ["placed", "confirmed", "return-requested", "returned"]
    );
    let total = number(&order["total"], "amount")?;
    let money = json!({"authorised": total, "captured": total, "voided": 0, "refunded": total});
    assert_eq!(waiting.shopper.payment(&waiting.order).await?, money);
    assert_eq!(waiting.world.stock("ale-horn").await?, (100, 0, 0));
    Ok(())
}

#[tokio::test]
async fn a_signal_that_is_sent_twice_is_one_signal() -> Result<()> {
    let waiting = Return::new().await?;
    waiting.waits().await?;
    // What cannot be read is no decision, so that the run waits for another.
    for id in ["slip", "slip", "other"] {
        waiting.decide("no idea", id).await?;
    }
    let received = async || {
        let story = waiting.world.sagas().show(&waiting.run).await?;
        let lines = story["timeline"].as_array().cloned().unwrap_or_default();
        anyhow::Ok(lines.iter().filter(|line| line["kind"] == "signal").count())
    };
    assert_eq!(received().await?, 2);
    waiting.decide(r#"{"approved":true}"#, "good").await?;
    waiting.ended().await?;
    // Nor does it make a difference that the run has ended since; only a new one comes too late.
    waiting.decide(r#"{"approved":true}"#, "good").await?;
    assert_eq!(received().await?, 3);
    let late = ["signal", &waiting.run, "decision", "--id", "late"];
    let late = waiting.world.sagas().refused(&late).await?;
    insta::assert_snapshot!(late, @"error: the run has ended; `skald saga rerun` begins a new one from it (SAGA-002)");
    Ok(())
}

#[tokio::test]
async fn a_return_that_is_refused_leaves_the_order_as_it_is() -> Result<()> {
    let waiting = Return::new().await?;
    let decision = r#"{"approved":false,"note":"It was worn."}"#;
    waiting.decide(decision, "decision-1").await?;
    let order = waiting.ended().await?;
    assert_eq!(
        history(&order)?,
        ["placed", "confirmed", "return-requested", "return-refused"]
    );
    assert_eq!(order["history"][3]["reason"], "It was worn.");
    assert_eq!(waiting.world.stock("ale-horn").await?, (98, 0, 2));
    let path = format!("/api/v1/orders/{}/return", waiting.order);
    let wish = json!({"reason": "too small"});
    let again = waiting.shopper.client.post(&path, &wish).await?.is(409)?;
    insta::assert_snapshot!(text(&again.json()?, "detail")?, @"a return was refused before: It was worn");
    Ok(())
}

#[tokio::test]
async fn a_return_that_an_operator_cancels_is_refused() -> Result<()> {
    let waiting = Return::new().await?;
    waiting.waits().await?;
    let sagas = waiting.world.sagas();
    sagas.say(&["cancel", &waiting.run]).await?;
    sagas.stands(&waiting.run, "rolled-back").await?;
    let order = waiting.shopper.ended(&waiting.order).await?;
    assert_eq!(order["history"][3]["event"], "return-refused");
    assert_eq!(waiting.world.stock("ale-horn").await?, (98, 0, 2));
    Ok(())
}
