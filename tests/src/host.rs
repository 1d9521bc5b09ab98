//! A host that runs: started as people start it, on a free port, with data of its own.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{sync::oneshot, time::timeout};

use crate::{client::Client, command, waiting};

/// How long a start may take when nothing is compiled yet.
const START: Duration = Duration::from_secs(150);

/// How long an orderly stop may take: the host's own drain and then some.
const STOP: Duration = Duration::from_secs(30);

/// Where all hosts keep what they have, unless they are told otherwise.
const REDIS: &str = "SKALD_REDIS";

/// What of the log is shown when a test fails.
const SHOWN: usize = 16 << 10;

/// A running `skald up`. Dropping it kills it.
#[derive(Debug)]
pub struct Host {
    child: Child,
    address: SocketAddr,
    log: Log,
}

/// A host that does not serve yet.
#[derive(Debug)]
pub struct Starting {
    /// Its process.
    pub host: Host,
    served: oneshot::Receiver<SocketAddr>,
}

/// What a host has said on standard error.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

/// How a host ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// All it said on standard error.
    pub log: String,
}

// === impl Host ===

impl Host {
    /// Starts `manifest` on the data in `data`, and waits until it serves.
    pub async fn start(manifest: &Path, data: &Path) -> Result<Self> {
        Self::start_with(manifest, data, &[]).await
    }

    /// The same, with more arguments.
    pub async fn start_with(manifest: &Path, data: &Path, args: &[&str]) -> Result<Self> {
        Starting::new(manifest, data, args)?.serving().await
    }

    /// Somebody who asks this host, with connections of their own.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has said so far on standard error.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Memory that is resident, in bytes.
    pub fn memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .context("no VmRSS")?
            .trim()
            .parse()?;
        Ok(kib * 1024)
    }

    /// Whether the process is still there.
    pub fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Asks it to stop, without waiting.
    pub fn terminate(&self) -> Result<()> {
        self.signal("-TERM")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status()?;
        ensure!(status.success(), "kill {signal} {pid}: {status}");
        Ok(())
    }

    /// Lets it sleep: it does nothing, and does not know it.
    pub fn pause(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Wakes it up.
    pub fn resume(&self) -> Result<()> {
        self.signal("-CONT")
    }

    /// Stops it in good order and waits for its end.
    pub async fn stop(mut self) -> Result<Ended> {
        self.terminate()?;
        self.ended().await
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> Result<Ended> {
        let status = command::end(&mut self.child, STOP).await?;
        Ok(Ended {
            code: status.code(),
            log: self.log(),
        })
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.ended().await.map(drop)
    }

    /// Waits until `text` is in the log.
    pub async fn says(&self, text: &str) -> Result<()> {
        waiting::until(text, async || Ok(self.log().contains(text).then_some(()))).await
    }
}

impl Drop for Host {
    #[expect(
        clippy::print_stderr,
        reason = "shown with a test that fails, swallowed with one that does not"
    )]
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log();
        let from = log.len().saturating_sub(SHOWN);
        eprintln!(
            "--- the host's log ---\n{}",
            log.get(log.ceil_char_boundary(from)..).unwrap_or_default()
        );
    }
}

// === impl Starting ===

impl Starting {
    /// Starts `manifest` on the data in `data`, with more arguments.
    pub fn new(manifest: &Path, data: &Path, args: &[&str]) -> Result<Self> {
        let mut command = command::program("up", manifest);
        command
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .args(args);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if std::env::var_os(REDIS).is_some() && !args.contains(&"--redis") {
            command.args(["--redis-prefix", &prefix(data)]);
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let (log, stdout, stderr) = (Log::default(), child.stdout.take(), child.stderr.take());
        // From here on whatever fails kills the child.
        let host = Host {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            log,
        };
        host.log.follow(stderr.context("no standard error")?);
        let served = serving(stdout.context("no standard output")?);
        Ok(Self { host, served })
    }

    /// Waits until it serves.
    pub async fn serving(mut self) -> Result<Host> {
        self.host.address = match timeout(START, self.served).await {
            Ok(Ok(address)) => address,
            Ok(Err(_)) => bail!("the host ended before it served:\n{}", self.host.log()),
            Err(_) => bail!(
                "the host does not serve after {START:?}:\n{}",
                self.host.log()
            ),
        };
        Ok(self.host)
    }
}

// === impl Log ===

impl Log {
    fn follow(&self, mut from: impl Read + Send + 'static) {
        let log = self.clone();
        // Ends with the process, which closes the pipe.
        thread::spawn(move || {
            let mut piece = [0; 8 << 10];
            while let Ok(count @ 1..) = from.read(&mut piece) {
                let mut text = log.0.lock().unwrap_or_else(PoisonError::into_inner);
                text.extend_from_slice(piece.get(..count).unwrap_or_default());
            }
        });
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// What the keys in a Redis begin with that several tests share: each data directory has keys of its own, also after a
/// restart.
fn prefix(data: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    format!("e2e-{:016x}", hasher.finish())
}

/// The address in the line that says so. What is printed after it is read too, or the host would wait for a reader.
fn serving(from: impl Read + Send + 'static) -> oneshot::Receiver<SocketAddr> {
    let (found, address) = oneshot::channel();
    thread::spawn(move || {
        let mut found = Some(found);
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let address = line
                .strip_prefix("Serving http://")
                .and_then(|address| address.trim().parse().ok());
            if let Some((address, found)) =
                address.and_then(|address| Some((address, found.take()?)))
            {
                // Nobody listens any more once the start was given up.
                let _ = found.send(address);
            }
        }
    });
    address
}
