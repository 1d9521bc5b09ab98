//! What the tests of this room share: components that are closures, a signer of tokens, a gateway on a free port.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use parking_lot::Mutex;
use serde_json::{Value, json};
use skald_core::{
    call::{self, BoxFuture, Call, CallError, Input, Reply},
    manifest::{ByteSize, ComponentId},
    route::{MethodPattern, Pattern},
};
use skald_telemetry::{clock, tasks::Tasks};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{Auth, ComponentTarget, Config, Gateway, Jwks, Limits, Target};

/// A trace that snapshots know.
pub(crate) const TRACE: &str =
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Answer =
    Box<dyn Fn(&call::Request) -> BoxFuture<'static, Result<Reply, CallError>> + Send + Sync>;

/// All components of an application, as one closure; it remembers what it was asked.
pub(crate) struct Fake {
    answer: Answer,
    pub(crate) asked: Mutex<Vec<call::Request>>,
}

impl Call for Fake {
    async fn call(&self, request: &call::Request) -> Result<Reply, CallError> {
        self.asked.lock().push(request.clone());
        (self.answer)(request).await
    }
}

impl Fake {
    /// Components that answer at once.
    pub(crate) fn new(
        answer: impl Fn(&Request<Bytes>) -> Result<Response<Bytes>, CallError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::slow(move |request| {
            let answer = answer(request);
            Box::pin(async { answer })
        })
    }

    /// Components that take their time.
    pub(crate) fn slow(
        answer: impl Fn(&Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, CallError>>
        + Send
        + Sync
        + 'static,
    ) -> Arc<Self> {
        let answer: Answer = Box::new(move |request| {
            let Input::Http(http) = &request.input else {
                panic!("{request:?}")
            };
            let answer = answer(http);
            Box::pin(async { answer.await.map(Reply::Http) })
        });
        Arc::new(Self {
            answer,
            asked: Mutex::default(),
        })
    }

    /// Components that answer with the length of the body they got.
    pub(crate) fn counting() -> Arc<Self> {
        Self::new(|request| {
            Ok(Response::new(
                format!("{} bytes", request.body().len()).into(),
            ))
        })
    }

    /// The HTTP request that was asked last.
    pub(crate) fn last(&self) -> (Request<Bytes>, call::Request) {
        let request = self.asked.lock().last().cloned().unwrap();
        let Input::Http(http) = request.input.clone() else {
            panic!("{request:?}")
        };
        (http, request)
    }
}

/// A gateway that runs, and a client for it.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) fake: Arc<Fake>,
    pub(crate) tasks: Tasks,
    pub(crate) ready: watch::Sender<bool>,
}

impl World {
    pub(crate) async fn new(fake: Arc<Fake>) -> Self {
        Self::with(fake, |_| ()).await
    }

    pub(crate) async fn with(fake: Arc<Fake>, change: impl FnOnce(&mut Config)) -> Self {
        let (ready, is_ready) = watch::channel(true);
        let mut config = config(is_ready);
        change(&mut config);
        let calls: Arc<Fake> = Arc::clone(&fake);
        let gateway = Arc::new(Gateway::new(config, calls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = Tasks::new();
        tasks.spawn("gateway", gateway.serve(listener, tasks.shutdown()));
        Self {
            address,
            fake,
            tasks,
            ready,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes on a connection of its own and returns all that comes back, without the date.
    pub(crate) async fn send(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    /// Sends a request without a body, with these header lines, after which the connection is closed.
    pub(crate) async fn ask(&self, line: &str, headers: &[&str]) -> String {
        let headers: String = headers
            .iter()
            .map(|header| format!("{header}\r\n"))
            .collect();
        self.send(&format!(
            "{line} HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n{headers}\r\n"
        ))
        .await
    }
}

/// All bytes until the other side closes, as text without carriage returns and without the date.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap().replace('\r', "");
    text.lines()
        .filter(|line| !line.starts_with("date: "))
        .collect::<Vec<_>>()
        .join("\n")
}

fn config(ready: watch::Receiver<bool>) -> Config {
    let shop = Target::Component(ComponentTarget {
        id: ComponentId::from("shop"),
        body_limit: ByteSize::kib(1),
        idempotent: vec![MethodPattern::parse("POST /once").unwrap()],
    });
    let about = Target::Static(
        Response::builder()
            .status(203)
            .header("x-kind", "fixed")
            .body("about".into())
            .unwrap(),
    );
    let routes = [
        ("/shop/...", &shop),
        ("/once", &shop),
        ("/users/:user_id/cart", &shop),
        ("/about", &about),
    ];
    Config {
        application: "test".to_owned(),
        routes: routes
            .map(|(route, target)| (Pattern::parse(route).unwrap(), target.clone()))
            .into(),
        auth: None,
        limits: Limits::default(),
        ready,
    }
}

/// The settings that fit a [`Signer`].
pub(crate) fn auth() -> Auth {
    Auth {
        issuer: "test-issuer".to_owned(),
        audience: "test-audience".to_owned(),
        jwks: Jwks::parse("http://identity.spin.internal/jwks.json").unwrap(),
        public: vec![MethodPattern::parse("GET /shop/public/...").unwrap()],
    }
}

/// Signs tokens with a key of its own.
pub(crate) struct Signer {
    pub(crate) id: String,
    pub(crate) key: EncodingKey,
}

impl Signer {
    /// The key is made of its number.
    pub(crate) fn new(number: u8) -> Self {
        // PKCS #8 for Ed25519 is this prefix and the 32 secret bytes.
        let mut der = vec![
            0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ];
        der.extend([number; 32]);
        Self {
            id: format!("key-{number}"),
            key: EncodingKey::from_ed_der(&der),
        }
    }

    /// A key set with the keys of all of these.
    pub(crate) fn jwks(signers: &[&Self]) -> Bytes {
        let keys: Vec<Jwk> = signers
            .iter()
            .map(|signer| {
                let mut jwk = Jwk::from_encoding_key(&signer.key, Algorithm::EdDSA).unwrap();
                jwk.common.key_id = Some(signer.id.clone());
                jwk
            })
            .collect();
        serde_json::to_vec(&json!({ "keys": keys })).unwrap().into()
    }

    /// A token for `subject` that is good for a minute.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.sign(&claims(subject), |_| ())
    }

    pub(crate) fn sign(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.id.clone());
        change(&mut header);
        encode(&header, claims, &self.key).unwrap()
    }
}

/// The claims of a good token.
pub(crate) fn claims(subject: &str) -> Value {
    json!({
        "iss": "test-issuer", "aud": "test-audience", "sub": subject, "nbf": seconds(-1), "exp": seconds(60),
    })
}

/// So many seconds from now.
pub(crate) fn seconds(from_now: i64) -> i64 {
    let now = clock::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    i64::try_from(now).unwrap() + from_now
}
