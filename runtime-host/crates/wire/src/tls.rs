//! TLS between nodes: one authority, a certificate for each, checked on both sides.
//!
//! A node's certificate is for one name that all nodes share, so that it holds at every address. Certificates of the same
//! authority for other names let their owners in as callers from outside.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::verify_server_name,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::{ParsedCertificate, WebPkiClientVerifier},
};
use thiserror::Error;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The name that certificates of nodes are for. No name server knows it, and none can.
pub const NODE_NAME: &str = "node.skald.internal";

/// The protocol, as both sides name it while they shake hands.
const PROTOCOL: &[u8] = b"h2";

/// Certificates, read and checked.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// Where the certificates are, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority, or several while one takes the place of another.
    pub ca: PathBuf,
    /// This node's certificate, and what is between it and the authority.
    pub cert: PathBuf,
    /// The key of that certificate.
    pub key: PathBuf,
}

/// Why the certificates cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: {what}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// They do not fit together, or are not for a node.
    #[error("the certificate in {} cannot be used: {what}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

// === impl Tls ===

impl Tls {
    /// Reads the files, and checks that they fit together.
    pub fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let roots = roots(&files.ca)?;
        let chain = certificates(&files.cert)?;
        let unusable = |what: String| unusable(&files.cert, what);
        let name = ServerName::try_from(NODE_NAME).map_err(|error| unusable(error.to_string()))?;
        if !chain.first().is_some_and(|own| is_for(own, &name)) {
            return Err(unusable(format!("it is not for the name {NODE_NAME}")));
        }
        let identity = (chain, key(&files.key)?);
        let (server, client) =
            configs(&roots, identity).map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
            name,
        })
    }

    pub(crate) const fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    pub(crate) const fn connector(&self) -> &TlsConnector {
        &self.connector
    }

    pub(crate) const fn name(&self) -> &ServerName<'static> {
        &self.name
    }

    /// Whether a certificate that was found good is a node's.
    pub(crate) fn is_node(&self, certificate: &CertificateDer<'_>) -> bool {
        is_for(certificate, &self.name)
    }
}

/// Both sides ask for a certificate of the authority, and show the same one.
fn configs(
    roots: &Arc<RootCertStore>,
    (chain, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
) -> Result<(ServerConfig, ClientConfig), rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.clone(), key.clone_key())?;
    server.alpn_protocols = vec![PROTOCOL.to_vec()];
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(Arc::clone(roots))
        .with_client_auth_cert(chain, key)?;
    client.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok((server, client))
}

fn unusable(file: &Path, what: String) -> TlsError {
    TlsError::Unusable {
        file: file.to_owned(),
        what,
    }
}

fn roots(file: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in certificates(file)? {
        let added = roots.add(root);
        added.map_err(|error| unusable(file, error.to_string()))?;
    }
    Ok(Arc::new(roots))
}

fn is_for(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    ParsedCertificate::try_from(certificate)
        .is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |what: String| TlsError::Unreadable {
        file: file.to_owned(),
        what,
    };
    let pem = fs::read(file).map_err(|error| unreadable(error.to_string()))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| unreadable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unreadable("there is no certificate in it".to_owned()));
    }
    Ok(certificates)
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let unreadable = |what: String| TlsError::Unreadable {
        file: file.to_owned(),
        what,
    };
    let pem = fs::read(file).map_err(|error| unreadable(error.to_string()))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unreadable(error.to_string()))
}
