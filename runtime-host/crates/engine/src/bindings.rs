//! Generated bindings for the host interfaces beside WASI.

mod generated {
    wasmtime::component::bindgen!({
        path: [
            "../../../wit/deps/wasi-keyvalue",
            "../../../wit/deps/fermyon-spin",
            "../../../wit/deps/spin-redis",
            "../../../wit/deps/spin-variables",
            "../../../wit/deps/wasi-config",
            "../../../wit/saga",
            "wit",
        ],
        world: "skald:host/imports",
        imports: { default: async | trappable },
        with: {
            "wasi:keyvalue/store.bucket": crate::host::keyvalue::Bucket,
            "wasi:keyvalue/atomics.cas": crate::host::keyvalue::Cas,
            "fermyon:spin/redis.connection": crate::host::redis::Connection,
            "spin:redis/redis.connection": crate::host::redis::Connection,
        },
    });
}

mod saga_world {
    wasmtime::component::bindgen!({
        path: "../../../wit/saga",
        world: "skald:saga/saga",
        imports: { default: async | trappable },
        with: {
            "skald:saga/undo.scope": crate::saga::Scope,
        },
    });
}

pub(crate) use generated::{Imports, fermyon, skald, spin, wasi};

/// What sagas ask their coordinator.
pub(crate) use saga_world::{Saga, skald::saga};

/// The export that handles messages of a topic.
pub(crate) mod inbound_redis {
    /// `spin:redis/inbound-redis@3.0.0`
    pub(crate) const INTERFACE: &str = "spin:redis/inbound-redis@3.0.0";
    /// Its one function.
    pub(crate) const FUNCTION: &str = "handle-message";
}
