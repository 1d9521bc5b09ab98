//! What begins a run.

use skald_core::{
    call::{Input, Request},
    context::{Cause, Once},
    manifest::ComponentId,
    saga::{self, RunId, Started},
};
use skald_telemetry::ids;

/// A run that is to begin.
#[derive(Clone, Debug)]
pub struct Start {
    /// Whose code it runs.
    pub component: ComponentId,
    /// What begins it: the same key with the same input again is the same run.
    pub key: String,
    /// What it is about, for people.
    pub subject: String,
    /// What it is asked.
    pub input: saga::Input,
    /// The W3C `traceparent` it begins under.
    pub trace: String,
    /// On whose behalf.
    pub principal: Option<String>,
}

/// What became of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The run has begun; that is durable.
    New(RunId),
    /// The key began this run before.
    Before(RunId),
}

// === impl Start ===

impl Start {
    /// The start that a call of a saga is; none where a saga cannot be asked that.
    pub fn of(request: &Request) -> Option<Self> {
        let input = saga::Input::of(&request.input)?;
        let (key, subject) = match (
            &request.input,
            &request.context.once,
            &request.context.cause,
        ) {
            (Input::Message(payload), _, cause) => {
                let envelope = Envelope::read(payload);
                let key = match (envelope.id, cause) {
                    (Some(id), _) => id,
                    (None, Cause::Event(sequence)) => format!("event-{sequence}"),
                    (None, _) => format!("message-{:032x}", ids::trace_id()),
                };
                (key, envelope.subject.unwrap_or_default())
            }
            (_, Some(Once::Step(step)), _) => (step.key.clone(), String::new()),
            (_, Some(Once::Key(key)), _) => (key.scope.clone(), String::new()),
            // Nothing names this call, so that no other is the same.
            (_, Some(Once::Inbox(_)) | None, _) => {
                (format!("call-{:032x}", ids::trace_id()), String::new())
            }
        };
        Some(Self {
            component: request.target.clone(),
            key,
            subject,
            input,
            trace: request.context.trace.to_string(),
            principal: request
                .context
                .principal
                .as_ref()
                .map(|principal| principal.0.to_string()),
        })
    }

    /// The first record of the run.
    pub(crate) fn record(self, revision: String) -> Started {
        Started {
            run: RunId::of(&self.component, &self.key),
            component: self.component.to_string(),
            revision,
            key: self.key,
            subject: self.subject,
            input: self.input,
            trace: self.trace,
            principal: self.principal,
        }
    }
}

impl Begun {
    /// The run.
    pub const fn run(&self) -> &RunId {
        match self {
            Self::New(run) | Self::Before(run) => run,
        }
    }
}

/// What a CloudEvents message says of itself.
#[derive(Default, serde::Deserialize)]
struct Envelope {
    id: Option<String>,
    subject: Option<String>,
}

impl Envelope {
    /// Nothing of a message that is none.
    fn read(payload: &[u8]) -> Self {
        serde_json::from_slice(payload).unwrap_or_default()
    }
}
