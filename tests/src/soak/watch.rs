//! The runs, as the admin API lists them.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{hosts::Hosts, load::Load};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// A run in the list.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    pub(super) run: String,
    pub(super) key: String,
    pub(super) standing: String,
    pub(super) note: String,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Row>,
    next: Option<String>,
}

/// All runs of a standing; of any where it is empty.
pub(super) async fn rows(hosts: &Hosts, standing: &str) -> Result<Vec<Row>> {
    let admin = hosts.admin()?;
    let mut rows = Vec::new();
    let mut after = String::new();
    loop {
        let mut path = "/admin/v1/sagas?limit=1000".to_owned();
        for (name, value) in [("standing", standing), ("after", &after)] {
            if !value.is_empty() {
                path = format!("{path}&{name}={value}");
            }
        }
        let body = admin.get(&path).await?.is(200)?.body;
        let page: Page = serde_json::from_slice(&body)?;
        rows.extend(page.items);
        match page.next {
            Some(next) => after = next,
            None => return Ok(rows),
        }
    }
}

/// Waits until every run that was begun is there and has ended, or is parked.
pub(super) async fn settle(hosts: &Hosts, load: &Load, patience: Duration) -> Result<Vec<Row>> {
    let end = Instant::now() + patience;
    loop {
        let is_under_way = !rows(hosts, "running").await?.is_empty()
            || !rows(hosts, "rolling-back").await?.is_empty();
        if !is_under_way {
            let all = rows(hosts, "").await?;
            if all.len() >= load.begun().len() {
                return Ok(all);
            }
        }
        if Instant::now() >= end {
            return stuck(hosts, load, patience).await;
        }
        sleep(LOOK).await;
    }
}

/// Tells which runs have not ended, and shows one of them.
async fn stuck(hosts: &Hosts, load: &Load, patience: Duration) -> Result<Vec<Row>> {
    let all = rows(hosts, "").await?;
    let begun = load.begun().len();
    let is_open = |row: &&Row| matches!(row.standing.as_str(), "running" | "rolling-back");
    let open: Vec<&Row> = all.iter().filter(is_open).collect();
    let first = match open.first() {
        Some(row) => story(hosts, row).await?,
        None => "the others never began".to_owned(),
    };
    bail!(
        "seed {}: after {patience:?} {} of {begun} runs are there, and {} have not ended; the first: {first}",
        load.seed,
        all.len(),
        open.len(),
    )
}

/// All there is to know of a run.
pub(super) async fn story(hosts: &Hosts, row: &Row) -> Result<String> {
    let path = format!("/admin/v1/sagas/{}", row.run);
    let view = hosts.admin()?.get(&path).await?.json()?;
    let mut story = format!(
        "{} ({}), {}: {}\n",
        row.run, row.key, row.standing, row.note
    );
    for part in ["why", "timeline"] {
        let lines = view.get(part).and_then(|lines| lines.as_array());
        for line in lines.context("a run without a story")? {
            story.push_str(&format!("    {line}\n"));
        }
    }
    Ok(story)
}
