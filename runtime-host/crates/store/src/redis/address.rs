//! Where the servers are, as people write it.

use std::{fmt, str::FromStr};

use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, io::tcp::TcpSettings,
};
use thiserror::Error;

/// The port of a server that is named without one.
const SERVER: u16 = 6379;

/// The port of a Sentinel that is named without one.
const SENTINEL: u16 = 26379;

/// Where the servers are.
#[derive(Clone)]
pub struct Address {
    pub(crate) kind: Kind,
    /// Without user and password, for people.
    text: String,
}

/// How the servers are found.
#[derive(Clone)]
pub(crate) enum Kind {
    /// It is this one.
    Server(ConnectionInfo),
    /// These know which one it is.
    Sentinel {
        sentinels: Vec<ConnectionAddr>,
        name: String,
        login: RedisConnectionInfo,
    },
    /// These know all of them.
    Cluster(Vec<ConnectionInfo>),
}

/// That text names no servers.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "{why}; write redis://HOST:PORT, redis+sentinel://HOST:PORT,HOST:PORT/NAME or redis+cluster://HOST:PORT,HOST:PORT, \
     with rediss for TLS and USER:PASSWORD@ before the hosts where a password is needed"
)]
pub struct NoAddress {
    why: String,
}

// === impl Address ===

impl Address {
    /// Whether keys are spread over several servers, so that only what is in one place commits together.
    pub fn is_cluster(&self) -> bool {
        matches!(self.kind, Kind::Cluster(_))
    }
}

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| no_address("it has no scheme"))?;
        let (transport, way) = scheme.split_once('+').unwrap_or((scheme, ""));
        if !matches!(transport, "redis" | "rediss") {
            return Err(no_address(format!("{scheme:?} is not known")));
        }
        let kind = match way {
            "" => Kind::Server(one(text)?),
            "cluster" => Kind::Cluster(cluster(transport, rest)?),
            "sentinel" => sentinel(transport, rest)?,
            other => return Err(no_address(format!("{other:?} is not known"))),
        };
        Ok(Self {
            kind,
            text: format!("{scheme}://{}", login_and_rest(rest).1),
        })
    }
}

/// Without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn no_address(why: impl Into<String>) -> NoAddress {
    NoAddress { why: why.into() }
}

/// The crate's own words are not told: they can have the password in them.
fn one(url: &str) -> Result<ConnectionInfo, NoAddress> {
    url.into_connection_info()
        .map(|info| info.set_tcp_settings(tcp()))
        .map_err(|_| no_address("the address cannot be read"))
}

/// Commands are small and each is waited for: none is to be held back for the next.
pub(crate) fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn login_and_rest(rest: &str) -> (&str, &str) {
    rest.rsplit_once('@').unwrap_or(("", rest))
}

fn cluster(transport: &str, rest: &str) -> Result<Vec<ConnectionInfo>, NoAddress> {
    let (login, hosts) = login_and_rest(rest);
    let at = if login.is_empty() { "" } else { "@" };
    hosts
        .trim_end_matches('/')
        .split(',')
        .map(|host| one(&format!("{transport}://{login}{at}{host}")))
        .collect()
}

fn sentinel(transport: &str, rest: &str) -> Result<Kind, NoAddress> {
    let (login, rest) = login_and_rest(rest);
    let at = if login.is_empty() { "" } else { "@" };
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (name, database) = path.split_once('/').unwrap_or((path, ""));
    if name.is_empty() {
        return Err(no_address("the name of the master is missing"));
    }
    let mut sentinels = Vec::new();
    for host in hosts.split(',') {
        let host = if has_port(host) {
            host.to_owned()
        } else {
            format!("{host}:{SENTINEL}")
        };
        sentinels.push(one(&format!("{transport}://{host}"))?.addr().clone());
    }
    // The host is of no matter: what is wanted is how the login is read.
    let login = one(&format!(
        "{transport}://{login}{at}host:{SERVER}/{database}"
    ))?;
    Ok(Kind::Sentinel {
        sentinels,
        name: name.to_owned(),
        login: login.redis_settings().clone(),
    })
}

fn has_port(host: &str) -> bool {
    match host.rsplit_once(']') {
        Some((_, after)) => after.starts_with(':'),
        None => host.contains(':'),
    }
}
