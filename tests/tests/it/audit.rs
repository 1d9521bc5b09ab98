//! The audit record, and whether `skald audit verify` finds out what was done to it.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    Shopper, places,
    shopper::{number, text},
    waiting,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::{JoinSet, spawn_blocking};

use crate::world::{Shop, World, history};

/// A shop with an auditor and some history, and a folder for files.
struct Audited {
    world: World,
    auditor: Shopper,
    order: String,
    files: TempDir,
}

/// How `skald audit` ended.
struct Verdict {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Audited {
    async fn new() -> Result<Self> {
        let world = World::new().await?;
        let auditor = world.shopper("hallgerd").await?;
        // The record is for nobody, unless the operator says for whom.
        auditor.client.get("/api/v1/audit/heads").await?.is(403)?;
        world.client.get("/api/v1/audit/heads").await?.is(401)?;
        let shop = Shop::new().with_variable(&format!("auditors={}", auditor.id));
        let world = world.restart(shop).await?;
        let auditor = Shopper {
            client: auditor.client.at(&world.client),
            ..auditor
        };
        auditor.fill_cart(&[("bone-dice", 2)]).await?;
        let order = text(&auditor.order("tok_ok", "IS").await?, "id")?;
        Ok(Self {
            world,
            auditor,
            order,
            files: TempDir::new()?,
        })
    }

    /// All entries, once as many are there as the shop must have: each product, the customer, the order's two events.
    async fn entries(&self) -> Result<Vec<Value>> {
        let expected = self.world.skus().await?.len() + 3;
        waiting::until("everything is recorded", async || {
            let mut all = Vec::new();
            let heads = self.get("heads").await?;
            for head in heads["heads"].as_array().into_iter().flatten() {
                let chain = number(head, "chain")?;
                let page = self
                    .get(&format!("entries?chain={chain}&page_size=100"))
                    .await?;
                all.extend(page["items"].as_array().cloned().unwrap_or_default());
            }
            ensure!(all.len() <= expected, "{} entries", all.len());
            Ok((all.len() == expected).then_some(all))
        })
        .await
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let path = format!("/api/v1/audit/{path}");
        self.auditor.client.get(&path).await?.is(200)?.json()
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// Verifies what the shop tells.
    async fn verify(&self, more: &[&str]) -> Result<Verdict> {
        let from = format!("http://{}", self.world.host.address());
        let token = self.auditor.client.token().context("no token")?;
        verify(&[&["--from", &from, "--token", token][..], more].concat()).await
    }
}

impl Verdict {
    /// How many entries were found as they were written.
    fn count(&self) -> Result<usize> {
        let told = self
            .stdout
            .lines()
            .last()
            .and_then(|line| line.split_once(" entries in "));
        Ok(told.context("no sum")?.0.parse()?)
    }

