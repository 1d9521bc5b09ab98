use std::{collections::BTreeSet, fs, net::SocketAddr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use skald_core::{
    call::{Call, CallError},
    context::{Cause, Once, Principal},
};
use skald_telemetry::tasks::Tasks;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use super::{
    tools::{Client, capture_bytes},
    world::{CAPTURE, Node, SHOP, capture, config, paid, peers},
};
use crate::{
    Config, ConfigError, NODE_NAME, Outside, Peers, Security, Server, Tls, TlsFiles, Token,
    testing::contracts,
};

/// An authority that makes certificates.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn files(&self, name: &str) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = |end: &str| self.folder.path().join(format!("{name}.{end}"));
        fs::write(file("crt"), certificate.pem()).unwrap();
        fs::write(file("key"), key.serialize_pem()).unwrap();
        TlsFiles {
            ca: self.folder.path().join("ca.pem"),
            cert: file("crt"),
            key: file("key"),
        }
    }

    fn node(&self) -> Config {
        let tls = Tls::read(&self.files(NODE_NAME)).unwrap();
        Config {
            security: Security::Tls(tls),
            ..config()
        }
    }
}

#[tokio::test]
async fn nodes_with_certificates_of_one_authority_talk_over_tls() {
    let authority = Authority::new("ours");
    let node = Node::start(authority.node(), paid).await;
    let peers = peers(authority.node(), vec![node.peer("b")]);
    let mut call = capture();
    call.context.principal = Some(Principal("ada".into()));
    peers.call(&call).await.unwrap();
    let seen = node.components.seen.lock().pop().unwrap().context;
    assert_eq!(seen.principal, Some(Principal("ada".into())));
}

#[tokio::test]
async fn a_certificate_of_another_authority_opens_nothing() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let node = Node::start(ours.node(), paid).await;
    let stranger = peers(theirs.node(), vec![node.peer("b")]);
    let error = stranger.call(&capture()).await.unwrap_err();
    assert!(matches!(error, CallError::Broken { .. }), "{error:?}");
    // Who trusts our authority and has no certificate of it does not get in either.
    let mut half = theirs.files(NODE_NAME);
    half.ca = ours.files(NODE_NAME).ca;
    let half = Config {
        security: Security::Tls(Tls::read(&half).unwrap()),
        ..config()
    };
    let error = peers(half, vec![node.peer("b")])
        .call(&capture())
        .await
        .unwrap_err();
    assert!(!matches!(error, CallError::NoSuchComponent(_)), "{error:?}");
    // And a connection in the clear is no connection.
    assert!(
        peers(config(), vec![node.peer("b")])
            .call(&capture())
            .await
            .is_err()
    );
    assert_eq!(node.components.seen.lock().len(), 0);
}

#[test]
fn what_is_no_certificate_of_a_node_is_told_so() {
    let authority = Authority::new("ours");
    let error = |files: &TlsFiles| {
        let Err(error) = Tls::read(files) else {
            panic!("it is not usable");
        };
        let folder = authority.folder.path().display().to_string();
        error.to_string().replace(&folder, "…")
    };
    let good = authority.files(NODE_NAME);
    let client = authority.files("reports.example");
    let mut mixed = good.clone();
    mixed.key = client.key.clone();
    let mut missing = good.clone();
    missing.ca = authority.folder.path().join("none.pem");
    let mut swapped = good;
    swapped.cert.clone_from(&swapped.key);
    let said = [
        error(&client),
        error(&mixed),
        error(&missing),
        error(&swapped),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    the certificate in …/reports.example.crt cannot be used: it is not for the name node.skald.internal
    the certificate in …/node.skald.internal.crt cannot be used: keys may not be consistent: KeyMismatch
    …/none.pem cannot be read: No such file or directory (os error 2)
    …/node.skald.internal.key cannot be read: there is no certificate in it
    ");
}

#[tokio::test]
async fn in_the_clear_nothing_leaves_the_machine() {
    let outside: SocketAddr = "10.1.2.3:4000".parse().unwrap();
    let peers = Peers::new(config(), contracts(&[("payments", SHOP)]), Tasks::new());
    let refused = peers.set(vec![super::world::peer("far", outside)]);
    insta::assert_snapshot!(refused[0], @"10.1.2.3:4000 can be reached from other machines, and calls between nodes would go there in the clear; give the node a certificate (--wire-ca, --wire-cert, --wire-key), or use an address of this machine like 127.0.0.1");
    assert_eq!(refused[0].code(), "WIRE-001");
    assert!(matches!(
        peers.call(&capture()).await,
        Err(CallError::Broken { .. })
    ));
    // All addresses are more than this machine's own.
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let components = Arc::new(peers);
    let server = Server::new(config(), contracts(&[("payments", SHOP)]), components);
    let served = server.serve(listener, Tasks::new().shutdown()).await;
    assert!(matches!(served, Err(ConfigError::Open(_))));
    assert!(
        Security::Tls(Tls::read(&Authority::new("ours").files(NODE_NAME)).unwrap())
            .check(outside)
            .is_ok()
    );
}

fn with_token(text: &str) -> Config {
    Config {
        security: Security::Token(Token::new(text).unwrap()),
        ..config()
    }
}

#[tokio::test]
async fn where_there_is_a_token_only_who_knows_it_is_a_node() {
    let node = Node::start(with_token("a-secret-of-all-nodes"), paid).await;
    peers(with_token("a-secret-of-all-nodes"), vec![node.peer("b")])
        .call(&capture())
        .await
        .unwrap();
    let error = peers(with_token("another-secret-a-guess"), vec![node.peer("b")])
        .call(&capture())
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Engine(_)), "{error:?}");
    assert_eq!(node.components.seen.lock().len(), 1);
    assert!(matches!(
        Token::new("short"),
        Err(ConfigError::ShortToken(5))
    ));
}

