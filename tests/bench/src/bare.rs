//! Hyper with nothing around it: what HTTP itself costs on this machine.

use std::{convert::Infallible, net::SocketAddr};

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::Body;
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{self, Runtime},
    task::JoinSet,
};

/// What the component `hello` says.
pub(crate) const GREETING: &str = "Hello from a component\n";

/// A server on a free port, in a runtime of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    runtime: Option<Runtime>,
}

/// The threads of a runtime carry `name`, so that what they use can be told apart.
pub(crate) fn runtime(name: &str, workers: Option<usize>) -> Result<Runtime> {
    let mut builder = runtime::Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    Ok(builder.enable_all().thread_name(name).build()?)
}

// === impl Server ===

impl Server {
    /// Answers with what `service` says; as many worker threads as processors without a number.
    pub(crate) fn start<S, F, B>(name: &str, workers: Option<usize>, service: S) -> Result<Self>
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let runtime = runtime(name, workers)?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, service.clone()));
            }
        });
        Ok(Self {
            address,
            runtime: Some(runtime),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn converse<S, F, B>(stream: TcpStream, service: S)
where
    S: Fn(Request<Incoming>) -> F + Send + Sync,
    F: Future<Output = Response<B>> + Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let answer = service_fn(|request| {
        let answer = service(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let served = match stream.set_nodelay(true) {
        Ok(()) => {
            http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await
        }
        Err(error) => return tracing::warn!(%error, "a connection could not be set up"),
    };
    // The load ends by closing its connections.
    let _ = served;
}

/// The bytes that the component `hello` answers, from hyper alone.
pub(crate) async fn greet(_: Request<Incoming>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(GREETING));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
