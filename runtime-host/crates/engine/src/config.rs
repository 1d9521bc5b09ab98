//! Settings of the engine, and what it is told about each component.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use skald_core::{manifest::ComponentId, store::Label};

/// Settings of the engine.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where compiled components are kept; none compiles anew at each start.
    pub cache: Option<PathBuf>,
    /// How many instances may live at once, in each of the two engines.
    pub instances: u32,
    /// How long an instance may wait for its next call.
    pub idle: Duration,
    /// How many calls an instance serves before a fresh one takes its place: a leak in a guest ends here.
    pub reuse: u32,
    /// How large an answer may be, in bytes.
    pub answer_limit: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cache: None,
            // 1,000 slots of 4 GiB of address space: what a Linux process has room for many times over.
            instances: 1_000,
            idle: Duration::from_secs(2),
            // Measured: 128 already has all of the benefit.
            reuse: 128,
            answer_limit: 16 << 20,
        }
    }
}

/// Whether calls share an instance, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// An instance serves many calls, one at a time.
    Instance,
    /// Each call has a fresh instance.
    Call,
}

/// What the engine must know of a component: where it is, and what it is granted.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name.
    pub id: ComponentId,
    /// Its wasm file.
    pub source: PathBuf,
    /// Whether calls share instances.
    pub isolation: Isolation,
    /// Whether its runs are replayed: it then has nothing in reach but what each replay answers alike.
    pub saga: bool,
    /// How much linear memory an instance may have, in bytes.
    pub memory: usize,
    /// The key-value stores it may open.
    pub stores: Vec<Label>,
    /// The hosts it may reach, as `scheme://host[:port]` patterns, variables filled in.
    pub outbound: Vec<String>,
    /// Its variables, filled in.
    pub variables: BTreeMap<String, String>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// Which imports other components answer.
    pub services: Vec<Service>,
    /// The address that stands for the host's own event log.
    pub event_address: Option<Arc<str>>,
}

/// An import that another component answers.
#[derive(Clone, Debug)]
pub struct Service {
    /// `ns:package`, `ns:package@version`, or `ns:package/interface[@version]`.
    pub import: String,
    /// Who answers.
    pub target: ComponentId,
}
