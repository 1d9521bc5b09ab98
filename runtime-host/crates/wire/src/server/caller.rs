//! Who calls: a node, which is believed, or somebody from outside.

use http::{HeaderMap, HeaderName};
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use skald_core::hex;

use crate::config::{Config, Security};

/// Which token a node shows.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("skald-token");

/// What only nodes send.
const CAUSE: HeaderName = HeaderName::from_static("skald-cause");

/// The other end of a connection, as the connection tells it.
pub(crate) struct Caller {
    /// Whether it has shown a node's certificate.
    is_node: bool,
    /// A digest of its certificate, if it has one.
    pub(crate) digest: String,
}

/// The other end, as a request tells it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Another node: what it says of a call is believed.
    Node,
    /// Somebody who may do what a node may, and says nothing of the call.
    Friend,
    /// Anybody else.
    Outsider,
}

// === impl Caller ===

impl Caller {
    pub(crate) fn new(config: &Config, certificate: Option<&CertificateDer<'_>>) -> Self {
        let is_node = match (&config.security, certificate) {
            (Security::Tls(tls), Some(certificate)) => tls.is_node(certificate),
            (Security::Machine | Security::Token(_) | Security::Tls(_), _) => false,
        };
        let digest = certificate.map(|certificate| hex::digits(&Sha256::digest(certificate)));
        Self {
            is_node,
            digest: digest.unwrap_or_default(),
        }
    }

    pub(crate) fn standing(&self, config: &Config, headers: &HeaderMap) -> Standing {
        let is_trusted = match &config.security {
            Security::Machine => true,
            Security::Token(token) => headers
                .get(TOKEN)
                .is_some_and(|given| token.is(given.as_bytes())),
            Security::Tls(_) => self.is_node,
        };
        match (is_trusted, headers.contains_key(CAUSE)) {
            (true, true) => Standing::Node,
            (true, false) => Standing::Friend,
            (false, _) => Standing::Outsider,
        }
    }
}
