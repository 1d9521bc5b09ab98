//! Runs that cannot go on by themselves, and what people do about them.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    Sagas, Shopper, places, redact,
    shopper::{GOOD, text},
    waiting,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Ledger, Shop, World, told_once};

/// A checkout gives up on a payment at the first failure.
const IMPATIENT: (&str, &str) = (
    "[component.checkout.tool.skald]\nsaga = true\n",
    "[component.checkout.tool.skald]\nsaga = true\n\n\
     [component.checkout.tool.skald.steps.\"shop:payments/api.authorise\"]\nattempts = 1\n",
);

/// An order whose checkout is parked.
struct Parked {
    world: World,
    shopper: Shopper,
    sagas: Sagas,
    order: String,
    run: String,
}

impl Parked {
    async fn new() -> Result<Self> {
        let shop = Shop::new().with_manifest(IMPATIENT.0, IMPATIENT.1)?;
        let world = World::open(shop, TempDir::new()?).await?;
        let shopper = world.shopper("egil").await?;
        shopper.fill_cart(&[("ale-horn", 2)]).await?;
        let order = e2e::Order {
            token: "tok_flaky",
            ..GOOD
        };
        let order = text(&shopper.place(order).await?.is(202)?.json()?, "id")?;
        let sagas = world.sagas();
        let run = sagas.run("checkout", &order, "parked").await?;
        Ok(Self {
            world,
            shopper,
            sagas,
            order,
            run,
        })
    }

