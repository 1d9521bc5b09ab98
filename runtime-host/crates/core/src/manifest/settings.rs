//! Skald's own settings, from the tables `tool.skald`, and the value of each that nobody set.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use super::units::ByteSize;
use crate::{route::MethodPattern, saga::policy::Policies};

/// Settings of the whole application.
#[derive(Clone, Debug, Default)]
pub struct AppSettings {
    /// Whether components are atomic unless they say otherwise.
    pub atomic: bool,
    /// How the public gets in.
    pub http: HttpSettings,
    /// How events are delivered.
    pub events: EventSettings,
}

/// How the public gets in.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The longest body of a request.
    pub body_limit: ByteSize,
    /// Who may send requests; anyone when absent.
    pub auth: Option<AuthSettings>,
}

/// Whose tokens are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthSettings {
    /// The `iss` of a token.
    pub issuer: String,
    /// The `aud` of a token.
    pub audience: String,
    /// Where the keys are published.
    pub jwks: String,
    /// Requests that need no token.
    pub public: Vec<MethodPattern>,
}

/// How events are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSettings {
    /// Handlers at work at once, for each subscriber.
    pub concurrency: NonZeroUsize,
    /// Deliveries before an event becomes a dead letter.
    pub attempts: NonZeroU32,
    /// The first pause between two deliveries; each next one is twice as long.
    pub backoff: Duration,
    /// The longest pause.
    pub max_backoff: Duration,
    /// How long events are kept at least, and what no subscriber has yet to handle is let go of after; without it, age is
    /// no reason to let go.
    pub retention: Option<Duration>,
    /// How many bytes of messages are kept at least; without it, their number is no reason to let go.
    pub retention_size: Option<ByteSize>,
}

/// Settings of one component.
#[derive(Clone, Debug)]
pub struct ComponentSettings {
    /// Whether each call is one unit of work.
    pub atomic: bool,
    /// How its steps are tried, if it is a saga; none if it is not one.
    pub saga: Option<SagaSettings>,
    /// What calls share.
    pub isolation: Isolation,
    /// The memory of one instance.
    pub memory: ByteSize,
    /// How long a call may take.
    pub deadline: Duration,
    /// Calls at once.
    pub concurrency: NonZeroUsize,
    /// How calls by other components are repeated.
    pub retry: Retry,
    /// How it answers requests.
    pub http: ComponentHttpSettings,
}

/// Settings of a saga.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SagaSettings {
    /// How its steps are tried.
    pub policies: Policies,
}

/// What the calls of a component share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// An instance takes one call after the other.
    #[default]
    Instance,
    /// Each call has a fresh instance.
    Call,
}

/// How a call that found nobody is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all.
    pub attempts: NonZeroU32,
    /// The first pause; each next one is twice as long.
    pub backoff: Duration,
}

/// How a component answers requests.
#[derive(Clone, Debug)]
pub struct ComponentHttpSettings {
    /// Requests that need an `Idempotency-Key` and have their effect once.
    pub idempotent: Vec<MethodPattern>,
    /// The longest body of a request.
    pub body_limit: ByteSize,
}

// === impl HttpSettings ===

impl HttpSettings {
    /// Orders, carts and users are a few KiB; a MiB leaves room and cannot fill a host.
    pub const BODY_LIMIT: ByteSize = ByteSize::mib(1);
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            body_limit: Self::BODY_LIMIT,
            auth: None,
        }
    }
}

// === impl EventSettings ===

impl EventSettings {
    /// Half the calls a component takes at once, so that events leave room for requests.
    pub const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);
    /// With the pauses below this is about a quarter of a minute: longer than a restart takes.
    pub const ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(7);
    /// Long enough for a conflict to pass, short enough not to be seen by a person.
    pub const BACKOFF: Duration = Duration::from_millis(100);
    /// A person who repaired something waits no longer than this.
    pub const MAX_BACKOFF: Duration = Duration::from_secs(30);
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            concurrency: Self::CONCURRENCY,
            attempts: Self::ATTEMPTS,
            backoff: Self::BACKOFF,
            max_backoff: Self::MAX_BACKOFF,
            retention: None,
            retention_size: None,
        }
    }
}

// === impl ComponentSettings ===

impl ComponentSettings {
    /// Components of a service are small; this is 1,000 pages of WebAssembly memory, and one cannot starve the others.
    pub const MEMORY: ByteSize = ByteSize::mib(64);
    /// People and proxies give up at about this time.
    pub const DEADLINE: Duration = Duration::from_secs(10);
    /// More calls at once only wait for each other on the cores of one machine.
    pub const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);
}

impl Default for ComponentSettings {
    fn default() -> Self {
        Self {
            atomic: false,
            saga: None,
            isolation: Isolation::default(),
            memory: Self::MEMORY,
            deadline: Self::DEADLINE,
            concurrency: Self::CONCURRENCY,
            retry: Retry::default(),
            http: ComponentHttpSettings::default(),
        }
    }
}

// === impl Retry ===

impl Retry {
    /// One try and two more: enough for a restart of one instance, too few to make an outage worse.
    pub const ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
    /// Several times what a call inside a machine takes.
    pub const BACKOFF: Duration = Duration::from_millis(50);
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: Self::ATTEMPTS,
            backoff: Self::BACKOFF,
        }
    }
}

// === impl ComponentHttpSettings ===

impl Default for ComponentHttpSettings {
    fn default() -> Self {
        Self {
            idempotent: Vec::new(),
            body_limit: HttpSettings::BODY_LIMIT,
        }
    }
}
