//! One host after the other, on the same data.

use std::{
    fs,
    path::PathBuf,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{sync::Mutex, time::Instant};

use crate::{Client, Host, places};

/// Traps are part of the soak; what is logged below this would bury what matters.
const LOG: [&str; 2] = ["--log", "error"];

/// The host that runs, if one does.
pub(super) struct Hosts {
    data: TempDir,
    manifest: PathBuf,
    host: Mutex<Option<Host>>,
    client: RwLock<Client>,
}

// === impl Hosts ===

impl Hosts {
    /// Starts the first one.
    pub(super) async fn start() -> Result<Self> {
        let (data, manifest) = (tempfile::tempdir()?, places::guest("soak"));
        let host = Host::start_with(&manifest, data.path(), &LOG).await?;
        Ok(Self {
            data,
            manifest,
            client: RwLock::new(host.client()),
            host: Mutex::new(Some(host)),
        })
    }

    /// Kills the host and starts another; answers with how long nobody served.
    pub(super) async fn replace(&self) -> Result<Duration> {
        let mut host = self.host.lock().await;
        let start = Instant::now();
        host.take().context("there is no host")?.kill().await?;
        let next = Host::start_with(&self.manifest, self.data.path(), &LOG).await?;
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = next.client();
        *host = Some(next);
        Ok(start.elapsed())
    }

    /// Stops the last one, which has to end well.
    pub(super) async fn stop(&self) -> Result<()> {
        let host = self.host.lock().await.take();
        let ended = host.context("there is no host")?.stop().await?;
        ensure!(
            ended.code == Some(0),
            "the host ended with {:?}",
            ended.code
        );
        Ok(())
    }

    /// Somebody who asks the host for its application. It may be gone at any time.
    pub(super) fn client(&self) -> Client {
        let client = self.client.read();
        client.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Somebody who asks the host for its sagas.
    pub(super) fn admin(&self) -> Result<Client> {
        let note = fs::read_to_string(self.data.path().join("admin"))?;
        let note: Value = serde_json::from_str(&note)?;
        let address = note.get("address").and_then(Value::as_str);
        Ok(Client::new(address.context("no address")?.parse()?))
    }
}
