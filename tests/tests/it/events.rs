//! The log of events, as people ask for it: what happened, who is behind, and what was given up on.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    Output, places,
    shopper::{self, text},
    waiting,
};
use serde_json::Value;
use tokio::{task::spawn_blocking, time::timeout};

use crate::world::{Shop, World};

const REGISTERED: &str = "shop.identity.user-registered.v1";
const ADDED: &str = "shop.catalog.product-added.v1";

/// More pieces than inventory can count: it refuses every new product.
const TOO_MANY: &str = "opening_stock=4294967296";

/// What an event was refused for then.
const REFUSED: &str = "an opening stock of 4294967296 is too much";

/// What people ask a host about its events.
struct Events {
    manifest: PathBuf,
    data: PathBuf,
}

impl Events {
    fn of(world: &World) -> Self {
        Self {
            manifest: world.shop.manifest.clone(),
            data: world.data.path().to_owned(),
        }
    }

    fn command(&self, verb: &str, args: &[&str]) -> Command {
        let mut command = Command::new(places::program());
        command.args([verb, "--no-color", "-f"]).arg(&self.manifest);
        command.arg("--data-dir").arg(&self.data).args(args);
        command.env_remove("SKALD_ADMIN");
        command.env_remove("SKALD_ADMIN_TOKEN");
        command.stdin(Stdio::null());
        command
    }

