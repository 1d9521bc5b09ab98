//! One server.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    client::Client,
    ports,
    process::{Process, last_words},
    until,
};

/// How often a port is chosen: another process may take it before the server does.
const ATTEMPTS: usize = 8;

/// Where Redis keeps what has to survive.
const DATA: &str = "appendonlydir";

/// What a server is to be told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    config: Vec<(String, String)>,
    password: Option<String>,
}

/// A running server. Dropping it kills it and removes its data.
#[derive(Debug)]
pub struct Server {
    process: Process,
    options: Options,
    port: u16,
    directory: TempDir,
}

/// The data of a server as it was once.
#[derive(Debug)]
pub struct Backup(TempDir);

// === impl Options ===

impl Options {
    /// One more line of `redis.conf`, instead of the one with that name there may be.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.config.retain(|(known, _)| known != name);
        self.config.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets in only who knows this.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// The arguments of a server that is durable unless it is told otherwise.
    fn arguments(&self, port: u16, directory: &Path) -> Vec<String> {
        let mut all = Self::default()
            .with("bind", "127.0.0.1")
            .with("appendonly", "yes")
            .with("appendfsync", "always")
            .with("save", "")
            .with("repl-diskless-sync-delay", "0")
            .with("enable-debug-command", "local");
        if let Some(password) = &self.password {
            all = all.with("requirepass", password);
            all = all.with("masterauth", password);
        }
        for (name, value) in &self.config {
            all = all.with(name, value);
        }
        all = all.with("port", &port.to_string());
        all = all.with("dir", &directory.to_string_lossy());
        let pair = |(name, value)| [format!("--{name}"), value];
        all.config.into_iter().flat_map(pair).collect()
    }
}

// === impl Server ===

