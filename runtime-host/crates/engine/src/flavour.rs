//! The two wasmtime engines, and which one a component needs.
//!
//! Support for async exports makes every call of the whole engine dearer (30 to 45 % of a warm call), so components
//! that use none of it run in an engine without.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::EngineError;

/// How long a guest may run before it must let others run: also how late a deadline can be.
const TICK: Duration = Duration::from_millis(10);

/// Memory that stays mapped in a free slot. It must cover what a component touches, or each new instance pays three
/// system calls and a TLB shootdown; 2 MiB covers a component of 2.7 MB.
const KEEP_RESIDENT: usize = 2 << 20;

/// With fewer free slots than this, an instance of another component takes one that nobody has had, and not one of theirs.
/// Every free slot keeps its memory, so that an idle host holds on to as much as was in use at once. A slot that a thread
/// of one processor has given back is not the first choice of another's: that can be once for each processor.
const WARM_SLOTS: u32 = 32;

/// Which engine a component runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Plain functions only.
    Plain,
    /// Async functions, streams and futures.
    Concurrent,
}

/// Both engines, and the clock that interrupts guests.
pub(crate) struct Engines {
    plain: Engine,
    concurrent: Engine,
    stop: Arc<AtomicBool>,
}

impl Engines {
    pub(crate) fn start(instances: u32) -> Result<Self, EngineError> {
        let make = |flavour| Engine::new(&config(flavour, instances));
        let failed = |error: wasmtime::Error| EngineError::Start(format!("{error:#}"));
        let engines = Self {
            plain: make(Flavour::Plain).map_err(failed)?,
            concurrent: make(Flavour::Concurrent).map_err(failed)?,
            stop: Arc::default(),
        };
        engines
            .tick()
            .map_err(|error| EngineError::Start(error.to_string()))?;
        Ok(engines)
    }

    pub(crate) const fn get(&self, flavour: Flavour) -> &Engine {
        match flavour {
            Flavour::Plain => &self.plain,
            Flavour::Concurrent => &self.concurrent,
        }
    }

    fn tick(&self) -> std::io::Result<()> {
        let (plain, concurrent) = (self.plain.clone(), self.concurrent.clone());
        let stop = Arc::clone(&self.stop);
        thread::Builder::new()
            .name("skald-epoch".to_owned())
            .spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    thread::sleep(TICK);
                    plain.increment_epoch();
                    concurrent.increment_epoch();
                }
            })?;
        Ok(())
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn config(flavour: Flavour, instances: u32) -> Config {
    let mut config = Config::new();
    config.concurrency_support(flavour == Flavour::Concurrent);
    config.wasm_component_model_async(flavour == Flavour::Concurrent);
    config.epoch_interruption(true);
    // A replayed run must come to the same bits on every machine. Both cost only code that computes with floating point
    // or relaxed SIMD; a pair of engines for sagas alone would cost everybody two more pools of address space.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    let mut pool = PoolingAllocationConfig::new();
    // A component of Rust's standard library is three core instances with two tables.
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(4))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(3))
        .total_stacks(instances)
        .max_unused_warm_slots(WARM_SLOTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// The least engine that a component's binary is valid for.
pub(crate) fn needed(wasm: &[u8]) -> Flavour {
    let mut features = wasmparser::WasmFeatures::default();
    features.remove(wasmparser::WasmFeatures::CM_ASYNC);
    match wasmparser::Validator::new_with_features(features).validate_all(wasm) {
        Ok(_) => Flavour::Plain,
        Err(_) => Flavour::Concurrent,
    }
}
