//! A Sentinel: who knows which server is the primary, and makes a replica one.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
};

use tempfile::TempDir;

use crate::{
    client::Client,
    ports,
    process::{Process, last_words},
    server::Server,
    until,
};

/// What it calls the primary.
const NAME: &str = "primary";

/// A Sentinel that decides alone. Dropping it kills it.
#[derive(Debug)]
pub struct Sentinel {
    _process: Process,
    _directory: TempDir,
    address: SocketAddr,
}

// === impl Sentinel ===

impl Sentinel {
    /// Starts one that watches a primary, and waits until it knows so many replicas. A primary that is silent for half a
    /// second is replaced.
    ///
    /// # Errors
    ///
    /// As [`Server::start`].
    pub fn start(primary: &Server, replicas: usize) -> io::Result<Self> {
        let (port, directory) = (ports::free()?, tempfile::tempdir()?);
        let config = directory.path().join("sentinel.conf");
        let address = primary.address();
        let text = format!(
            "bind 127.0.0.1\nport {port}\ndir {}\nsentinel monitor {NAME} {} {} 1\n\
             sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 5000\n",
            directory.path().display(),
            address.ip(),
            address.port(),
        );
        fs::write(&config, text)?;
        let arguments = [
            config.to_string_lossy().into_owned(),
            "--sentinel".to_owned(),
        ];
        let log = directory.path().join("sentinel.log");
        let mut process = Process::start(&arguments, &log)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        until("the Sentinel knows the replicas", || {
            if let Some(status) = process.ended()? {
                let words = last_words(&log);
                return Err(io::Error::other(format!(
                    "the Sentinel ended ({status}):\n{words}"
                )));
            }
            let known = Client::connect(address)
                .and_then(|mut client| client.ask(&["SENTINEL", "REPLICAS", NAME]));
            let known = known.unwrap_or_default();
            Ok(known.matches("master-link-status\nok").count() == replicas)
        })?;
        Ok(Self {
            _process: process,
            _directory: directory,
            address,
        })
    }

    /// Where the primary is found, as clients are told.
    pub fn url(&self) -> String {
        format!("redis+sentinel://{}/{NAME}", self.address)
    }

    /// Where it says that the primary is.
    ///
    /// # Errors
    ///
    /// When it cannot be heard.
    pub fn primary(&self) -> io::Result<SocketAddr> {
        let command = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME];
        let answer = Client::connect(self.address)?.ask(&command)?;
        let address = answer.replace('\n', ":");
        address.parse().map_err(io::Error::other)
    }
}