    fn is(self, code: i32) -> Result<Self> {
        let Self { stdout, stderr, .. } = &self;
        ensure!(
            self.code == Some(code),
            "{:?}\n{stdout}\n{stderr}",
            self.code
        );
        Ok(self)
    }
}

async fn verify(args: &[&str]) -> Result<Verdict> {
    let mut command = Command::new(places::program());
    command.args(["audit", "verify"]).args(args);
    command.env_remove("SKALD_AUDIT_TOKEN");
    let output = spawn_blocking(move || command.output()).await??;
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Verdict {
        code: output.status.code(),
        stdout: words(&output.stdout),
        stderr: words(&output.stderr),
    })
}

/// Changes the lines of a file.
fn tamper(file: &str, change: impl FnOnce(&mut Vec<String>)) -> Result<()> {
    let mut lines: Vec<String> = fs::read_to_string(file)?
        .lines()
        .map(str::to_owned)
        .collect();
    change(&mut lines);
    Ok(fs::write(file, lines.join("\n") + "\n")?)
}

#[tokio::test]
async fn every_event_is_recorded_once_and_the_record_is_found_as_it_was_written() -> Result<()> {
    let audited = Audited::new().await?;
    let entries = audited.entries().await?;
    let ids: BTreeSet<String> = entries
        .iter()
        .map(|entry| text(&entry["event"], "id"))
        .collect::<Result<_>>()?;
    assert_eq!(ids.len(), entries.len());
    let of_order = entries
        .iter()
        .filter(|entry| entry["event"]["subject"] == *audited.order);
    let kinds: Vec<&str> = of_order
        .filter_map(|entry| entry["event"]["type"].as_str())
        .collect();
    assert_eq!(kinds, ["shop.order.placed.v1", "shop.order.confirmed.v1"]);
    let all = serde_json::to_string(&entries)?;
    assert!(
        all.contains("withheld") && !all.contains("tok_ok"),
        "the means of payment is kept"
    );

    let (record, heads) = (audited.file("record.jsonl"), audited.file("heads.json"));
    let verdict = audited
        .verify(&["--save", &record, "--save-heads", &heads])
        .await?
        .is(0)?;
    assert_eq!(verdict.count()?, entries.len());
    // The file says the same without a host, and the shop later, with more in it.
    verify(&[&record, "--heads", &heads]).await?.is(0)?;
    let cancel = format!("/api/v1/orders/{}/cancellation", audited.order);
    audited
        .auditor
        .client
        .post(&cancel, &serde_json::json!({}))
        .await?
        .is(202)?;
    waiting::until("the order is cancelled", async || {
        let order = audited.auditor.ended(&audited.order).await?;
        Ok(history(&order)?
            .iter()
            .any(|event| event == "cancelled")
            .then_some(()))
    })
    .await?;
    waiting::until("more is recorded", async || {
        let verdict = audited.verify(&["--heads", &heads]).await?.is(0)?;
        Ok((verdict.count()? == entries.len() + 2).then_some(()))
    })
    .await
}

async fn shop(shopper: Shopper, orders: usize) -> Result<()> {
    for _ in 0..orders {
        shopper.fill_cart(&[("bone-dice", 1)]).await?;
        shopper.order("tok_ok", "IS").await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_a_crowd_does_at_once_is_recorded_whole() -> Result<()> {
    const SHOPPERS: usize = 8;
    const ORDERS: usize = 6;
    let audited = Audited::new().await?;
    let before = audited.entries().await?.len();
    let crowd = audited.world.crowd(SHOPPERS, |_| Vec::new()).await?;
    let mut shopping = JoinSet::new();
    for shopper in crowd {
        shopping.spawn(shop(shopper, ORDERS));
    }
    while let Some(ended) = shopping.join_next().await {
        ended??;
    }
    // Each customer's arrival, and each order's beginning and end.
    let expected = before + SHOPPERS * (1 + 2 * ORDERS);
    waiting::until("all of it is recorded", async || {
        let told = audited.verify(&[]).await?.is(0)?.count()?;
        ensure!(told <= expected, "{told} entries, {expected} events");
        Ok((told == expected).then_some(()))
    })
    .await
}

#[tokio::test]
async fn whatever_is_done_to_a_record_is_found_out() -> Result<()> {
    let audited = Audited::new().await?;
    audited.entries().await?;
    let (record, heads) = (audited.file("record.jsonl"), audited.file("heads.json"));
    audited
        .verify(&["--save", &record, "--save-heads", &heads])
        .await?
        .is(0)?;
    let good = fs::read_to_string(&record)?;
    let first: Value = serde_json::from_str(good.lines().next().context("no entry")?)?;
    let place = format!("chain {}, entry 1: ", number(&first, "chain")?);

    // An entry that says something else.
    let id = text(&first["event"], "id")?;
    tamper(&record, |lines| {
        lines[0] = lines[0].replacen(&id, "evt_forged", 1);
    })?;
    let verdict = verify(&[&record]).await?.is(1)?;
    assert!(
        verdict
            .stderr
            .contains(&format!("{place}its hash: expected ")),
        "{}",
        verdict.stderr
    );

    // One that is not there, in the beginning and at the end; the end is known only from heads of before.
    fs::write(&record, &good)?;
    tamper(&record, |lines| drop(lines.remove(0)))?;
    let verdict = verify(&[&record, "--heads", &heads]).await?.is(1)?;
    assert!(verdict.stderr.contains(&place), "{}", verdict.stderr);
    fs::write(&record, &good)?;
    tamper(&record, |lines| drop(lines.pop()))?;
    verify(&[&record]).await?.is(0)?;
    let verdict = verify(&[&record, "--heads", &heads]).await?.is(1)?;
    assert!(
        verdict.stderr.contains("the number of entries, by "),
        "{}",
        verdict.stderr
    );

    // A line that is cut.
    fs::write(&record, good.get(..good.len() - 9).unwrap_or_default())?;
    let verdict = verify(&[&record]).await?.is(1)?;
    assert!(
        verdict
            .stderr
            .contains("the entry: expected one that can be read"),
        "{}",
        verdict.stderr
    );
    Ok(())
}

#[tokio::test]
async fn a_shop_that_was_set_back_does_not_go_on_from_the_heads_of_before() -> Result<()> {
    let audited = Audited::new().await?;
    audited.entries().await?;
    let heads = audited.file("heads.json");
    audited.verify(&["--save-heads", &heads]).await?.is(0)?;
    // Another shop has chains that fit, and are not those.
    let other = Audited::new().await?;
    other.entries().await?;
    other.verify(&[]).await?.is(0)?;
    let verdict = other.verify(&["--heads", &heads]).await?.is(1)?;
    assert!(verdict.stderr.contains("by "), "{}", verdict.stderr);
    Ok(())
}

#[tokio::test]
async fn whoever_may_not_read_the_record_cannot_verify_it() -> Result<()> {
    let world = World::new().await?;
    let njal = world.shopper("njal").await?;
    let from = format!("http://{}", world.host.address());
    let token = njal.client.token().context("no token")?;
    let verdict = verify(&["--from", &from, "--token", token]).await?.is(1)?;
    insta::assert_snapshot!(verdict.stderr.trim_end(), @"error: the audit record is for auditors (403)");
    let file = Path::new("/nowhere/record.jsonl").display().to_string();
    verify(&[&file]).await?.is(74)?;
    verify(&["--from", "https://shop.example"]).await?.is(64)?;
    Ok(())
}
