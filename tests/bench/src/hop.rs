//! What a service call is measured against: two services of bare hyper, JSON between them, on a connection that is kept.
//!
//! Each is a process of its own, as services are, which the system places as it likes. Both sides do what a service has to
//! do with JSON: the request and its answer are written from values and read into values.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, runtime::Runtime, time::Instant};

use crate::{
    bare::{self, Server},
    sample::Sample,
};

/// The calling service and its connection to the called one.
pub(crate) struct Hop {
    /// Absent while requests are made.
    sender: Option<SendRequest<Full<Bytes>>>,
    runtime: Runtime,
    _callee: Callee,
}

/// The called service's process; it ends when its standard input does.
struct Callee(Child);

/// The same request that the guest `caller` makes.
#[derive(Debug, Serialize, Deserialize)]
struct Reserve {
    id: String,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Reserved {
    reservation: String,
}

// === impl Hop ===

impl Hop {
    /// Both services with so many worker threads; with as many as processors where no number is given.
    pub(crate) fn open(workers: Option<usize>) -> Result<Self> {
        let (callee, address) = Callee::start(workers)?;
        let runtime = bare::runtime("bench-caller", workers)?;
        let (sender, connection) = runtime.block_on(connect(address))?;
        runtime.spawn(async {
            // It ends with the benchmark.
            let _ = connection.await;
        });
        Ok(Self {
            sender: Some(sender),
            runtime,
            _callee: callee,
        })
    }

    /// How long each of so many requests took, in microseconds.
    pub(crate) fn times(&mut self, requests: u32) -> Result<Sample> {
        let mut sender = self.sender.take().context("the connection broke")?;
        // In a task, and so on a worker thread, as the requests of a service are.
        let task = self.runtime.spawn(async move {
            let mut times = Sample::default();
            for _ in 0..requests {
                let start = Instant::now();
                call(&mut sender).await?;
                times.add(start.elapsed().as_secs_f64() * 1e6);
            }
            Ok::<_, anyhow::Error>((sender, times))
        });
        let (sender, times) = self.runtime.block_on(task)??;
        self.sender = Some(sender);
        Ok(times)
    }
}

// === impl Callee ===

impl Callee {
    fn start(workers: Option<usize>) -> Result<(Self, SocketAddr)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--callee");
        command.args(workers.map(|workers| workers.to_string()));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = child.stdout.take().context("the callee has no output")?;
        let callee = Self(child);
        let mut address = String::new();
        BufReader::new(said).read_line(&mut address)?;
        Ok((
            callee,
            address
                .trim()
                .parse()
                .context("the callee did not say where it listens")?,
        ))
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It has nothing left to do; a process that is gone already is as good.
        let _ = self.0.wait();
    }
}

/// The called service's whole life: says where it listens, and serves until its standard input ends.
pub(crate) fn serve(workers: Option<usize>) -> Result<()> {
    let server = Server::start("bench-callee", workers, reserve)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.address)?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

async fn connect(
    address: SocketAddr,
) -> Result<(
    SendRequest<Full<Bytes>>,
    http1::Connection<TokioIo<TcpStream>, Full<Bytes>>,
)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(http1::handshake(TokioIo::new(stream)).await?)
}

async fn call(sender: &mut SendRequest<Full<Bytes>>) -> Result<()> {
    let line = |sku: &str| Line {
        sku: sku.to_owned(),
        quantity: 2,
    };
    let lines = vec![line("ale-horn"), line("oak-chest"), line("wool-cloak")];
    let request = Reserve {
        id: "ord_01JZ0000000000000000000000".to_owned(),
        lines,
    };
    let request = Request::post("/reserve")
        .header(HOST, HeaderValue::from_static("callee"))
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .body(Full::from(serde_json::to_vec(&request)?))?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    ensure!(
        response.status() == StatusCode::OK,
        "the service answered {}",
        response.status()
    );
    let body = response.into_body().collect().await?.to_bytes();
    let reserved: Reserved = serde_json::from_slice(&body)?;
    ensure!(
        reserved.reservation.starts_with("reserved-"),
        "{reserved:?}"
    );
    Ok(())
}

/// The called service.
async fn reserve(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return refusal(),
    };
    let Ok(asked) = serde_json::from_slice::<Reserve>(&body) else {
        return refusal();
    };
    if asked.lines.is_empty() || asked.lines.iter().any(|line| line.quantity == 0) {
        return refusal();
    }
    let reserved = Reserved {
        reservation: format!("reserved-{}-{}", asked.id, asked.lines.len()),
    };
    let mut response = Response::new(Full::from(
        serde_json::to_vec(&reserved).unwrap_or_default(),
    ));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refusal() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