impl Server {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    ///
    /// When there is no `redis-server`, or it does not like its options; its own words are in the error.
    pub fn start(options: Options) -> io::Result<Self> {
        let mut last = io::Error::other("no port was tried");
        for _ in 0..ATTEMPTS {
            let (port, directory) = (ports::free()?, tempfile::tempdir()?);
            match launch(&options, port, directory.path()) {
                Ok(process) => {
                    return Ok(Self {
                        process,
                        options,
                        port,
                        directory,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Starts one that copies this one, and waits until it has.
    ///
    /// # Errors
    ///
    /// As [`Server::start`].
    pub fn replica(&self, options: Options) -> io::Result<Self> {
        let options = Options {
            password: self.options.password.clone(),
            ..options.with("replicaof", &format!("127.0.0.1 {}", self.port))
        };
        let replica = Self::start(options)?;
        replica.is_in_step()?;
        Ok(replica)
    }

    /// Waits until a replica has all that its primary has, also on its disk: that is once it has rewritten its file, and until
    /// then a kill loses it.
    pub(crate) fn is_in_step(&self) -> io::Result<()> {
        until("the replica is in step", || {
            let info = self.ask(&["INFO"])?;
            let has = |line| info.contains(line);
            Ok(has("master_link_status:up\r")
                && has("aof_rewrite_in_progress:0\r")
                && has("aof_rewrite_scheduled:0\r"))
        })
    }

    /// Lets no replica copy it any more: what it is told from now on, it has alone.
    ///
    /// # Errors
    ///
    /// When it cannot be heard.
    pub fn keep_to_itself(&self) -> io::Result<()> {
        let mut client = self.client()?;
        client.ask(&["ACL", "SETUSER", "default", "-psync", "-sync"])?;
        client.ask(&["CLIENT", "KILL", "TYPE", "replica"]).map(drop)
    }

    /// Makes a replica of a cluster a primary, whatever the one before says.
    ///
    /// # Errors
    ///
    /// When it cannot be heard.
    pub fn take_over(&self) -> io::Result<()> {
        self.ask(&["CLUSTER", "FAILOVER", "TAKEOVER"])?;
        until("the replica has taken over", || {
            Ok(self
                .ask(&["INFO", "replication"])?
                .contains("role:master\r"))
        })
    }

    /// Makes a replica a primary.
    ///
    /// # Errors
    ///
    /// When it cannot be heard.
    pub fn promote(&mut self) -> io::Result<()> {
        self.options.config.retain(|(name, _)| name != "replicaof");
        self.ask(&["REPLICAOF", "NO", "ONE"]).map(drop)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Where it listens, as clients are told.
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The same for who reaches it by another address.
    pub fn url_at(&self, address: SocketAddr) -> String {
        match &self.options.password {
            None => format!("redis://{address}"),
            Some(password) => format!("redis://:{password}@{address}"),
        }
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Where its data is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// All it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(log(self.directory())).unwrap_or_default()
    }

    /// A connection of one's own.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub fn client(&self) -> io::Result<Client> {
        connect(self.address(), &self.options)
    }

    /// Asks it something; see [`Client::ask`].
    ///
    /// # Errors
    ///
    /// When it says no or cannot be reached.
    pub fn ask(&self, command: &[&str]) -> io::Result<String> {
        self.client()?.ask(command)
    }

    /// Ends it as a power cut would.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }

    /// Starts it again where it was, on its data; kills it before if it is there.
    ///
    /// # Errors
    ///
    /// As [`Server::start`], and when its port was taken meanwhile.
    pub fn restart(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process = launch(&self.options, self.port, self.directory.path())?;
        Ok(())
    }

    /// Freezes it: what it has said stands, what is asked waits.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn stop(&self) -> io::Result<()> {
        self.process.signal("STOP")?;
        until("redis-server is frozen", || Ok(self.process.is_frozen()))
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn cont(&self) -> io::Result<()> {
        self.process.signal("CONT")
    }

    /// Copies the data it has now. Nobody may write meanwhile.
    ///
    /// # Errors
    ///
    /// When the files cannot be copied.
    pub fn back_up(&self) -> io::Result<Backup> {
        let backup = tempfile::tempdir()?;
        copy(&self.data(), backup.path())?;
        Ok(Backup(backup))
    }

    /// Kills it and starts it again with the data of a backup.
    ///
    /// # Errors
    ///
    /// When the files cannot be copied, and as [`Server::restart`].
    pub fn restore(&mut self, backup: &Backup) -> io::Result<()> {
        self.kill()?;
        fs::remove_dir_all(self.data())?;
        fs::create_dir(self.data())?;
        copy(backup.0.path(), &self.data())?;
        self.restart()
    }

    fn data(&self) -> PathBuf {
        self.directory().join(DATA)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

fn log(directory: &Path) -> PathBuf {
    directory.join("redis.log")
}

fn connect(address: SocketAddr, options: &Options) -> io::Result<Client> {
    let mut client = Client::connect(address)?;
    if let Some(password) = &options.password {
        client.ask(&["AUTH", password])?;
    }
    Ok(client)
}

/// A process that answers.
fn launch(options: &Options, port: u16, directory: &Path) -> io::Result<Process> {
    let log = log(directory);
    let _ = fs::remove_file(&log);
    let mut process = Process::start(&options.arguments(port, directory), &log)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    until("redis-server answers", || {
        if let Some(status) = process.ended()? {
            let words = last_words(&log);
            let kind = if words.contains("Address already in use") {
                io::ErrorKind::AddrInUse
            } else {
                io::ErrorKind::Other
            };
            let why = format!("redis-server ended at once ({status}):\n{words}");
            return Err(io::Error::new(kind, why));
        }
        Ok(answers(address, options, process.id()))
    })?;
    Ok(process)
}

/// Whether that very process answers there; until it has read its data, it does not.
fn answers(address: SocketAddr, options: &Options, pid: u32) -> bool {
    let own = format!("process_id:{pid}\r");
    connect(address, options)
        .and_then(|mut client| {
            client.ask(&["PING"])?;
            client.ask(&["INFO", "server"])
        })
        .is_ok_and(|info| info.contains(&own))
}
