//! Nodes whose components are closures.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use skald_core::{
    call::{Call, CallError, Function, Input, Reply, Request},
    context::{Cause, Context, TraceContext},
    manifest::ComponentId,
    value::Value,
};
use skald_telemetry::tasks::Tasks;
use tokio::net::TcpListener;

use crate::{Config, Contracts, Limits, Peer, Peers, Server, testing::contracts};

pub(super) const SHOP: &str = "
    package shop:payments@1.0.0;
    interface api {
        record receipt { id: string, cents: u64 }
        variant error { declined(string), gone }
        capture: func(order: string, cents: u64) -> result<receipt, error>;
        ping: func();
    }
    world w { export api; }";

pub(super) const CAPTURE: &str = "/shop.payments.v1.Api/Capture";

type Answering = dyn Fn(&Request) -> Result<Reply, CallError> + Send + Sync;

/// What stands for the mesh of a node.
pub(super) struct Components {
    pub(super) seen: Mutex<Vec<Request>>,
    answering: Box<Answering>,
    /// Calls wait for as many permits as they need: one.
    pub(super) gate: tokio::sync::Semaphore,
    pub(super) begun: tokio::sync::Semaphore,
}

impl Call for Components {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        self.seen.lock().push(request.clone());
        self.begun.add_permits(1);
        let permit = self.gate.acquire().await.unwrap();
        drop(permit);
        (self.answering)(request)
    }
}

/// A node that answers.
pub(super) struct Node {
    pub(super) address: SocketAddr,
    pub(super) components: Arc<Components>,
    pub(super) tasks: Tasks,
}

impl Node {
    pub(super) async fn start(
        config: Config,
        answering: impl Fn(&Request) -> Result<Reply, CallError> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0", config, answering).await
    }

    pub(super) async fn start_at(
        address: &str,
        config: Config,
        answering: impl Fn(&Request) -> Result<Reply, CallError> + Send + Sync + 'static,
    ) -> Self {
        let offered = contracts(&[("payments", SHOP)]);
        Self::start_with(address, config, offered, answering).await
    }

    pub(super) async fn start_with(
        address: &str,
        config: Config,
        offered: Contracts,
        answering: impl Fn(&Request) -> Result<Reply, CallError> + Send + Sync + 'static,
    ) -> Self {
        let components = Arc::new(Components {
            seen: Mutex::default(),
            answering: Box::new(answering),
            gate: tokio::sync::Semaphore::new(1),
            begun: tokio::sync::Semaphore::new(0),
        });
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::clone(&components);
        let server = Server::new(config, offered, calls);
        let tasks = Tasks::new();
        let shutdown = tasks.shutdown();
        tasks.spawn("server", async move {
            server.serve(listener, shutdown).await.unwrap();
        });
        Self {
            address,
            components,
            tasks,
        }
    }

    pub(super) async fn stop(&self) {
        let drained = self.tasks.drain(Duration::from_secs(20)).await;
        assert_eq!(drained, skald_telemetry::tasks::Drained::default());
    }

    pub(super) fn peer(&self, name: &str) -> Peer {
        peer(name, self.address)
    }
}

pub(super) fn peer(name: &str, address: SocketAddr) -> Peer {
    Peer {
        node: name.to_owned(),
        address,
        components: BTreeSet::from([ComponentId::from("payments")]),
    }
}

/// The asking side of a node that knows these peers.
pub(super) fn peers(config: Config, known: Vec<Peer>) -> Peers {
    let peers = Peers::new(config, contracts(&[("payments", SHOP)]), Tasks::new());
    assert_eq!(peers.set(known).len(), 0);
    peers
}

pub(super) fn config() -> Config {
    Config {
        limits: Limits {
            connect: Duration::from_secs(5),
            drain: Duration::from_secs(10),
            ..Limits::default()
        },
        ..Config::default()
    }
}

pub(super) fn trace() -> TraceContext {
    TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap()
}

pub(super) fn capture() -> Request {
    Request {
        target: ComponentId::from("payments"),
        input: Input::Function(Function {
            interface: "shop:payments/api@1.0.0".into(),
            name: "capture".into(),
            arguments: vec![Value::String("o-1".to_owned()), Value::U64(1_999)],
        }),
        context: Context::root(trace(), Cause::Component("orders".into())),
    }
}

pub(super) fn receipt() -> Value {
    let fields = vec![
        ("id".to_owned(), Value::String("r-1".to_owned())),
        ("cents".to_owned(), Value::U64(1_999)),
    ];
    Value::Result(Ok(Some(Box::new(Value::Record(fields)))))
}

/// Answers every capture.
pub(super) fn paid(_: &Request) -> Result<Reply, CallError> {
    Ok(Reply::Value(Some(receipt())))
}

/// Something that nobody answers at.
pub(super) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}
