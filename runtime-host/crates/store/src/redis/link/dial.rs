//! How servers are found and connected to.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisConnectionInfo,
    RedisResult, TlsCertificates, TlsMode,
    cluster::{ClusterClient, ClusterClientBuilder},
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};

use super::Connection;
use crate::redis::{
    address::{self, Kind},
    config::Config,
};

/// How long a connection may take to come to be. Networks that answer at all do so much sooner.
const CONNECT: Duration = Duration::from_secs(1);

/// How many commands wait in line for the connection at most before those who send wait too.
const IN_LINE: usize = 1_024;

/// How often the cluster client follows a redirection or a lost connection by itself. What it followed would be unknown
/// here: who is behind a connection that it found by itself, and whether a command was sent twice. And a redirection
/// out of a slot that is just moving leads to half of what the slot has.
const CLUSTER_RETRIES: u32 = 0;

/// Finds the servers.
pub(super) struct Dialer {
    target: Target,
    settings: AsyncConnectionConfig,
    roots: Option<TlsCertificates>,
    /// How often a server was named to those who listen.
    named: usize,
}

enum Target {
    Server(Client),
    Sentinel(SentinelClient),
    Cluster(ClusterClient, Vec<ConnectionInfo>),
}

// === impl Dialer ===

impl Dialer {
    pub(super) fn new(config: &Config) -> RedisResult<Self> {
        let roots = config.roots.clone().map(|root_cert| TlsCertificates {
            client_tls: None,
            root_cert: Some(root_cert),
        });
        let target = match &config.address.kind {
            Kind::Server(info) => Target::Server(client(info, roots.as_ref())?),
            Kind::Sentinel {
                sentinels,
                name,
                login,
            } => Target::Sentinel(sentinel((sentinels, name), login, roots.as_ref())?),
            Kind::Cluster(nodes) => {
                Target::Cluster(cluster(nodes, roots.as_ref(), config)?, nodes.clone())
            }
        };
        Ok(Self {
            target,
            settings: AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(config.answer))
                .set_pipeline_buffer_size(IN_LINE),
            roots,
            named: 0,
        })
    }

    /// A new connection.
    pub(super) async fn dial(&mut self) -> RedisResult<Connection> {
        let settings = &self.settings;
        Ok(match &mut self.target {
            Target::Server(client) => Connection::One(
                client
                    .get_multiplexed_async_connection_with_config(settings)
                    .await?,
            ),
            Target::Sentinel(sentinel) => {
                Connection::One(sentinel.get_async_connection_with_config(settings).await?)
            }
            Target::Cluster(cluster, _) => {
                Connection::Cluster(cluster.get_async_connection().await?)
            }
        })
    }

    /// A server that hears all that is published. In a cluster each does; of those that are known it is the next one
    /// each time, so that one which is gone is passed over.
    pub(super) async fn client(&mut self) -> RedisResult<Client> {
        self.named += 1;
        match &mut self.target {
            Target::Server(server) => Ok(server.clone()),
            Target::Sentinel(sentinel) => sentinel.async_get_client().await,
            Target::Cluster(_, nodes) => {
                let turn = self.named % nodes.len().max(1);
                match nodes.get(turn) {
                    Some(node) => client(node, self.roots.as_ref()),
                    None => Err((redis::ErrorKind::InvalidClientConfig, "no nodes").into()),
                }
            }
        }
    }
}

fn client(info: &ConnectionInfo, roots: Option<&TlsCertificates>) -> RedisResult<Client> {
    match roots {
        Some(roots) if is_tls(info.addr()) => Client::build_with_tls(info.clone(), roots.clone()),
        _ => Client::open(info.clone()),
    }
}

fn sentinel(
    (sentinels, name): (&[ConnectionAddr], &str),
    login: &RedisConnectionInfo,
    roots: Option<&TlsCertificates>,
) -> RedisResult<SentinelClient> {
    let all = sentinels.iter().cloned();
    let mut builder = SentinelClientBuilder::new(all, name, SentinelServerType::Master)?
        .set_client_to_redis_db(login.db())
        .set_client_to_redis_tcp_settings(address::tcp())
        .set_client_to_sentinel_tcp_settings(address::tcp());
    if let Some(user) = login.username() {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = login.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if sentinels.iter().any(is_tls) {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        if let Some(roots) = roots {
            builder = builder
                .set_client_to_redis_certificates(roots.clone())
                .set_client_to_sentinel_certificates(roots.clone());
        }
    }
    builder.build()
}

fn cluster(
    nodes: &[ConnectionInfo],
    roots: Option<&TlsCertificates>,
    config: &Config,
) -> RedisResult<ClusterClient> {
    let mut builder = ClusterClientBuilder::new(nodes.iter().cloned())
        .connection_timeout(CONNECT)
        .response_timeout(config.answer)
        .tcp_settings(address::tcp())
        .retries(CLUSTER_RETRIES);
    if let Some(roots) = roots
        && nodes.iter().any(|node| is_tls(node.addr()))
    {
        builder = builder.certs(roots.clone());
    }
    builder.build()
}

const fn is_tls(address: &ConnectionAddr) -> bool {
    matches!(address, ConnectionAddr::TcpTls { .. })
}