#[tokio::test]
async fn callers_from_outside_may_call_what_is_open_to_them_and_say_nothing_of_themselves() {
    let mut config = with_token("a-secret-of-all-nodes");
    let closed = Node::start(config.clone(), paid).await;
    config.outside = Outside::Services(BTreeSet::from(["shop.payments.v1.Api".to_owned()]));
    let open = Node::start(config, paid).await;
    let status = Client::new(closed.address)
        .await
        .ask(CAPTURE, &[], &capture_bytes())
        .await
        .unwrap_err();
    insta::assert_snapshot!(status, @"7: shop.payments.v1.Api is not open to callers that are no nodes");
    let said = [
        ("skald-principal", "ada"),
        ("skald-cause", "saga 1"),
        ("idempotency-key", "k1"),
    ];
    let mut client = Client::new(open.address).await;
    client.ask(CAPTURE, &said, &capture_bytes()).await.unwrap();
    let seen = open.components.seen.lock().pop().unwrap().context;
    assert_eq!((seen.principal, seen.cause), (None, Cause::Request));
    assert!(matches!(seen.once, Some(Once::Key(_))));
    // What nodes ask each other stays theirs.
    let status = client
        .ask("/skald.node.v1.Calls/Call", &[], &[])
        .await
        .unwrap_err();
    insta::assert_snapshot!(status, @"7: only other nodes may call this");
}

/// A client with a certificate of the authority, for whatever name.
async fn with_certificate(files: &TlsFiles, address: SocketAddr) -> Client {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&files.ca).unwrap())
        .unwrap();
    let chain = vec![CertificateDer::from_pem_file(&files.cert).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&files.key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from(NODE_NAME).unwrap();
    Client::over(connector.connect(name, stream).await.unwrap()).await
}

#[tokio::test]
async fn a_certificate_for_another_name_is_a_caller_from_outside() {
    let authority = Authority::new("ours");
    let mut config = authority.node();
    let closed = Node::start(config.clone(), paid).await;
    config.outside = Outside::Everything;
    let open = Node::start(config, paid).await;
    let reports = authority.files("reports.example");
    let said = [
        ("skald-principal", "ada"),
        ("skald-cause", "host"),
        ("idempotency-key", "k1"),
    ];
    let mut refused = with_certificate(&reports, closed.address).await;
    let status = refused
        .ask(CAPTURE, &said, &capture_bytes())
        .await
        .unwrap_err();
    assert!(status.starts_with("7: "), "{status}");
    let mut scopes = BTreeSet::new();
    for files in [reports, authority.files("ledger.example")] {
        let mut client = with_certificate(&files, open.address).await;
        client.ask(CAPTURE, &said, &capture_bytes()).await.unwrap();
        let seen = open.components.seen.lock().pop().unwrap().context;
        assert_eq!((seen.principal, seen.cause), (None, Cause::Request));
        if let Some(Once::Key(key)) = seen.once {
            scopes.insert(key.scope);
        }
    }
    // The same key of another caller is another key.
    assert_eq!(scopes.len(), 2);
    // Whose certificate is for the name of nodes is believed.
    let mut node = with_certificate(&authority.files(NODE_NAME), closed.address).await;
    node.ask(CAPTURE, &said, &capture_bytes()).await.unwrap();
    let seen = closed.components.seen.lock().pop().unwrap().context;
    assert_eq!(seen.principal, Some(Principal("ada".into())));
}