    /// Runs `skald <verb> <args>` to its end.
    async fn ask(&self, verb: &str, args: &[&str]) -> Result<Output> {
        let mut command = self.command(verb, args);
        let output = spawn_blocking(move || command.output()).await??;
        Ok(Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// What `skald events` prints when all is well.
    async fn say(&self, args: &[&str]) -> Result<String> {
        let output = self.ask("events", args).await?;
        ensure!(output.code == Some(0), "{args:?}: {output:?}");
        Ok(output.stdout.trim_end().to_owned())
    }

    /// What it complains about when the answer is no.
    async fn refused(&self, args: &[&str], code: i32) -> Result<String> {
        let output = self.ask("events", args).await?;
        ensure!(output.code == Some(code), "{args:?}: {output:?}");
        Ok(output.stderr.trim_end().to_owned())
    }

    async fn json(&self, args: &[&str]) -> Result<Value> {
        Ok(serde_json::from_str(&self.say(args).await?)?)
    }

    /// The dead letters of a subscriber.
    async fn letters(&self, subscriber: &str) -> Result<Vec<String>> {
        let args = ["dlq", "ls", "--subscriber", subscriber, "--ids"];
        Ok(self.say(&args).await?.lines().map(str::to_owned).collect())
    }

    /// Waits until so many of a subscriber's events were given up on.
    async fn dead(&self, subscriber: &str, count: usize) -> Result<Vec<String>> {
        let what = format!("{subscriber} has {count} dead letters");
        waiting::until(&what, async || {
            let letters = self.letters(subscriber).await?;
            Ok((letters.len() == count).then_some(letters))
        })
        .await
    }
}

/// A shop that gives up soon.
fn impatient() -> Result<Shop> {
    let auth = "[application.tool.skald.http.auth]";
    let events = "[application.tool.skald.events]\nattempts = 2\nbackoff = \"10ms\"\n\n";
    Shop::new().with_manifest(auth, &format!("{events}{auth}"))
}

/// How many pieces of a SKU are available; none where inventory has not heard of it.
async fn available(world: &World, sku: &str) -> Result<Option<u64>> {
    let answer = world.client.get(&format!("/api/v1/stock/{sku}")).await?;
    if answer.status == 404 {
        return Ok(None);
    }
    Ok(Some(shopper::number(
        &answer.is(200)?.json()?,
        "available",
    )?))
}

/// The SKU that a dead letter is about.
async fn about(events: &Events, letter: &str) -> Result<String> {
    text(
        &events.json(&["dlq", "show", letter, "--json"]).await?,
        "key",
    )
}

#[tokio::test]
async fn topics_and_events_are_shown() -> Result<()> {
    let world = World::new().await?;
    let (events, egil) = (Events::of(&world), world.shopper("egil").await?);
    let topics = events.json(&["topics", "--json"]).await?;
    let topics = topics["items"].as_array().context("no items")?;
    let find = |name: &str| topics.iter().find(|topic| topic["topic"] == name);
    let registered = find(REGISTERED).context("not published")?;
    assert_eq!(registered["published"], 1);
    let heard = registered["subscribers"].to_string();
    assert!(heard.contains("notifications"), "{heard}");
    assert_eq!(
        find(ADDED).context("none")?["published"],
        world.skus().await?.len()
    );

    let line = events.say(&["tail", "--topic", REGISTERED]).await?;
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains(&egil.id), "{line}");
    let last = events.say(&["tail", "--last", "3", "--json"]).await?;
    let last: Vec<Value> = last
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(last.len(), 3);
    assert_eq!(last[2]["topic"], REGISTERED);
    let all = events.say(&["tail", "--since", "1h"]).await?;
    assert!(all.lines().count() > 3 && all.ends_with(&line), "{all}");
    assert_eq!(
        events
            .say(&["tail", "--since", "2100-01-01T00:00:00Z"])
            .await?,
        ""
    );
    Ok(())
}

#[tokio::test]
async fn who_follows_sees_what_happens() -> Result<()> {
    let world = World::new().await?;
    let events = Events::of(&world);
    let args = ["tail", "--follow", "--json", "--topic", REGISTERED];
    let mut command = events.command("events", &args);
    let mut follower = command.stdout(Stdio::piped()).spawn()?;
    let out = follower.stdout.take().context("no output")?;
    let line = spawn_blocking(move || BufReader::new(out).lines().next());
    let egil = world.shopper("egil").await?;
    let line = timeout(waiting::PATIENCE, line).await;
    follower.kill()?;
    follower.wait()?;
    let line = line??.context("it ended")??;
    let event: Value = serde_json::from_str(&line)?;
    assert_eq!(event["key"], egil.id.as_str());
    Ok(())
}

/// A shop that has heard of all products and whose inventory could handle none of them, with the names of these events.
async fn poisoned() -> Result<(World, Vec<String>)> {
    let poisoned = impatient()?.with_variable(TOO_MANY);
    let world = World::open(poisoned, tempfile::tempdir()?).await?;
    let products = world.skus().await?.len();
    let letters = Events::of(&world).dead("inventory", products).await?;
    Ok((world, letters))
}

#[tokio::test]
async fn what_was_given_up_on_says_why() -> Result<()> {
    let (world, letters) = poisoned().await?;
    let events = Events::of(&world);
    let one = letters.first().context("no letter")?;
    let sku = about(&events, one).await?;
    let shown = events.say(&["dlq", "show", one]).await?;
    let version = "\"specversion\": \"1.0\"";
    for part in ["tried 2 times", REFUSED, ADDED, &sku, "trace", version] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(available(&world, &sku).await?, None);
    let lag = events
        .json(&["lag", "--subscriber", "inventory", "--json"])
        .await?;
    let lag = &lag["items"][0];
    assert_eq!(lag["messages"], 0);
    assert_eq!(lag["dead_letters"], letters.len());
    // It is as wrong as before, and is given up on anew.
    events.say(&["dlq", "redrive", one]).await?;
    waiting::until("a new letter", async || {
        let now = events.letters("inventory").await?;
        Ok((now.len() == letters.len() && !now.contains(one)).then_some(()))
    })
    .await
}

#[tokio::test]
async fn what_was_given_up_on_is_delivered_again_when_it_can_be_handled() -> Result<()> {
    let (world, letters) = poisoned().await?;
    let skus = world.skus().await?;
    let world = world.restart(Shop::new()).await?;
    let events = Events::of(&world);
    let one = letters.first().context("no letter")?;
    let sku = about(&events, one).await?;
    events.say(&["dlq", "redrive", one]).await?;
    waiting::until("the first is there", async || available(&world, &sku).await).await?;

    let other = letters.get(1).context("only one letter")?;
    let lost = about(&events, other).await?;
    let asked = events.refused(&["dlq", "drop", other], 64).await?;
    assert!(asked.contains("--yes"), "{asked}");
    events.say(&["dlq", "drop", other, "--yes"]).await?;
    events
        .say(&["dlq", "redrive", "--subscriber", "inventory"])
        .await?;
    for sku in skus.iter().filter(|sku| **sku != lost) {
        let what = format!("{sku} is there");
        let found = waiting::until(&what, async || available(&world, sku).await).await?;
        assert_eq!(found, 100, "{sku}");
    }
    assert!(events.letters("inventory").await?.is_empty());
    assert_eq!(available(&world, &lost).await?, None);

    // What was dropped is in the log all the same.
    let replay = ["replay", "--to", "inventory", "--from", "beginning"];
    let tried = events.say(&[&replay[..], &["--dry-run"]].concat()).await?;
    assert!(tried.contains("inventory would hear"), "{tried}");
    events.refused(&replay, 64).await?;
    assert_eq!(available(&world, &lost).await?, None);
    events.say(&[&replay[..], &["--yes"]].concat()).await?;
    waiting::until("the last is there", async || available(&world, &lost).await).await?;
    for sku in &skus {
        assert_eq!(world.stock(sku).await?, (100, 0, 0), "{sku} came once");
    }
    Ok(())
}

#[tokio::test]
async fn what_people_publish_is_handled_as_any_other_event() -> Result<()> {
    let world = World::open(impatient()?, tempfile::tempdir()?).await?;
    let events = Events::of(&world);
    let data = r#"{"sku": "whalebone", "name": "Whalebone", "description": "", "price": {"amount": 900, "currency": "EUR"}}"#;
    let args = ["publish", ADDED, "--subject", "whalebone", "--data", data];
    let said = events.say(&args).await?;
    assert!(
        said.contains("inventory") && said.contains("about whalebone"),
        "{said}"
    );
    let found = waiting::until("it is heard", async || available(&world, "whalebone").await);
    assert_eq!(found.await?, 100);

    // Others wait until a key is done with; the one without a key has no others.
    events
        .say(&["publish", ADDED, "--plain", "--data", "ping"])
        .await?;
    let letter = events.dead("cart", 1).await?;
    let shown = events.say(&["dlq", "show", &letter[0]]).await?;
    assert!(shown.ends_with("\n\nping"), "{shown}");
    let lags = events.json(&["lag", "--json"]).await?;
    let items = lags["items"].as_array().context("no items")?;
    let cart = items.iter().find(|lag| lag["subscriber"] == "cart");
    assert_eq!(cart.context("no cart")?["messages"], 0);
    Ok(())
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_reason() -> Result<()> {
    let world = World::new().await?;
    let events = Events::of(&world);
    let own = events
        .refused(&["publish", "$for/cart", "--plain"], 1)
        .await?;
    let nobody = [
        "replay",
        "--to",
        "nobody",
        "--from",
        "beginning",
        "--dry-run",
    ];
    let nobody = events.refused(&nobody, 1).await?;
    let letter = events.refused(&["dlq", "show", "cart/log/1"], 1).await?;
    let place = ["replay", "--to", "cart", "--from", "lately", "--dry-run"];
    let place = events.refused(&place, 1).await?;
    let nobody = nobody.split_once(';').context("no names")?;
    assert!(
        nobody.1.contains("cart") && nobody.1.ends_with("(EVENT-001)"),
        "{nobody:?}"
    );
    insta::assert_snapshot!([&own, nobody.0, &letter, &place].join("\n"), @r#"
    error: topics that begin with `$` are the host's own (EVENT-004)
    error: "nobody" listens to no events
    error: there is no dead letter cart/log/1; `skald events dlq ls` shows those there are (EVENT-002)
    error: "lately" is no place to begin; write `beginning`, a time like 2026-01-31T23:59:59Z, how long ago, like 10m, or PARTITION:NUMBER (EVENT-003)
    "#);
    Ok(())
}

#[tokio::test]
async fn a_host_is_a_node() -> Result<()> {
    let world = World::new().await?;
    let events = Events::of(&world);
    let nodes = events.ask("nodes", &["--json"]).await?;
    assert_eq!(nodes.code, Some(0), "{nodes:?}");
    let nodes: Value = serde_json::from_str(&nodes.stdout)?;
    assert_eq!(nodes["items"].as_array().context("no items")?.len(), 1);
    assert_eq!(nodes["items"][0]["health"], "ready");
    let served = nodes["items"][0]["components"].to_string();
    assert!(served.contains("\"cart\""), "{served}");
    Ok(())
}
