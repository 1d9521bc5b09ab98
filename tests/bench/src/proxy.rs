//! A component on bare hyper and wasmtime's own `ProxyHandler`, with nothing around it: what the gateway is measured
//! against.
//!
//! Instances are reused as `wasmtime serve` does by default; the pool is set up as in the host, whose settings are the
//! faster ones. There are no limits, no interruption, no trace and no routes.

use std::{
    future::pending,
    path::Path,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreContextMut,
    component::{Component, GuestTaskId, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    handler::{
        HandlerState, Instance, Proxy, ProxyHandler, ShouldAccept, WorkerExpiration, WorkerState,
        WorkerStatus,
    },
    p3::bindings::ServicePre,
};

use crate::bare::Server;

/// Requests that an instance serves: the default of `wasmtime serve`.
const REUSE: usize = 128;

/// Requests that an instance serves at once: the same.
const AT_ONCE: usize = 16;

/// How long an instance waits for its next request: the same.
const IDLE: Duration = Duration::from_secs(1);

/// Instances in the pool, and how much of their memory stays mapped: the host's own.
const INSTANCES: u32 = 1_000;
const KEEP_RESIDENT: usize = 2 << 20;

/// Serves the component in `wasm`.
pub(crate) fn serve(name: &str, wasm: &Path) -> Result<Server> {
    let handler = handler(wasm).map_err(|error| anyhow!("{}: {error:#}", wasm.display()))?;
    Server::start(name, None, move |request| answer(handler.clone(), request))
}

fn handler(wasm: &Path) -> wasmtime::Result<ProxyHandler<Hello>> {
    let engine = Engine::new(&config())?;
    let component = Component::from_file(&engine, wasm)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    let pre = ServicePre::new(linker.instantiate_pre(&component)?)?;
    Ok(ProxyHandler::new(Hello { engine, pre }))
}

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES * 4)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES * 3)
        .total_stacks(INSTANCES)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

async fn answer(handler: ProxyHandler<Hello>, request: Request<Incoming>) -> Response<WasiBody> {
    let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
    match handler.handle((), request).await {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!("the component failed: {error:#}");
            let mut response = Response::new(
                Full::default()
                    .map_err(|never| match never {})
                    .boxed_unsync(),
            );
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// What makes instances.
struct Hello {
    engine: Engine,
    pre: ServicePre<State>,
}

/// What a store holds.
struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    hooks: NoWayOut,
}

struct NoWayOut;

/// Ends an instance that nobody needs. The alarm is only set anew when it rings too early: that spares every request
/// a turn at the timer.
struct Unneeded(Pin<Box<Sleep>>);

/// How often an instance is used.
struct Reused;

// === impl Hello ===

impl HandlerState for Hello {
    type StoreData = State;
    type WorkerExpiration = Unneeded;
    type WorkerState = Reused;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Unneeded, Reused>> {
        let state = State {
            wasi: WasiCtxBuilder::new().build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            hooks: NoWayOut,
        };
        let mut store = Store::new(&self.engine, state);
        let proxy = Proxy::P3(self.pre.instantiate_async(&mut store).await?);
        Ok(Instance {
            store,
            proxy,
            view: WasiHttpView::http,
            expiration: Unneeded(Box::pin(sleep(IDLE))),
            state: Reused,
        })
    }
}

// === impl Unneeded ===

impl WorkerExpiration for Unneeded {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        while self.0.as_mut().poll(cx).is_ready() {
            let idle = if status == WorkerStatus::Idle {
                start.elapsed()
            } else {
                Duration::ZERO
            };
            if idle >= IDLE {
                return Poll::Ready(());
            }
            self.0.set(sleep(IDLE - idle));
        }
        Poll::Pending
    }
}

// === impl Reused ===

impl WorkerState for Reused {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        if total_count >= REUSE {
            ShouldAccept::Never
        } else if concurrent_count >= AT_ONCE {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(pending())
    }

    /// An instance that fails also fails a request, and the client notices. The last ones end with the runtime.
    fn drop(&self, _: Store<State>, _: wasmtime::Result<()>) {}
}

// === impl State ===

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

// === impl NoWayOut ===

type Sent = Result<
    (
        Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for NoWayOut {
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
