//! What each server says of itself, and how servers make up a cluster.

use std::collections::BTreeMap;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisError, RedisResult,
    TlsCertificates,
};

use super::{Finding, Stake};
use crate::redis::{
    address::Kind,
    config::Config,
    link::{Failure, Link},
};

/// How many slots a cluster has.
const SLOTS: u64 = 16_384;

/// The settings that are looked at.
const SETTINGS: [&str; 7] = [
    "appendonly",
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "save",
    "stop-writes-on-bgsave-error",
    "min-replicas-to-write",
    "min-replicas-max-lag",
];

/// What a server says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Where it is.
    pub(super) server: String,
    info: BTreeMap<String, String>,
    /// Empty where they are hidden.
    settings: BTreeMap<String, String>,
}

/// The servers that keep the data.
#[derive(Debug)]
pub(super) struct Servers {
    facts: Vec<Facts>,
    /// Whether they were asked for as a cluster.
    is_cluster: bool,
    /// What the cluster says of itself, if there is one.
    cluster: BTreeMap<String, String>,
    /// Primaries without a replica.
    single: usize,
}

/// One line of what a cluster knows of its servers.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    id: String,
    /// Host and port.
    address: Option<(String, u16)>,
    /// Whose replica it is.
    of: Option<String>,
    is_gone: bool,
}

// === impl Servers ===

impl Servers {
    /// Finds them and asks each.
    pub(super) async fn find(config: &Config) -> Result<Self, Failure> {
        let found = match &config.address.kind {
            // Any of them knows the others.
            Kind::Cluster(nodes) => {
                let mut last = None;
                for node in nodes {
                    match Self::ask(config, node).await {
                        Ok(found) => return Ok(found),
                        Err(error) => last = Some(error),
                    }
                }
                Err(last.unwrap_or_else(|| {
                    (redis::ErrorKind::InvalidClientConfig, "no servers").into()
                }))
            }
            // A Sentinel knows which one it is.
            Kind::Server(_) | Kind::Sentinel { .. } => match Link::new(config)?.client().await {
                Ok(client) => Self::ask(config, client.get_connection_info()).await,
                Err(error) => Err(error),
            },
        };
        found.map_err(|error| Failure::of(&error))
    }

    async fn ask(config: &Config, any: &ConnectionInfo) -> RedisResult<Self> {
        let facts = facts(config, any).await?;
        let is_cluster = config.address.is_cluster();
        if facts.info("cluster_enabled") != Some("1") {
            return Ok(Self {
                facts: vec![facts],
                is_cluster,
                cluster: BTreeMap::new(),
                single: 0,
            });
        }
        let mut connection = connect(config, any).await?;
        let mut command = redis::cmd("CLUSTER");
        let text: String = command.arg("INFO").query_async(&mut connection).await?;
        let mut command = redis::cmd("CLUSTER");
        let nodes: String = command.arg("NODES").query_async(&mut connection).await?;
        let members = members(&nodes);
        let mut all = Vec::new();
        for member in members
            .iter()
            .filter(|one| one.of.is_none() && !one.is_gone)
        {
            all.push(match at(any, member) {
                Some(info) => self::facts(config, &info).await?,
                None => facts.clone(),
            });
        }
        Ok(Self {
            facts: all,
            is_cluster,
            cluster: lines(&text),
            single: single(&members),
        })
    }

    /// What they say, each for itself.
    pub(super) fn facts(&self) -> &[Facts] {
        &self.facts
    }

    /// Whether they are together what they were asked for as.
    pub(super) fn layout(&self) -> Vec<Finding> {
        const CHECK: &str = "layout";
        let primaries = self.facts.len();
        let finding = match (self.is_cluster, !self.cluster.is_empty()) {
            (false, false) => return vec![Finding::new(CHECK, "one server")],
            (false, true) => Finding::new(CHECK, "a member of a cluster").unusable(
                "It has a part of the keys only.",
                "write redis+cluster://HOST:PORT,HOST:PORT",
            ),
            (true, false) => Finding::new(CHECK, "one server without a cluster").unusable(
                "It does not answer as a cluster does.",
                "write redis://HOST:PORT, or start it with cluster-enabled yes",
            ),
            (true, true) => {
                let slots = self.cluster.get("cluster_slots_ok");
                let slots = slots.and_then(|text| text.parse::<u64>().ok());
                let slots = slots.unwrap_or_default();
                let found = format!("a cluster of {primaries} primaries with {slots} slots");
                let finding = Finding::new(CHECK, found);
                if slots < SLOTS {
                    finding.unusable(
                        "Keys of slots that nobody has can neither be read nor written.",
                        "redis-cli --cluster fix HOST:PORT",
                    )
                } else if self.single > 0 {
                    finding.weak(
                        Stake::Service,
                        format!(
                            "{} of them have no replica: when one dies, what it has waits until it is back.",
                            self.single
                        ),
                        "redis-cli --cluster add-node HOST:PORT HOST:PORT --cluster-slave",
                    )
                } else {
                    finding
                }
            }
        };
        vec![finding]
    }
}

