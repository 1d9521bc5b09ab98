//! `skald saga`: what people ask a running host about its runs, and do to them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{
    client::Client,
    command::{self, Output},
    places, shopper, waiting,
};

/// Who acts, where the journal keeps it.
const WHO: &str = "hallgerd";

/// The runs of the host on some data.
#[derive(Clone, Debug)]
pub struct Sagas {
    manifest: PathBuf,
    data: PathBuf,
}

impl Sagas {
    /// Those of the host that runs this manifest on the data in `data`.
    pub fn new(manifest: &Path, data: &Path) -> Self {
        let (manifest, data) = (manifest.to_owned(), data.to_owned());
        Self { manifest, data }
    }

    /// Runs `skald saga <args>` to its end.
    pub async fn ask(&self, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(places::program());
        command.arg("saga").arg("-f").arg(&self.manifest);
        command.arg("--data-dir").arg(&self.data).args(args);
        command.env("USER", WHO);
        command.env("SKALD_CACHE_DIR", places::cache());
        command.env_remove("SKALD_ADMIN");
        command.env_remove("SKALD_ADMIN_TOKEN");
        command::run(command).await
    }

    /// What it prints when all is well.
    pub async fn say(&self, args: &[&str]) -> Result<String> {
        let output = self.ask(args).await?;
        ensure!(output.code == Some(0), "{args:?}: {output:?}");
        Ok(output.stdout)
    }

    /// What it complains about when the answer is no.
    pub async fn refused(&self, args: &[&str]) -> Result<String> {
        let output = self.ask(args).await?;
        ensure!(output.code == Some(1), "{args:?}: {output:?}");
        Ok(output.stderr.trim_end().to_owned())
    }

    /// The runs that `ls` shows, as JSON.
    pub async fn list(&self, filter: &[&str]) -> Result<Vec<Value>> {
        let args = [&["ls", "--json", "--limit", "1000"], filter].concat();
        let page: Value = serde_json::from_str(&self.say(&args).await?)?;
        ensure!(page.get("next").is_none(), "more than a page of runs");
        let items = page.get("items").and_then(Value::as_array);
        Ok(items.context("no items")?.clone())
    }

    /// One run with its story, as JSON.
    pub async fn show(&self, run: &str) -> Result<Value> {
        Ok(serde_json::from_str(
            &self.say(&["show", run, "--json"]).await?,
        )?)
    }

    /// The run of a component about an order, once it stands so.
    pub async fn run(&self, component: &str, order: &str, standing: &str) -> Result<String> {
        let filter = ["--subject", order, "--component", component];
        let what = format!("{component} of {order} is {standing}");
        let found = waiting::until(&what, async || {
            let runs = self.list(&filter).await?;
            ensure!(runs.len() <= 1, "{order} has several runs: {runs:?}");
            let stands =
                |run: &Value| run.get("standing").and_then(Value::as_str) == Some(standing);
            Ok(runs.into_iter().find(stands))
        });
        shopper::text(&found.await?, "run")
    }

    /// Waits until a run stands so.
    pub async fn stands(&self, run: &str, standing: &str) -> Result<()> {
        waiting::until(&format!("{run} is {standing}"), async || {
            let view = self.show(run).await?;
            let now = view.pointer("/row/standing").and_then(Value::as_str);
            Ok((now == Some(standing)).then_some(()))
        })
        .await
    }

    /// Waits until no run is under way, and answers with all of them.
    pub async fn all_ended(&self) -> Result<Vec<Value>> {
        let client = self.client()?;
        let under_way = "/admin/v1/sagas?limit=1000&standing=running,rolling-back,parked";
        waiting::within(waiting::PATIENCE * 2, "all runs have ended", async || {
            let page = client.get(under_way).await?.is(200)?.json()?;
            let is_empty = page.get("items").and_then(Value::as_array);
            Ok(is_empty.is_some_and(Vec::is_empty).then_some(()))
        })
        .await?;
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/admin/v1/sagas?limit=1000{after}");
            let page = client.get(&path).await?.is(200)?.json()?;
            all.extend(
                page.get("items")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(all),
            }
        }
    }

    /// Somebody who asks the admin API itself.
    pub fn client(&self) -> Result<Client> {
        let file = self.data.join("admin");
        let note = std::fs::read(&file).with_context(|| file.display().to_string())?;
        let note: Value = serde_json::from_slice(&note)?;
        Ok(Client::new(shopper::text(&note, "address")?.parse()?))
    }
}
