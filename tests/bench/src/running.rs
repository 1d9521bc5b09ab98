//! The host as people start it: its own process, on a free port, with data and a cache of its own.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use e2e::Client;
use tokio::time::Instant;

/// A running `skald up`. Dropping it kills it.
pub(crate) struct Running {
    pub(crate) client: Client,
    /// From the start of the process to the first answer.
    pub(crate) took: Duration,
    child: Child,
}

// === impl Running ===

impl Running {
    /// Starts the shop and waits for its first answer to a customer.
    pub(crate) async fn start(data: &Path, cache: &Path) -> Result<Self> {
        fs::create_dir_all(data)?;
        let log = data.join("log");
        let mut command = command(data, cache);
        command.stderr(File::create(&log)?);
        let start = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let address: Option<SocketAddr> = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Serving http://")?.parse().ok());
        // A host whose words nobody reads would have to wait for a reader.
        thread::spawn(move || lines.for_each(drop));
        let Some(address) = address else {
            bail!(
                "the host ended before it served: {}\n{}",
                child.wait()?,
                fs::read_to_string(log)?
            );
        };
        // From here on whatever fails kills the child.
        let mut running = Self {
            client: Client::new(address),
            took: Duration::ZERO,
            child,
        };
        running.client.get("/api/v1/products").await?.is(200)?;
        running.took = start.elapsed();
        Ok(running)
    }

    /// Memory that is resident, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        crate::machine::resident(self.child.id())
            .context("this system does not tell how much memory is resident")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The shop on a free port.
fn command(data: &Path, cache: &Path) -> Command {
    let mut command = Command::new(e2e::places::program());
    command.arg("up").arg("-f").arg(e2e::places::shop());
    command.args(["--listen", "127.0.0.1:0", "--log-format", "json"]);
    command.arg("--data-dir").arg(data);
    command.arg("--cache-dir").arg(cache);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}
