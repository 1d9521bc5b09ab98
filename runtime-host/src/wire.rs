//! The wire between nodes: what this node serves to others, and the road to what they serve.

use std::{collections::BTreeSet, fs, io, net::SocketAddr, sync::Arc};

use skald_core::{
    call::DynCall,
    manifest::ComponentId,
    node::{Health, Node},
};
use skald_telemetry::tasks::Tasks;
use skald_wire::{Config, ConfigError, ContractError, Contracts, Peer, Peers, Server};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::{application::Application, members::Members};

/// How this node meets others.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Whom it trusts, and how calls are protected.
    pub(crate) config: Config,
}

/// Why there is no wire.
#[derive(Debug, Error)]
pub(crate) enum WireError {
    /// The settings do not go together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A contract cannot be read.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A component is not there.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {0} for other nodes: {1}; choose another address with --wire")]
    Listen(SocketAddr, io::Error),
    /// Others could not be told where that is.
    #[error(
        "--wire {0}: name an address that other nodes can reach; this one stands for all of the machine's"
    )]
    Unspecified(SocketAddr),
}

/// The wire, listening and not yet open.
pub(crate) struct Wire {
    listener: TcpListener,
    address: SocketAddr,
    config: Config,
    own: Contracts,
    pub(crate) peers: Arc<Peers>,
}

// === impl Wire ===

impl Wire {
    /// Takes the address, and reads what all components offer.
    pub(crate) async fn open(
        settings: &Settings,
        application: &Application,
        tasks: &Tasks,
    ) -> Result<Self, WireError> {
        let Settings { listen, config } = settings.clone();
        config.security.check(listen)?;
        if listen.ip().is_unspecified() {
            return Err(WireError::Unspecified(listen));
        }
        let mut code = Vec::with_capacity(application.specs.len());
        for spec in &application.specs {
            let wasm = fs::read(&spec.source).map_err(|source| WireError::File {
                file: spec.source.clone(),
                source,
            })?;
            code.push((spec.id.clone(), wasm));
        }
        let all = Contracts::read(&code)?;
        for left_out in all.left_out() {
            tracing::info!(%left_out, "a function cannot be called from other nodes");
        }
        code.retain(|(id, _)| application.served.contains(id));
        let own = Contracts::read(&code)?;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| WireError::Listen(listen, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| WireError::Listen(listen, error))?;
        let peers = Arc::new(Peers::new(config.clone(), all, tasks.clone()));
        Ok(Self {
            listener,
            address,
            config,
            own,
            peers,
        })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Knows the other nodes from now on, as they come and go.
    pub(crate) fn follow(&self, members: &Arc<Members>, tasks: &Tasks) {
        follow(Arc::clone(&self.peers), Arc::clone(members), tasks);
    }

    /// Serves others until told to stop.
    pub(crate) fn serve(self, calls: Arc<dyn DynCall>, tasks: &Tasks) {
        let (server, shutdown) = (Server::new(self.config, self.own, calls), tasks.shutdown());
        let listener = self.listener;
        tasks.spawn("wire", async move {
            if let Err(error) = server.serve(listener, shutdown).await {
                tracing::error!(%error, code = error.code(), "other nodes are not served");
            }
        });
    }
}

/// Tells the wire who the other nodes are, each time that it changes.
fn follow(peers: Arc<Peers>, members: Arc<Members>, tasks: &Tasks) {
    let (shutdown, mut changes) = (tasks.shutdown(), members.changes());
    let meet = move || {
        for error in peers.set(members.others().iter().filter_map(peer).collect()) {
            tracing::warn!(%error, code = error.code(), "a node is not called");
        }
    };
    // Those that are there already can be asked at once.
    meet();
    tasks.spawn("other nodes", async move {
        loop {
            tokio::select! {
                biased;
                () = shutdown.wait() => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
            meet();
        }
    });
}

/// A node that takes calls.
fn peer(node: &Node) -> Option<Peer> {
    let components = node.components.iter();
    let components: BTreeSet<_> = components
        .map(|served| ComponentId::from(served.component.as_str()))
        .collect();
    (node.health != Health::Draining).then_some(Peer {
        node: node.id.clone(),
        address: node.address.as_ref()?.parse().ok()?,
        components,
    })
}