// === impl Facts ===

impl Facts {
    pub(super) fn info(&self, name: &str) -> Option<&str> {
        self.info.get(name).map(String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.info(name)?.parse().ok()
    }

    /// A setting; none where settings are hidden.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }
}

/// What all servers say that answer over a link; who does not say what it is called is called nothing.
pub(super) async fn said(link: &Link) -> Result<Vec<Facts>, Failure> {
    let info = redis::cmd("INFO");
    let all: BTreeMap<String, String> = if link.is_cluster() {
        link.ask(&info).await?
    } else {
        BTreeMap::from([(String::new(), link.ask(&info).await?)])
    };
    let facts = |(server, text): (String, String)| Facts {
        server,
        info: lines(&text),
        settings: BTreeMap::new(),
    };
    Ok(all.into_iter().map(facts).collect())
}

async fn connect(
    config: &Config,
    info: &ConnectionInfo,
) -> RedisResult<redis::aio::MultiplexedConnection> {
    let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
    let client = match &config.roots {
        Some(roots) if is_tls => {
            let certificates = TlsCertificates {
                client_tls: None,
                root_cert: Some(roots.clone()),
            };
            Client::build_with_tls(info.clone(), certificates)?
        }
        _ => Client::open(info.clone())?,
    };
    let settings = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(config.answer))
        .set_response_timeout(Some(config.answer));
    client
        .get_multiplexed_async_connection_with_config(&settings)
        .await
}

async fn facts(config: &Config, info: &ConnectionInfo) -> RedisResult<Facts> {
    let mut connection = connect(config, info).await?;
    let said: RedisResult<String> = redis::cmd("INFO").query_async(&mut connection).await;
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(&SETTINGS);
    let settings: RedisResult<BTreeMap<String, String>> =
        command.query_async(&mut connection).await;
    Ok(Facts {
        server: info.addr().to_string(),
        info: seen(said)?.map(|text| lines(&text)).unwrap_or_default(),
        settings: seen(settings)?.unwrap_or_default(),
    })
}

/// An answer; none where the server does not let us see it.
fn seen<T>(answer: RedisResult<T>) -> Result<Option<T>, RedisError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

/// `name:value` lines.
fn lines(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim_end().split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The same way to another server.
fn at(any: &ConnectionInfo, member: &Member) -> Option<ConnectionInfo> {
    let (host, port) = member.address.clone()?;
    let address = match any.addr() {
        ConnectionAddr::Tcp(..) => ConnectionAddr::Tcp(host, port),
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => return None,
    };
    Some(any.clone().set_addr(address))
}

/// What `CLUSTER NODES` says: id, address, flags and primary of each, and more.
fn members(text: &str) -> Vec<Member> {
    text.lines().filter_map(member).collect()
}

fn member(line: &str) -> Option<Member> {
    let mut words = line.split(' ');
    let (id, address, flags, of) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let flags: Vec<_> = flags.split(',').collect();
    let is = |flag| flags.contains(&flag);
    // The port of the cluster's own bus comes after it, and a name may come after that.
    let address = address
        .split_once('@')
        .map_or(address, |(address, _)| address);
    let address = address.rsplit_once(':').and_then(|(host, port)| {
        let host = (!host.is_empty()).then(|| host.to_owned())?;
        Some((host, port.parse().ok()?))
    });
    Some(Member {
        id: id.to_owned(),
        address,
        of: is("slave").then(|| of.to_owned()),
        is_gone: is("fail") || is("noaddr") || is("handshake"),
    })
}

/// How many primaries nobody could take the place of.
fn single(members: &[Member]) -> usize {
    let has_replica = |id: &str| {
        members
            .iter()
            .any(|one| one.of.as_deref() == Some(id) && !one.is_gone)
    };
    let primaries = members
        .iter()
        .filter(|one| one.of.is_none() && !one.is_gone);
    primaries.filter(|one| !has_replica(&one.id)).count()
}
