//! `skald` as a command that ends by itself.

use std::{
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, sleep};

use crate::places;

/// How long a command may take, compiling included.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a command left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

/// The program, about a manifest, sharing the compiled components of all tests.
pub(crate) fn program(verb: &str, manifest: &Path) -> Command {
    let mut command = Command::new(places::program());
    command
        .arg(verb)
        .arg("-f")
        .arg(manifest)
        .arg("--cache-dir")
        .arg(places::cache());
    command.args(["--log-format", "json"]);
    command
}

/// Runs `skald <verb> -f <manifest> <args>` to its end.
pub async fn skald(verb: &str, manifest: &Path, args: &[&str]) -> Result<Output> {
    let mut command = program(verb, manifest);
    command.args(args);
    run(command).await
}

/// Runs a command to its end.
pub(crate) async fn run(mut command: Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {command:?}; build it with `cargo xtask build`"))?;
    let ended = end(&mut child, PATIENCE).await;
    if ended.is_err() {
        child.kill()?;
    }
    // A command says little: it fits into a pipe, so that nobody has to read while it runs.
    let output = child.wait_with_output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let output = Output {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    ended.with_context(|| format!("{command:?} did not end by itself: {output:?}"))?;
    Ok(output)
}

/// Waits for the end of a process.
pub(crate) async fn end(child: &mut Child, patience: Duration) -> Result<ExitStatus> {
    let last = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= last {
            bail!("still running after {patience:?}");
        }
        sleep(Duration::from_millis(5)).await;
    }
}
