//! The host's errors as statuses, and back.

use std::{collections::BTreeMap, time::Duration};

use skald_core::{
    call::{CallError, chain},
    manifest::ComponentId,
    store::StoreError,
};

use super::{
    Code, Status,
    details::{BadRequest, ErrorInfo, FieldViolation, RetryInfo, any, find},
};
use crate::codec::Invalid;

/// Whose codes the reasons are.
const DOMAIN: &str = "skald.dev";

/// Code of a message that is none of the contract's.
pub(crate) const INVALID: &str = "WIRE-004";

/// Code of a call by a node that knows another contract.
const OTHER_CONTRACT: &str = "WIRE-005";

/// A status that another node gave as its answer.
pub(crate) struct FromPeer<'a> {
    pub(crate) node: &'a str,
    pub(crate) component: &'a ComponentId,
    pub(crate) status: Status,
}

// === impl Status ===

impl Status {
    /// The same, with a code of the host's.
    pub(crate) fn because(self, reason: &str) -> Self {
        self.with_info(reason, BTreeMap::new())
    }

    /// Says to a node that it knows another contract than the component has.
    pub(crate) fn other_contract(component: &ComponentId, path: &str) -> Self {
        let export = format!("{path} as the caller knows it");
        let what = format!("{component} does not export {export}; are all nodes of one revision?");
        let metadata = [("component", component.to_string()), ("export", export)];
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
        Self::new(Code::FailedPrecondition, what).with_info(OTHER_CONTRACT, metadata.into())
    }

    fn with_info(mut self, reason: &str, metadata: BTreeMap<String, String>) -> Self {
        self.details.push(any(&ErrorInfo {
            reason: reason.to_owned(),
            domain: DOMAIN.to_owned(),
            metadata,
        }));
        self
    }
}

impl From<&Invalid> for Status {
    fn from(invalid: &Invalid) -> Self {
        let mut status = Self::new(Code::InvalidArgument, invalid.to_string()).because(INVALID);
        status.details.push(any(&BadRequest {
            field_violations: vec![FieldViolation {
                field: invalid.path.clone(),
                description: invalid.what.clone(),
            }],
        }));
        status
    }
}

impl From<&CallError> for Status {
    fn from(error: &CallError) -> Self {
        let metadata = facts(error).into_iter();
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
        let status = Self::new(code(error), chain(error));
        let mut status = status.with_info(error.code(), metadata.collect());
        if let Some(after) = error.retry_after() {
            let retry_delay = prost_types::Duration::try_from(after).ok();
            status.details.push(any(&RetryInfo { retry_delay }));
        }
        status
    }
}

const fn code(error: &CallError) -> Code {
    match error {
        CallError::NoSuchComponent(_) => Code::NotFound,
        CallError::NoSuchExport { .. } => Code::Unimplemented,
        CallError::Overloaded { .. } | CallError::OverLimit(_) => Code::ResourceExhausted,
        CallError::Broken { .. } | CallError::ShuttingDown => Code::Unavailable,
        CallError::TimedOut(_) => Code::DeadlineExceeded,
        CallError::Trapped(_) | CallError::HandlerFailed(_) | CallError::Engine(_) => {
            Code::Internal
        }
        CallError::Conflict { .. } | CallError::KeyRunning => Code::Aborted,
        CallError::KeyReused => Code::FailedPrecondition,
        CallError::Store(StoreError::Corrupt(_)) => Code::DataLoss,
        CallError::Store(_) => Code::Unavailable,
    }
}

/// What an error says beside its kind.
fn facts(error: &CallError) -> Vec<(&'static str, String)> {
    match error {
        CallError::NoSuchComponent(component) => vec![("component", component.to_string())],
        CallError::NoSuchExport { component, export } => {
            vec![
                ("component", component.to_string()),
                ("export", export.clone()),
            ]
        }
        CallError::Overloaded {
            component,
            retry_after,
        }
        | CallError::Broken {
            component,
            retry_after,
        } => vec![
            ("component", component.to_string()),
            ("time", time(*retry_after)),
        ],
        CallError::TimedOut(after) => vec![("time", time(*after))],
        CallError::Trapped(text)
        | CallError::OverLimit(text)
        | CallError::HandlerFailed(text)
        | CallError::Engine(text) => vec![("text", text.clone())],
        CallError::Conflict { attempts } => vec![("attempts", attempts.to_string())],
        CallError::Store(error) => {
            let text = match error {
                StoreError::Full(text)
                | StoreError::Corrupt(text)
                | StoreError::Unknown(text)
                | StoreError::Unavailable(text) => text.clone(),
                // It is only for the maker of the unit, who is on this side.
                StoreError::Changed(_) => error.to_string(),
            };
            vec![("store", error.code().to_owned()), ("text", text)]
        }
        CallError::KeyReused | CallError::KeyRunning | CallError::ShuttingDown => Vec::new(),
    }
}

fn time(time: Duration) -> String {
    time.as_nanos().to_string()
}

// === impl FromPeer ===

impl FromPeer<'_> {
    /// The error that the node meant.
    pub(crate) fn error(self) -> CallError {
        let info = find::<ErrorInfo>(&self.status.details);
        let info = info.filter(|info| info.domain == DOMAIN);
        match info.and_then(|info| restore(&info)) {
            Some(error) => error,
            None => self.guess(),
        }
    }

    /// What to make of a status that no error of ours stands behind.
    fn guess(self) -> CallError {
        let Self {
            node,
            component,
            status,
        } = self;
        let text = format!("node {node} answered {:?}: {}", status.code, status.message);
        match status.code {
            Code::Unimplemented => CallError::NoSuchExport {
                component: component.clone(),
                export: status.message,
            },
            Code::ResourceExhausted => CallError::OverLimit(text),
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::InvalidArgument
            | Code::DeadlineExceeded
            | Code::NotFound
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => CallError::Engine(text),
        }
    }
}

fn restore(info: &ErrorInfo) -> Option<CallError> {
    let fact = |name: &str| info.metadata.get(name).cloned();
    let component = || Some(ComponentId::from(&*fact("component")?));
    let text = || fact("text");
    let time = || Some(Duration::from_nanos(fact("time")?.parse().ok()?));
    Some(match info.reason.as_str() {
        "CALL-001" => CallError::NoSuchComponent(component()?),
        "CALL-002" | OTHER_CONTRACT => CallError::NoSuchExport {
            component: component()?,
            export: fact("export")?,
        },
        "CALL-003" => CallError::Overloaded {
            component: component()?,
            retry_after: time()?,
        },
        "CALL-004" => CallError::Broken {
            component: component()?,
            retry_after: time()?,
        },
        "CALL-005" => CallError::TimedOut(time()?),
        "CALL-006" => CallError::Trapped(text()?),
        "CALL-007" => CallError::OverLimit(text()?),
        "CALL-008" => CallError::HandlerFailed(text()?),
        "CALL-009" => CallError::Conflict {
            attempts: fact("attempts")?.parse().ok()?,
        },
        "CALL-010" => CallError::KeyReused,
        "CALL-011" => CallError::KeyRunning,
        "CALL-012" => CallError::Store(match fact("store")?.as_str() {
            "STORE-001" => StoreError::Full(text()?),
            "STORE-002" => StoreError::Corrupt(text()?),
            "STORE-003" | "STORE-008" => StoreError::Unavailable(text()?),
            _ => StoreError::Unknown(text()?),
        }),
        "CALL-013" => CallError::Engine(text()?),
        "CALL-014" => CallError::ShuttingDown,
        _ => return None,
    })
}
