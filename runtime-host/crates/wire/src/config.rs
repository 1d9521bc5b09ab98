//! Settings of the wire, and whom it trusts.

use std::{collections::BTreeSet, fmt, net::SocketAddr, time::Duration};

use sha2::{Digest, Sha256};
use skald_core::manifest::ComponentId;
use thiserror::Error;

use crate::tls::{Tls, TlsError};

/// Settings of the wire, the same for asking and for answering.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// How connections are protected.
    pub security: Security,
    /// What callers that are no nodes may call.
    pub outside: Outside,
    /// Limits.
    pub limits: Limits,
}

/// How connections are protected, and by what nodes know each other.
#[derive(Clone, Default)]
pub enum Security {
    /// Not at all: within one machine only, where whoever can connect counts as a node.
    #[default]
    Machine,
    /// Not at all and within one machine only; whoever knows the token counts as a node.
    Token(Token),
    /// TLS with certificates on both sides. Whose certificate is for [`NODE_NAME`] counts as a node.
    ///
    /// [`NODE_NAME`]: crate::NODE_NAME
    Tls(Tls),
}

/// A secret of all nodes.
#[derive(Clone)]
pub struct Token {
    text: String,
    /// Two digests are compared, so that the time it takes says nothing about the token.
    digest: [u8; 32],
}

/// What callers that are no nodes may call. Health and reflection are for everybody who can connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Nothing.
    #[default]
    Nothing,
    /// These services, by their full names: `shop.payments.v1.Api`.
    Services(BTreeSet<String>),
    /// Every function of every contract.
    Everything,
}

/// Limits of the wire.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest message, in either direction.
    pub message_bytes: usize,
    /// The longest head of a request.
    pub header_bytes: u32,
    /// Most connections at once that are answered.
    pub connections: usize,
    /// Most calls at once on one of them.
    pub streams: u32,
    /// Connections to each peer.
    pub lines: usize,
    /// How long connecting may take, TLS included.
    pub connect: Duration,
    /// How long nothing may be heard on a connection until the other side is asked whether it is there.
    pub ping: Duration,
    /// How long it may take to say so.
    pub ping_timeout: Duration,
    /// How long a call without a deadline of its own may take.
    pub call: Duration,
    /// How long running calls may take to end when the host stops.
    pub drain: Duration,
}

/// Another node, as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The node's name.
    pub node: String,
    /// Where it answers.
    pub address: SocketAddr,
    /// What it serves.
    pub components: BTreeSet<ComponentId>,
}

/// Why the wire cannot be used as asked.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Others could listen, and ask.
    #[error(
        "{0} can be reached from other machines, and calls between nodes would go there in the clear; give the node a \
         certificate (--wire-ca, --wire-cert, --wire-key), or use an address of this machine like 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The token is too short to be one.
    #[error("the token of the nodes has {0} characters; {SHORTEST_TOKEN} are the least")]
    ShortToken(usize),
    /// The token cannot be sent in a header.
    #[error("the token of the nodes has characters other than visible ASCII")]
    UnsendableToken,
    /// The certificates are not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The listener does not say where it listens.
    #[error("the listener has no address: {0}")]
    NoAddress(String),
}

/// A shorter token could be guessed in time.
const SHORTEST_TOKEN: usize = 16;

// === impl ConfigError ===

impl ConfigError {
    /// A stable code with a page in `docs/errors/`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open(_) => "WIRE-001",
            Self::ShortToken(_) | Self::UnsendableToken | Self::Tls(_) => "WIRE-002",
            Self::NoAddress(_) => "WIRE-006",
        }
    }
}

// === impl Security ===

impl Security {
    /// Whether an address may be used with it: in the clear nothing leaves the machine.
    pub fn check(&self, address: SocketAddr) -> Result<(), ConfigError> {
        match self {
            Self::Machine | Self::Token(_) if !address.ip().is_loopback() => {
                Err(ConfigError::Open(address))
            }
            Self::Machine | Self::Token(_) | Self::Tls(_) => Ok(()),
        }
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machine => "Machine",
            Self::Token(_) => "Token(…)",
            Self::Tls(_) => "Tls(…)",
        })
    }
}

// === impl Token ===

impl Token {
    /// A token that can be sent and is hard to guess.
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        if text.len() < SHORTEST_TOKEN {
            return Err(ConfigError::ShortToken(text.len()));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::UnsendableToken);
        }
        Ok(Self {
            text: text.to_owned(),
            digest: Sha256::digest(text).into(),
        })
    }

    pub(crate) fn is(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        given == self.digest
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

// === impl Outside ===

impl Outside {
    pub(crate) fn may_call(&self, service: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Services(services) => services.contains(service),
            Self::Everything => true,
        }
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            // What the engine lets a component answer.
            message_bytes: 16 << 20,
            // A context has a key, a subject and some ids.
            header_bytes: 32 << 10,
            connections: 1_024,
            // A node's bulkheads are the limit that is meant; this one is for who knows no limit.
            streams: 4_096,
            // One connection is worked at by one thread at a time.
            lines: 2,
            connect: Duration::from_secs(2),
            ping: Duration::from_secs(5),
            ping_timeout: Duration::from_secs(5),
            call: Duration::from_secs(60),
            drain: Duration::from_secs(15),
        }
    }
}
