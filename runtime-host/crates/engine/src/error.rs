//! What can go wrong before a component runs, and the one place where guest failures become call errors.

use std::path::PathBuf;

use skald_core::{call::CallError, manifest::ComponentId, unit::UnitError};
use thiserror::Error;
use wasmtime::Trap;

/// The engine cannot do what it is asked at start.
#[derive(Debug, Error)]
pub enum EngineError {
    /// wasmtime refuses the configuration, mostly because address space is limited.
    #[error(
        "the wasm engine cannot start: {0}; if `ulimit -v` or vm.overcommit_memory=2 is set, lift it"
    )]
    Start(String),
    /// The wasm file cannot be read.
    #[error(
        "{component}: cannot read {path}: {reason}; build it with `cargo xtask build`, or correct `source`"
    )]
    Unreadable {
        /// The component.
        component: ComponentId,
        /// Its `source`.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is no component, or a damaged one.
    #[error("{component}: {path} is not a WebAssembly component: {reason}")]
    NotAComponent {
        /// The component.
        component: ComponentId,
        /// Its `source`.
        path: PathBuf,
        /// What the compiler says.
        reason: String,
    },
    /// Only a saga that is deployed has other revisions.
    #[error(
        "no saga is named \"{0}\"; if a component is, write saga = true under [component.{0}.tool.skald]"
    )]
    NoSaga(ComponentId),
    /// The file is not what it is said to be.
    #[error(
        "{component}: {path} is revision {actual}, not {expected}; name the file that the runs began with"
    )]
    OtherRevision {
        /// The component.
        component: ComponentId,
        /// The file.
        path: PathBuf,
        /// The digest it should have.
        expected: String,
        /// The digest it has.
        actual: String,
    },
    /// Imports are not met.
    #[error("{} import problem(s):\n{}", .0.len(), .0.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n"))]
    Link(Vec<LinkProblem>),
}

/// One import that cannot be met, or grant that is not needed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{component}: {what}; {fix}")]
pub struct LinkProblem {
    /// The component.
    pub component: ComponentId,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// Carries a call error through the guest: it stops the guest at once, and comes out as itself.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Stop(pub(crate) CallError);

impl From<UnitError> for Stop {
    fn from(error: UnitError) -> Self {
        Self(match error {
            UnitError::Store(store) => CallError::Store(store),
            UnitError::TooLarge { .. } => CallError::OverLimit(error.to_string()),
            UnitError::Contended => CallError::Conflict { attempts: 1 },
        })
    }
}

/// What a guest's failure means to its caller.
pub(crate) fn call_error(error: &wasmtime::Error, memory_refused: Option<usize>) -> CallError {
    if let Some(Stop(stopped)) = error.downcast_ref::<Stop>() {
        return stopped.clone();
    }
    if let Some(limit) = memory_refused {
        return CallError::OverLimit(format!(
            "one instance may have {} MiB of memory",
            limit >> 20
        ));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return CallError::Trapped(trap.to_string());
    }
    if error
        .downcast_ref::<wasmtime::PoolConcurrencyLimitError>()
        .is_some()
    {
        return CallError::Engine("all instance slots of the host are taken".to_owned());
    }
    CallError::Trapped(format!("{error:#}"))
}
