//! The command line.

mod audit;
mod doctor;
mod events;
mod nodes;
mod place;
mod saga;
mod who;

use std::{borrow::Cow, net::SocketAddr, path::PathBuf, str::FromStr};

use clap::{Args, Parser, Subcommand};
use skald_store::redis::Address;
use skald_telemetry::logs::Format;

pub(crate) use self::audit::{Audit, AuditCommand, Verify};
pub(crate) use self::doctor::{Doctor, DoctorCommand, Examine};
pub(crate) use self::events::{
    DlqCommand, Drop, Events, EventsCommand, Lag, Letter, Letters, Publish, Redrive, Replay, Tail,
};
pub(crate) use self::nodes::Nodes;
pub(crate) use self::saga::{
    Check, Companions, Export, List, Listed, One, Purge, Rerun, Runs, Saga, SagaCommand, Signal,
    Skip, Upgrade,
};
pub(crate) use self::{place::Place, who::Who};

/// Runs microservices that are WASI components.
///
/// An application is a `spin.toml`: its components, who may call them, and what each of them is granted.
#[derive(Debug, Parser)]
#[command(
    name = "skald",
    version,
    arg_required_else_help = true,
    propagate_version = true
)]
pub(crate) struct Cli {
    /// What to log: a level, or levels of modules, like `info,skald_mesh=debug`.
    #[arg(
        long,
        global = true,
        value_name = "DIRECTIVE",
        env = "SKALD_LOG",
        default_value = "info"
    )]
    pub(crate) log: String,

    /// How log lines look; without it `pretty` on a terminal and `json` elsewhere.
    #[arg(
        long,
        global = true,
        value_name = "pretty|json",
        env = "SKALD_LOG_FORMAT"
    )]
    pub(crate) log_format: Option<Format>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the application and serve it until Ctrl-C or SIGTERM.
    Up(Box<Up>),
    /// Prove without starting that every import is met by an export of the same type, and every grant is used.
    Check(Manifest),
    /// Show which path leads to which component, and who may use it.
    Routes(Manifest),
    /// See the sagas of a running host, and repair those that wait for a person.
    Saga(Saga),
    /// See what happens in a running host, who is behind, and what was given up on; deliver it again.
    Events(Events),
    /// See which nodes there are, and what each serves.
    Nodes(Nodes),
    /// Prove that the shop's audit record is as it was written.
    Audit(Audit),
    /// See whether what the host depends on is fit for it.
    Doctor(Doctor),
}

/// Which application.
#[derive(Args, Clone, Debug)]
pub(crate) struct Manifest {
    /// The manifest, or the folder it is in.
    #[arg(
        short = 'f',
        long = "from",
        visible_alias = "file",
        value_name = "PATH",
        default_value = "spin.toml"
    )]
    pub(crate) from: PathBuf,

    /// Gives a variable of the manifest its value; `name=@file` takes it from a file. Can be repeated.
    ///
    /// `SPIN_VARIABLE_NAME` in the environment does the same; the command line wins.
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,

    /// Where compiled components are kept; without it `.skald/cache` beside the manifest.
    #[arg(long, value_name = "DIR", env = "SKALD_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) manifest: Manifest,

    /// Run the components' build commands first, each distinct one once.
    #[arg(long)]
    pub(crate) build: bool,

    /// Where to listen; port 0 takes a free one, and the first line of output says which.
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "SKALD_LISTEN",
        default_value = "127.0.0.1:3000"
    )]
    pub(crate) listen: SocketAddr,

    /// Where the data is kept; without it `.skald/data` beside the manifest.
    #[arg(
        long,
        visible_alias = "state-dir",
        value_name = "DIR",
        env = "SKALD_DATA_DIR"
    )]
    pub(crate) data_dir: Option<PathBuf>,

    /// Where people, `skald saga` and `skald events` ask: an address, or `off`. Port 0 takes a free one, which
    /// they find in the data directory. Any but the machine's own addresses needs a token.
    #[arg(
        long,
        value_name = "ADDR:PORT|off",
        env = "SKALD_ADMIN",
        default_value = "127.0.0.1:0"
    )]
    pub(crate) admin: AdminAddress,

    /// Who may ask there: holders of this token. `@file` takes it from a file.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SKALD_ADMIN_TOKEN",
        hide_env_values = true
    )]
    pub(crate) admin_token: Option<String>,

    #[command(flatten)]
    pub(crate) redis: Shared,

    #[command(flatten)]
    pub(crate) wire: Wire,

    /// Print only the `Serving` line.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// The Redis that nodes share.
