//! Ways to a server: through Sentinel, also to another one than before, and with TLS.

use std::{fs, net::TcpListener, path::Path};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use test_redis::{Client, Options, Server, until};

use super::{Whole, config, server};
use crate::{
    contract::{commit, key, set, value},
    redis::Config,
};

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A Sentinel that alone decides. Dropping it kills it.
struct Sentinel {
    process: std::process::Child,
    port: u16,
    _directory: TempDir,
}

impl Sentinel {
    fn start(master: &Server) -> Self {
        let (port, directory) = (free_port(), tempfile::tempdir().unwrap());
        let file = directory.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n",
            directory.path().display(),
            master.address().port(),
        );
        fs::write(&file, text).unwrap();
        let mut command = std::process::Command::new("redis-server");
        command.arg(&file).arg("--sentinel");
        command.stdout(std::process::Stdio::null());
        let sentinel = Self {
            process: command.spawn().unwrap(),
            port,
            _directory: directory,
        };
        until("Sentinel knows the replica", || {
            Ok(sentinel
                .ask(&["SENTINEL", "MASTER", "main"])
                .contains("num-slaves\n1")
                || sentinel
                    .ask(&["SENTINEL", "REPLICAS", "main"])
                    .contains("127.0.0.1"))
        })
        .unwrap();
        sentinel
    }

    fn ask(&self, command: &[&str]) -> String {
        let address = ([127, 0, 0, 1], self.port).into();
        let answer = Client::connect(address).and_then(|mut client| client.ask(command));
        answer.unwrap_or_default()
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinel_leads_to_the_new_master() {
    let mut master = server();
    let replica = master.replica(Options::default()).unwrap();
    let sentinel = Sentinel::start(&master);
    let url = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port);
    let mut config = config("app", &url);
    config.patience = std::time::Duration::from_secs(20);
    let store = Whole::open_with(config).await;
    let apple = key("stock", "apple");
    commit(&store, set(&apple, "1")).await;
    let port = replica.address().port().to_string();
    let copied = || Ok(replica.ask(&["HLEN", "skald:app:{writer}:kv:stock"])? == "1");
    until("the replica has it", copied).unwrap();
    master.kill().unwrap();
    commit(&store, set(&apple, "2")).await;
    assert_eq!(value(&store, &apple).await.unwrap(), "2");
    let now = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
    assert!(now.contains(&port), "{now}");
}

/// Makes an authority and a server's certificate in a directory; answers with the authority's.
fn certify(directory: &Path) -> Vec<u8> {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    for (name, text) in [
        ("root.pem", root.clone()),
        ("server.pem", certificate.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        fs::write(directory.join(name), text).unwrap();
    }
    root.into_bytes()
}

#[tokio::test]
async fn with_tls_only_a_server_that_is_trusted_is_talked_to() {
    let directory = tempfile::tempdir().unwrap();
    let root = certify(directory.path());
    let file = |name: &str| directory.path().join(name).display().to_string();
    let port = free_port();
    let options = Options::default()
        .with("tls-port", &port.to_string())
        .with("tls-cert-file", &file("server.pem"))
        .with("tls-key-file", &file("key.pem"))
        .with("tls-ca-cert-file", &file("root.pem"))
        .with("tls-auth-clients", "no");
    let _server = Server::start(options).unwrap();
    let url = format!("rediss://localhost:{port}");
    let trusting = Config {
        roots: Some(root),
        ..config("app", &url)
    };
    let store = Whole::open_with(trusting.clone()).await;
    let apple = key("stock", "apple");
    commit(&store, set(&apple, "1")).await;
    assert_eq!(value(&store, &apple).await.unwrap(), "1");
    let other = certify(tempfile::tempdir().unwrap().path());
    let distrusting = Config {
        roots: Some(other),
        patience: std::time::Duration::from_millis(300),
        ..trusting
    };
    assert!(crate::redis::Redis::open(distrusting).await.is_err());
}
