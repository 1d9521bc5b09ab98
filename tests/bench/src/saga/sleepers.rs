//! What runs hold on to that sleep for a long time: in a process that has seen them fall asleep, and in one that has
//! found them asleep when it started.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use skald_core::{
    saga::journal::{Filter, Journal as _},
    value::Value,
};
use tempfile::tempdir;
use tokio::{task::JoinSet, time::sleep};

use super::stand::{self, Asked, Stand};
use crate::{
    bare, machine,
    report::{Goal, Line, Report},
};

/// How many sleep.
const SLEEPERS: u32 = 10_000;

/// How many are begun at once.
const AT_ONCE: u32 = 64;

/// Longer than anybody looks.
const NIGHT: u64 = 24 * 3_600_000;

/// Instances are let go so soon; with the host's two seconds it only takes longer.
const IDLE: Duration = Duration::from_millis(100);

/// Until the last instance is let go, and those that were kept are trimmed.
const REST: Duration = Duration::from_secs(4);

/// Has both processes measured, and reports.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let data = tempdir()?;
    let [before, after] = child(SLEEPERS, data.path())?;
    let disk = size(data.path())?;
    let [empty, found] = child(0, data.path())?;
    let each = |bytes: u64| figure(bytes) / f64::from(SLEEPERS);
    let note = format!(
        "after a restart: {:.0} bytes a run, and {:.0} on the disk; the process has {:.0} MB without them",
        each(found.saturating_sub(empty)),
        each(disk),
        figure(empty) / 1e6,
    );
    let what = format!("saga: memory, {SLEEPERS} runs asleep");
    report.add(line(what, found).notes(note));
    let note = format!(
        "in the process where they fell asleep; {:.0} MB before; what is left was touched by instances that have gone",
        figure(before) / 1e6
    );
    report.add(line("saga: memory, after falling asleep".to_owned(), after).notes(note));
    Ok(())
}

fn line(what: String, bytes: u64) -> Line {
    let megabytes = figure(bytes) / 1e6;
    Line::new(what, format!("{megabytes:.0} MB")).goal(Goal::Below {
        value: megabytes,
        most: 100.0,
        unit: "MB",
    })
}

/// A process of its own, which says how much memory it had before and after.
fn child(runs: u32, data: &Path) -> Result<[u64; 2]> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--sleepers").arg(runs.to_string()).arg(data);
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.split_whitespace().map(str::parse);
    let mut next = || numbers.next().and_then(Result::ok);
    match (next(), next()) {
        (Some(before), Some(after)) => Ok([before, after]),
        _ => Err(anyhow::anyhow!(
            "the sleepers' process said {said:?}\n{}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// The whole life of that process: begins so many runs, or takes up those there are, and waits until all is quiet.
#[expect(clippy::print_stdout, reason = "this is what is asked for")]
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let [runs, data] = arguments else {
        anyhow::bail!("a number and a folder are needed");
    };
    let runs: u32 = runs.parse()?;
    let runtime = bare::runtime("bench-saga", None)?;
    let (before, after) = runtime.block_on(async {
        let stand = Stand::connect(Path::new(data), if runs == 0 { 2 } else { 1 }, IDLE)?;
        let before = memory()?;
        if runs == 0 {
            stand.sagas.recover().await?;
        } else {
            begin(&stand, runs).await?;
        }
        sleep(REST).await;
        asleep(&stand).await?;
        let after = memory()?;
        let store = stand.store.clone();
        drop(stand);
        store.close().await;
        anyhow::Ok((before, after))
    })?;
    println!("{before} {after}");
    Ok(())
}

async fn begin(stand: &Stand, runs: u32) -> Result<()> {
    let mut tasks = JoinSet::new();
    for task in 0..AT_ONCE {
        let sagas = stand.sagas.clone();
        tasks.spawn(async move {
            for run in (task..runs).step_by(AT_ONCE as usize) {
                let asked = Asked("nap", vec![Value::U64(NIGHT)]);
                stand::begin(&sagas, run.to_string(), asked).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

/// All runs have to be there, and to wait for nothing but the time.
async fn asleep(stand: &Stand) -> Result<()> {
    let filter = Filter {
        limit: SLEEPERS as usize + 1,
        ..Filter::default()
    };
    let runs = stand.store.list(&filter).await?;
    let asleep = runs.iter().filter(|run| run.due.is_some()).count();
    ensure!(
        asleep == SLEEPERS as usize && runs.len() == asleep,
        "{asleep} of {} runs sleep",
        runs.len()
    );
    Ok(())
}

fn memory() -> Result<u64> {
    machine::resident(std::process::id())
        .context("this system does not tell how much memory is resident")
}

fn size(folder: &Path) -> Result<u64> {
    let files = std::fs::read_dir(folder)?;
    files.map(|file| Ok(file?.metadata()?.len())).sum()
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
fn figure(bytes: u64) -> f64 {
    bytes as f64
}
