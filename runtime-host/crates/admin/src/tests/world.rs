//! An API on a free port, and a client that says exactly what it is told to.

use std::{fmt, net::SocketAddr, sync::Arc};

use skald_core::{event::Interest, saga::desk::Desk};
use skald_telemetry::tasks::Tasks;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{desk::Fake, log::Log};
use crate::{Admin, Config, Desks, Events};

pub(super) struct World {
    pub(super) desk: Arc<Fake>,
    pub(super) log: Arc<Log>,
    pub(super) address: SocketAddr,
    pub(super) tasks: Tasks,
}

pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl World {
    pub(super) async fn local() -> Self {
        Self::over(Arc::new(Fake::default()), None).await
    }

    pub(super) async fn with_token(token: &str) -> Self {
        Self::over(Arc::new(Fake::default()), Some(token)).await
    }

    pub(super) async fn over(desk: Arc<Fake>, token: Option<&str>) -> Self {
        let sagas = Some(Arc::clone(&desk) as Arc<dyn Desk>);
        Self::with(desk, sagas, token).await
    }

    pub(super) async fn without_sagas() -> Self {
        Self::with(Arc::new(Fake::default()), None, None).await
    }

    async fn with(desk: Arc<Fake>, sagas: Option<Arc<dyn Desk>>, token: Option<&str>) -> Self {
        let log = Arc::new(Log::default());
        let interest = |(group, topics): (&str, &[&str])| Interest {
            group: Arc::from(group),
            topics: topics.iter().map(|name| Arc::from(*name)).collect(),
        };
        let desks = Desks {
            sagas,
            events: Events {
                archive: Arc::clone(&log) as _,
                log: Arc::clone(&log) as _,
                interests: vec![interest(("cart", &["a", "b"])), interest(("stock", &["b"]))],
                store: Arc::clone(&log) as _,
            },
            nodes: Arc::clone(&log) as _,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config::new(address, token).unwrap();
        let admin = Admin::new(&config, desks);
        let tasks = Tasks::new();
        tasks.spawn("admin", admin.serve(listener, tasks.shutdown()));
        Self {
            desk,
            log,
            address,
            tasks,
        }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Asks with these headers; the host is this one unless they say otherwise.
    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n",
            body.len()
        );
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += &format!("host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = self.connect().await;
        let request = format!("{head}\r\n{body}");
        // A body that is too long is not read to its end.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Answer::parse(&String::from_utf8(answer).unwrap())
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(found, _)| *found == name)
            .map_or("", |(_, value)| value)
    }

    pub(super) fn detail(&self) -> String {
        self.member("detail")
    }

    pub(super) fn code(&self) -> String {
        self.member("code")
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }
}

/// Status, type and body; the trace of a problem is another one each time.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        if let Some(trace) = body.get_mut("trace_id") {
            assert_eq!(trace.as_str().unwrap().len(), 32);
            *trace = "…".into();
        }
        writeln!(f, "{} {}", self.status, self.header("content-type"))?;
        write!(f, "{body:#}")
    }
}
