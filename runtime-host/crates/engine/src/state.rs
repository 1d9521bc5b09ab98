//! What a store carries: the guest's resources, its limits, and the call it works on.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use skald_core::{
    call::Later,
    context::{Cause, Context, TraceContext},
    store::Label,
    unit::Unit,
};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard, Semaphore};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    config::Spec,
    limits::Limits,
    outbound::{Client, Hooks},
    saga::{self, Playing},
    stdio::Output,
};

/// How many resources a guest may hold: beyond it, it leaks.
const MOST_RESOURCES: usize = 10_000;

/// What all instances of a component share.
pub(crate) struct Shared {
    pub(crate) spec: Spec,
    /// The road to other components; set once everything is wired.
    pub(crate) calls: Arc<Later>,
    pub(crate) client: Client,
    /// Places for outgoing requests: sockets and buffered bodies are the host's, not the guest's.
    pub(crate) outgoing: Semaphore,
}

/// How many outgoing requests one component may have under way, in all its instances.
pub(crate) const MOST_OUTGOING: usize = 64;

/// The call an instance works on, shared with the futures of its asynchronous host calls.
pub(crate) struct Slot {
    unit: AsyncMutex<Unit>,
    context: Mutex<Context>,
}

impl Slot {
    fn empty() -> Self {
        let nothing = TraceContext {
            trace_id: 0,
            span_id: 0,
            sampled: false,
        };
        Self {
            unit: AsyncMutex::new(Unit::closed()),
            context: Mutex::new(Context::root(nothing, Cause::Host)),
        }
    }

    /// A call begins: its unit of work takes the place of the closed one.
    pub(crate) async fn begin(&self, context: Context, unit: Unit) {
        *self.context.lock() = context;
        *self.unit.lock().await = unit;
    }

    /// The call has ended; what still runs in the instance finds a closed unit.
    pub(crate) async fn end(&self) -> Unit {
        std::mem::replace(&mut *self.unit.lock().await, Unit::closed())
    }

    pub(crate) async fn unit(&self) -> MutexGuard<'_, Unit> {
        self.unit.lock().await
    }

    pub(crate) fn context(&self) -> Context {
        self.context.lock().clone()
    }

    pub(crate) fn trace(&self) -> TraceContext {
        self.context.lock().trace
    }
}

/// The data of a store.
pub(crate) struct State {
    shared: Arc<Shared>,
    table: ResourceTable,
    /// Built when the guest first asks: most calls never do.
    wasi: Option<WasiCtx>,
    http: WasiHttpCtx,
    hooks: Hooks,
    slot: Arc<Slot>,
    /// The run that it plays, if it is a saga.
    playing: Option<Arc<Playing>>,
    pub(crate) limits: Limits,
}

impl State {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let slot = Arc::new(Slot::empty());
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_RESOURCES);
        Self {
            hooks: Hooks::new(Arc::clone(&shared), Arc::clone(&slot)),
            limits: Limits::new(shared.spec.memory),
            table,
            wasi: None,
            http: WasiHttpCtx::new(),
            slot,
            playing: None,
            shared,
        }
    }

    /// The same, for an instance of a saga.
    pub(crate) fn of_run(shared: Arc<Shared>, playing: Arc<Playing>) -> Self {
        let state = Self::new(shared);
        if let Some(trace) = playing.stage().trace() {
            *state.slot.context.lock() = Context::root(trace, Cause::Host);
        }
        Self {
            playing: Some(playing),
            ..state
        }
    }

    /// The run that the instance plays.
    pub(crate) fn playing(&self) -> wasmtime::Result<Arc<Playing>> {
        let playing = self.playing.clone();
        playing.ok_or_else(|| wasmtime::format_err!("the instance plays no run"))
    }

    /// The unit of work of the call that runs now.
    pub(crate) async fn unit(&mut self) -> MutexGuard<'_, Unit> {
        self.slot.unit().await
    }

    pub(crate) const fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    pub(crate) const fn table(&self) -> &ResourceTable {
        &self.table
    }

    pub(crate) const fn table_mut(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.shared.spec.variables
    }

    /// The label, if the manifest grants that store.
    pub(crate) fn granted_store(&self, label: &str) -> Option<Label> {
        self.shared
            .spec
            .stores
            .iter()
            .find(|granted| granted.as_ref() == label)
            .cloned()
    }

    pub(crate) fn may_reach(&self, address: &str) -> bool {
        crate::outbound::is_granted(&self.shared.spec.outbound, address)
    }

    pub(crate) fn is_event_address(&self, address: &str) -> bool {
        self.shared.spec.event_address.as_deref() == Some(address)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let spec = &self.shared.spec;
        let ctx = self.wasi.get_or_insert_with(|| {
            let mut builder = WasiCtxBuilder::new();
            builder.envs(&spec.environment);
            builder.stdout(Output::new(
                &spec.id,
                "stdout",
                &self.slot,
                self.playing.as_ref(),
            ));
            builder.stderr(Output::new(
                &spec.id,
                "stderr",
                &self.slot,
                self.playing.as_ref(),
            ));
            builder.allow_tcp(false).allow_udp(false);
            if let Some(playing) = &self.playing {
                saga::furnish(&mut builder, playing);
            }
            builder.build()
        });
        WasiCtxView {
            ctx,
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
