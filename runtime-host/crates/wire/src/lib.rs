//! Calls between nodes, and from outside, as gRPC derived from WIT.
//!
//! [`Contracts`] say what components offer, [`Server`] lets others call them, and [`Peers`] calls those of other nodes as if
//! they were here. It carries calls and decides nothing about them: units of work, retries and deadlines are the mesh's on the
//! side that answers. Who the other nodes are is told by whoever finds them.

mod answer;
mod balance;
mod codec;
mod config;
mod contract;
mod envelope;
mod frame;
mod metadata;
mod peers;
mod server;
mod status;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod tls;

pub use self::{
    config::{Config, ConfigError, Limits, Outside, Peer, Security, Token},
    contract::{ContractError, Contracts, LeftOut},
    peers::Peers,
    server::Server,
    tls::{NODE_NAME, Tls, TlsError, TlsFiles},
};