#[derive(Args, Clone, Debug)]
pub(crate) struct Shared {
    /// Keep state, events and journals in Redis, where other nodes of the application share them:
    /// redis://HOST:PORT, redis+sentinel://HOST,HOST/NAME or redis+cluster://HOST,HOST; rediss for TLS.
    ///
    /// Without it they are kept in the data directory, and need no server.
    #[arg(long, value_name = "URL", env = "SKALD_REDIS", hide_env_values = true)]
    pub(crate) redis: Option<Address>,

    /// The certificates that Redis is trusted by, in PEM; without it those of the system.
    #[arg(long, value_name = "FILE", env = "SKALD_REDIS_CA", requires = "redis")]
    pub(crate) redis_ca: Option<PathBuf>,

    /// What all keys in Redis begin with; without it the application's name. Applications that share a Redis need names
    /// of their own.
    #[arg(
        long,
        value_name = "NAME",
        env = "SKALD_REDIS_PREFIX",
        requires = "redis"
    )]
    pub(crate) redis_prefix: Option<String>,

    /// Start also on a Redis that may lose what it has acknowledged; `skald doctor redis` says what.
    #[arg(long, env = "SKALD_ACCEPT_REDIS_DURABILITY", requires = "redis")]
    pub(crate) accept_redis_durability: bool,
}

/// How this node meets the others.
#[derive(Args, Clone, Debug)]
pub(crate) struct Wire {
    /// Serve only these components; calls to the others go to nodes that serve them.
    #[arg(
        long,
        value_name = "COMPONENT,…",
        value_delimiter = ',',
        requires = "redis"
    )]
    pub(crate) only: Vec<String>,

    /// Where other nodes, and callers that speak gRPC, are answered; port 0 takes a free one, which other nodes learn from
    /// Redis. With --redis it is 127.0.0.1:0, and without it nowhere. Another machine's calls need certificates.
    #[arg(long, value_name = "ADDR:PORT", env = "SKALD_WIRE")]
    pub(crate) wire: Option<SocketAddr>,

    /// The authority that nodes' certificates are from, in PEM.
    #[arg(long = "wire-ca", value_name = "FILE", env = "SKALD_WIRE_CA", requires_all = ["cert", "key"])]
    pub(crate) ca: Option<PathBuf>,

    /// This node's certificate.
    #[arg(long = "wire-cert", value_name = "FILE", env = "SKALD_WIRE_CERT", requires_all = ["ca", "key"])]
    pub(crate) cert: Option<PathBuf>,

    /// The key of that certificate.
    #[arg(long = "wire-key", value_name = "FILE", env = "SKALD_WIRE_KEY", requires_all = ["ca", "cert"])]
    pub(crate) key: Option<PathBuf>,

    /// What callers that are no nodes may call: services like shop.catalog.v1.Api, or `all`. Without it nothing.
    #[arg(
        long = "wire-outside",
        value_name = "SERVICE,…|all",
        value_delimiter = ',',
        env = "SKALD_WIRE_OUTSIDE"
    )]
    pub(crate) outside: Vec<String>,
}

/// Where the admin API listens, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdminAddress {
    /// Nowhere.
    Off,
    /// There.
    At(SocketAddr),
}

impl FromStr for AdminAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let address = text.parse().map(Self::At);
        address
            .map_err(|_| "write an address with a port, like 127.0.0.1:9090, or `off`".to_owned())
    }
}

impl Command {
    /// The host that is asked, where one is.
    pub(crate) const fn place(&self) -> Option<&Place> {
        match self {
            Self::Saga(saga) => Some(&saga.place),
            Self::Events(events) => Some(&events.place),
            Self::Nodes(nodes) => Some(&nodes.place),
            Self::Up(_) | Self::Check(_) | Self::Routes(_) | Self::Audit(_) | Self::Doctor(_) => {
                None
            }
        }
    }

    pub(crate) fn manifest(&self) -> Cow<'_, Manifest> {
        match self {
            Self::Up(up) => Cow::Borrowed(&up.manifest),
            Self::Check(manifest) | Self::Routes(manifest) => Cow::Borrowed(manifest),
            Self::Saga(saga) => Cow::Owned(saga.manifest()),
            Self::Events(events) => Cow::Owned(events.place.manifest()),
            Self::Nodes(nodes) => Cow::Owned(nodes.place.manifest()),
            Self::Audit(_) => Cow::Owned(Audit::manifest()),
            Self::Doctor(_) => Cow::Owned(Doctor::manifest()),
        }
    }
}

#[cfg(test)]
mod tests;
