//! A cluster of primaries.

use std::{io, net::SocketAddr};

use crate::{
    ports,
    server::{Options, Server},
    until,
};

/// How many slots a cluster has.
const SLOTS: usize = 16_384;

/// A cluster of primaries that have all slots. Dropping it kills them.
#[derive(Debug)]
pub struct Cluster(Vec<Server>);

impl Cluster {
    /// Starts one of so many primaries, and waits until each of them serves. Redis itself takes two seconds for that.
    ///
    /// # Errors
    ///
    /// As [`Server::start`].
    pub fn start(primaries: usize) -> io::Result<Self> {
        Self::start_with(primaries, &Options::default())
    }

    /// The same with options for each of them.
    ///
    /// # Errors
    ///
    /// As [`Server::start`].
    pub fn start_with(primaries: usize, options: &Options) -> io::Result<Self> {
        let mut servers = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..primaries {
            let bus = ports::free()?.to_string();
            servers.push(Server::start(member(options, &bus))?);
            buses.push(bus);
        }
        let cluster = Self(servers);
        cluster.assign()?;
        cluster.introduce(&buses)?;
        until("the cluster serves", || cluster.serves())?;
        Ok(cluster)
    }

    /// Adds a replica of a primary, and waits until it has all that the primary has and each primary knows it. It is not
    /// one of [`Cluster::servers`].
    ///
    /// # Errors
    ///
    /// As [`Server::start`].
    pub fn replica(&self, of: usize) -> io::Result<Server> {
        let primary = self.0.get(of).ok_or(io::ErrorKind::NotFound)?;
        let bus = ports::free()?.to_string();
        let replica = Server::start(member(&Options::default(), &bus))?;
        let (id, port) = (replica.ask(&["CLUSTER", "MYID"])?, replica.address().port());
        let meet = ["CLUSTER", "MEET", "127.0.0.1", &port.to_string(), &bus];
        for server in &self.0 {
            server.ask(&meet)?;
        }
        let its = primary.ask(&["CLUSTER", "MYID"])?;
        until("the replica may copy", || {
            Ok(replica.ask(&["CLUSTER", "REPLICATE", &its]).is_ok())
        })?;
        replica.is_in_step()?;
        let knows = |server: &Server| {
            let nodes = server.ask(&["CLUSTER", "NODES"])?;
            let is_replica = |line: &str| line.starts_with(&id) && line.contains("slave");
            io::Result::Ok(nodes.lines().any(is_replica))
        };
        until("everybody knows the replica", || {
            let all: Vec<bool> = self.0.iter().map(knows).collect::<io::Result<_>>()?;
            Ok(all.into_iter().all(|knows| knows))
        })?;
        Ok(replica)
    }

    /// Its servers.
    pub fn servers(&self) -> &[Server] {
        &self.0
    }

    /// The same, to be killed and restarted.
    pub fn servers_mut(&mut self) -> &mut [Server] {
        &mut self.0
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(Server::address).collect()
    }

    /// Where they listen, as clients are told.
    pub fn urls(&self) -> Vec<String> {
        self.0.iter().map(Server::url).collect()
    }

    /// Gives each primary its part of the slots, and an epoch of its own.
    fn assign(&self) -> io::Result<()> {
        let count = self.0.len();
        for (place, server) in self.0.iter().enumerate() {
            let first = (SLOTS * place / count).to_string();
            let last = (SLOTS * (place + 1) / count - 1).to_string();
            let mut client = server.client()?;
            client.ask(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
            client.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(place + 1).to_string()])?;
        }
        Ok(())
    }

    /// Makes each know each: faster than letting them hear of each other.
    fn introduce(&self, buses: &[String]) -> io::Result<()> {
        for server in &self.0 {
            let mut client = server.client()?;
            let others = self.0.iter().zip(buses);
            for (other, bus) in others.filter(|(other, _)| other.pid() != server.pid()) {
                let port = other.address().port().to_string();
                client.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, bus])?;
            }
        }
        Ok(())
    }

    fn serves(&self) -> io::Result<bool> {
        let all = format!("cluster_known_nodes:{}\r", self.0.len());
        for server in &self.0 {
            let info = server.ask(&["CLUSTER", "INFO"])?;
            if !info.contains("cluster_state:ok") || !info.contains(&all) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The options of a server of a cluster that listens to the others there.
fn member(options: &Options, bus: &str) -> Options {
    let options = options.clone().with("cluster-enabled", "yes");
    options
        .with("cluster-port", bus)
        .with("cluster-node-timeout", "2000")
}