    /// The order, after it was seen that the books of all services agree with it.
    async fn ended(&self) -> Result<Value> {
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
async fn a_parked_run_says_why() -> Result<()> {
    let parked = Parked::new().await?;
    let (sagas, run) = (&parked.sagas, parked.run.as_str());
    let listed = sagas.list(&["--standing", "parked"]).await?;
    assert_eq!(listed.len(), 1);
    assert_eq!(text(&listed[0], "run")?, run);
    insta::assert_snapshot!(text(&listed[0], "note")?, @"step 14 failed once: the component trapped: wasm trap: wasm `unreachable` instruction executed");
    insta::assert_snapshot!(redact::story(&sagas.say(&["why", run]).await?), @r#"
    [run] of checkout is parked.
    It is parked since [time], going forward: step 14 failed once: the component trapped: wasm trap: wasm `unreachable` instruction executed.
    A person has to act: `skald saga retry`, `skip`, `rollback`, `upgrade` or `fail`.
    It waits for number 14 since [time]: shop:payments/api@1.0.0.authorise({order: "[order]", user: "[user]", total: {amount: 6980, currency: "EUR"}, token: "tok_flaky"}).
    5 undo entries would be called, newest first, if it rolls back.
    "#);
    insta::assert_snapshot!(redact::story(&sagas.say(&["show", run]).await?), @r#"
    [run]  parked: step 14 failed once: the component trapped: wasm trap: wasm `unreachable` instruction executed
      saga     checkout, revision [revision]
      about    [order]
      begun    [time] by [event]
      journal  20 records, [size]

            ▶ begun by [event]
         0  · open scope "order"
         1  + undo of scope 0: shop:orders/api@1.0.0.abandon("[order]", "The order could not be compl…
         2  · open scope "checkout"
         3  + undo of scope 2: shop:cart/api@1.0.0.give-back("[user]", "[order]…
         4  · status "Looking at the order"
         5  → shop:orders/api@1.0.0.find("[order]")  = ok(pending) after [time]
         6  · status "Reserving the goods"
         7  + undo of scope 2: shop:inventory/api@1.0.0.release("[order]")
         8  → shop:inventory/api@1.0.0.reserve("[order]", [{sku: "ale-horn", quantity: 2}])  = ok after [time]
         9  · status "Looking at the customer's history"
        10  + undo of scope 2: shop:fraud/api@1.0.0.withdraw("[order]")
        11  → shop:fraud/api@1.0.0.screen({order: "[order]", user: "[user]", …  = ok(approved({score: 0, reasons: []})) after [time]
        12  · status "Setting the money aside"
        13  + undo of scope 2: shop:payments/api@1.0.0.void("[order]")
        14  → shop:payments/api@1.0.0.authorise({order: "[order]", user: "[user]…  …
            ■ step 14 failed once: the component trapped: wasm trap: wasm `unreachable` instruction executed

    It is parked since [time], going forward: step 14 failed once: the component trapped: wasm trap: wasm `unreachable` instruction executed.
    A person has to act: `skald saga retry`, `skip`, `rollback`, `upgrade` or `fail`.
    It waits for number 14 since [time]: shop:payments/api@1.0.0.authorise({order: "[order]", user: "[user]", total: {amount: 6980, currency: "EUR"}, token: "tok_flaky"}).
    5 undo entries would be called, newest first, if it rolls back.
    "#);
    assert_eq!(
        sagas
            .say(&["ls", "--standing", "parked", "--ids"])
            .await?
            .trim(),
        run
    );
    Ok(())
}

#[tokio::test]
async fn a_parked_run_goes_on_when_it_is_tried_again() -> Result<()> {
    let parked = Parked::new().await?;
    let (sagas, run) = (&parked.sagas, parked.run.as_str());
    // The provider fails twice: once before the run was parked, and once more.
    let beginning: String = run.chars().take(12).collect();
    let said = sagas
        .say(&["retry", &beginning, "--why", "it is well again"])
        .await?;
    assert!(said.contains(run), "{said}");
    sagas.stands(run, "parked").await?;
    sagas.say(&["retry", run]).await?;
    sagas.stands(run, "completed").await?;
    assert_eq!(parked.ended().await?["status"], "confirmed");
    let story = sagas.say(&["show", run]).await?;
    assert!(
        story.contains("hallgerd") && story.contains("it is well again"),
        "{story}"
    );
    assert!(sagas.list(&["--standing", "parked"]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_parked_run_that_is_rolled_back_leaves_nothing_behind() -> Result<()> {
    let parked = Parked::new().await?;
    let (sagas, run) = (&parked.sagas, parked.run.as_str());
    sagas
        .say(&["rollback", run, "--why", "the card is gone"])
        .await?;
    sagas.stands(run, "rolled-back").await?;
    let order = parked.ended().await?;
    assert_eq!(order["status"], "rejected");
    insta::assert_snapshot!(text(&order, "reason")?, @"The order could not be completed.");
    assert_eq!(parked.world.stock("ale-horn").await?, (100, 0, 0));
    insta::assert_snapshot!(redact::story(&sagas.say(&["show", run]).await?), @r#"
    [run]  rolled-back: rolled back: rollback by hallgerd: the card is gone
      saga     checkout, revision [revision]
      about    [order]
      begun    [time] by [event]
      journal  28 records, [size]

            ▶ begun by [event]
         0  · open scope "order"
         1  + undo of scope 0: shop:orders/api@1.0.0.abandon("[order]", "The order could not be compl…
         2  · open scope "checkout"
         3  + undo of scope 2: shop:cart/api@1.0.0.give-back("[user]", "[order]…
         4  · status "Looking at the order"
         5  → shop:orders/api@1.0.0.find("[order]")  = ok(pending) after [time]
         6  · status "Reserving the goods"
         7  + undo of scope 2: shop:inventory/api@1.0.0.release("[order]")
         8  → shop:inventory/api@1.0.0.reserve("[order]", [{sku: "ale-horn", quantity: 2}])  = ok after [time]
         9  · status "Looking at the customer's history"
        10  + undo of scope 2: shop:fraud/api@1.0.0.withdraw("[order]")
        11  → shop:fraud/api@1.0.0.screen({order: "[order]", user: "[user]", …  = ok(approved({score: 0, reasons: []})) after [time]
        12  · status "Setting the money aside"
        13  + undo of scope 2: shop:payments/api@1.0.0.void("[order]")
        14  → shop:payments/api@1.0.0.authorise({order: "[order]", user: "[user]…  = given up on: the run rolled back before its end was known after [time]
            ■ step 14 failed once: the component trapped: wasm trap: wasm `unreachable` instruction executed
              ◀ rollback by hallgerd: the card is gone
        13    ← shop:payments/api@1.0.0.void("[order]")  = undone
        10    ← shop:fraud/api@1.0.0.withdraw("[order]")  = undone
         7    ← shop:inventory/api@1.0.0.release("[order]")  = undone
         3    ← shop:cart/api@1.0.0.give-back("[user]", "[order]")  = undone
         1    ← shop:orders/api@1.0.0.abandon("[order]", "The order could not be completed.")  = undone
              ● rolled back: rollback by hallgerd: the card is gone
    "#);
    Ok(())
}

#[tokio::test]
async fn a_parked_run_stays_parked_across_a_power_cut() -> Result<()> {
    let parked = Parked::new().await?;
    let why = parked.sagas.say(&["why", &parked.run]).await?;
    let world = parked.world.lose_power().await?;
    let sagas = world.sagas();
    assert_eq!(sagas.say(&["why", &parked.run]).await?, why);
    sagas.say(&["cancel", &parked.run]).await?;
    sagas.stands(&parked.run, "rolled-back").await?;
    assert_eq!(world.stock("ale-horn").await?, (100, 0, 0));
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_cancelled_at_work_undoes_what_is_under_way_too() -> Result<()> {
    let world = World::new().await?;
    let shopper = world.shopper("egil").await?;
    shopper.fill_cart(&[("ale-horn", 2)]).await?;
    // The provider sets the money aside, and does not answer before the run is cancelled.
    let order = e2e::Order {
        token: "tok_slow",
        ..GOOD
    };
    let order = text(&shopper.place(order).await?.is(202)?.json()?, "id")?;
    let sagas = world.sagas();
    let run = sagas.run("checkout", &order, "running").await?;
    waiting::until("the money is asked for", async || {
        let why = sagas.say(&["why", &run]).await?;
        Ok(why.contains("authorise").then_some(()))
    })
    .await?;
    let said = sagas.say(&["cancel", &run, "--why", "a mistake"]).await?;
    assert!(said.contains("cancel is recorded"), "{said}");
    // Whoever says so again changes nothing.
    sagas.say(&["cancel", &run]).await?;
    sagas.stands(&run, "rolled-back").await?;
    let parked = Parked {
        world,
        shopper,
        sagas,
        order,
        run,
    };
    assert_eq!(parked.ended().await?["status"], "rejected");
    assert_eq!(parked.world.stock("ale-horn").await?, (100, 0, 0));
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_failed_ends_as_it_is_and_refuses_everything_after() -> Result<()> {
    let parked = Parked::new().await?;
    let (sagas, run) = (&parked.sagas, parked.run.as_str());
    sagas
        .say(&["fail", run, "--why", "settled by telephone"])
        .await?;
    sagas.stands(run, "failed").await?;
    // Nothing more is done or undone: the pieces are held until their hold expires.
    let orders = parked.shopper.orders().await?;
    assert_eq!(orders[0]["status"], "pending");
    assert_eq!(parked.world.stock("ale-horn").await?, (98, 2, 0));

    let mut refusals = Vec::new();
    for args in [
        &["retry", run][..],
        &["skip", run, "--why", "x"],
        &["fail", run, "--why", "x"],
        &["rollback", run, "--why", "x"],
        &["cancel", run],
        &["signal", run, "decision"],
        &["upgrade", run],
    ] {
        let refusal = sagas.refused(args).await?;
        refusals.push(format!("{}: {}", args[0], redact::story(&refusal)));
    }
    insta::assert_snapshot!(refusals.join("\n"), @"
    retry: error: the run has ended; `skald saga rerun` begins a new one from it (SAGA-002)
    skip: error: the run has ended; `skald saga rerun` begins a new one from it (SAGA-002)
    fail: error: the run has ended; `skald saga rerun` begins a new one from it (SAGA-002)
    rollback: error: the run has ended; `skald saga rerun` begins a new one from it (SAGA-002)
    cancel: error: the run has ended; `skald saga rerun` begins a new one from it (SAGA-002)
    signal: error: the run has ended; `skald saga rerun` begins a new one from it (SAGA-002)
    upgrade: error: the run has ended; `skald saga rerun` begins a new one from it (SAGA-002)
    ");
    Ok(())
}

#[tokio::test]
async fn an_ended_run_can_be_run_again_and_be_forgotten() -> Result<()> {
    let parked = Parked::new().await?;
    let (sagas, run) = (&parked.sagas, parked.run.as_str());
    let refusals = [
        sagas.refused(&["rerun", run, "--from", "0"]).await?,
        sagas.refused(&["purge", run]).await?,
    ];
    insta::assert_snapshot!(redact::story(&refusals.join("\n")), @"
    error: the run has not ended; retry, roll back or fail it first (SAGA-003)
    error: the run is parked and not ended; cancel, roll back or fail it first (SAGA-003)
    ");
    sagas.say(&["fail", run, "--why", "begun anew"]).await?;
    let said = sagas
        .say(&["rerun", run, "--from", "0", "--why", "as before"])
        .await?;
    let new = said.split_whitespace().next().unwrap_or_default();
    assert_ne!(new, run, "{said}");
    // The provider has failed once, and fails once more.
    sagas.stands(new, "parked").await?;
    sagas.say(&["retry", new]).await?;
    sagas.stands(new, "completed").await?;
    assert_eq!(parked.ended().await?["status"], "confirmed");

    insta::assert_snapshot!(sagas.say(&["purge", run]).await?, @"1 run is forgotten.");
    insta::assert_snapshot!(redact::story(&sagas.refused(&["show", run]).await?), @"error: there is no run [run]; `skald saga ls` shows those there are (SAGA-001)");
    assert_eq!(sagas.list(&[]).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn journals_tell_new_code_from_code_that_takes_their_way() -> Result<()> {
    let parked = Parked::new().await?;
    let (sagas, run) = (&parked.sagas, parked.run.as_str());
    let folder = TempDir::new()?;
    let journals = folder.path().to_string_lossy().into_owned();
    let said = sagas.say(&["export", run, "--out", &journals]).await?;
    assert!(said.trim().ends_with(&format!("{run}.json")), "{said}");
    assert_eq!(fs::read_dir(folder.path())?.count(), 1);

    // It needs no host.
    let check = async |wasm: &Path| {
        let wasm = wasm.to_string_lossy().into_owned();
        sagas.ask(&["check", &wasm, "--journals", &journals]).await
    };
    parked.world.host.stop().await?;
    let same = check(&places::wasm("checkout")).await?;
    assert_eq!(same.code, Some(0), "{same:?}");
    insta::assert_snapshot!(redact::story(&same.stdout), @"1 run takes the same way with revision [revision].");
    let changed = folder.path().join("changed.wasm");
    fs::write(
        &changed,
        saying(
            &fs::read(places::wasm("checkout"))?,
            "Reserving the goods",
            "Counting the pieces",
        )?,
    )?;
    let mut told = String::new();
    for wasm in [&changed, &places::wasm("cancel-order")] {
        let differs = check(wasm).await?;
        assert_eq!(differs.code, Some(1), "{differs:?}");
        told += &redact::message(&redact::story(&differs.stdout), folder.path());
        told += "\n";
        told += &redact::message(&redact::story(&differs.stderr), folder.path());
        told += "\n";
    }
    insta::assert_snapshot!(told, @r#"
    ──────────────────────────────────────────────────────────────────────────────────────────────────────
     run                            command   was                            is
    ══════════════════════════════════════════════════════════════════════════════════════════════════════
     [run]   6         status "Reserving the goods"   status "Counting the pieces"
    ──────────────────────────────────────────────────────────────────────────────────────────────────────
    error: 1 of 1 runs do not fit [root]/changed.wasm; keep their way with `patched`, or let them end with their own code
    ───────────────────────────────────────────────────────────────────────────────────
     run                            command   was                  is
    ═══════════════════════════════════════════════════════════════════════════════════
     [run]   0         open scope "order"   the end of the code
    ───────────────────────────────────────────────────────────────────────────────────
    error: 1 of 1 runs do not fit [workspace]/target/wasm32-wasip2/component/cancel_order.wasm; keep their way with `patched`, or let them end with their own code
    "#);
    Ok(())
}

/// The code with another text of the same length in the place of one.
fn saying(wasm: &[u8], old: &str, new: &str) -> Result<Vec<u8>> {
    ensure!(old.len() == new.len(), "texts of one length");
    let at = wasm
        .windows(old.len())
        .position(|window| window == old.as_bytes());
    let at = at.with_context(|| format!("the code does not say {old:?}"))?;
    let (before, rest) = wasm.split_at(at);
    Ok([before, new.as_bytes(), &rest[old.len()..]].concat())
}
