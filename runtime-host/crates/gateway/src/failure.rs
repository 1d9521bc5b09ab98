//! Why a request has no answer of a component, with a stable code for each reason.

use std::time::Duration;

use http::StatusCode;
use skald_core::{
    call::{Blame, CallError},
    manifest::ByteSize,
};
use thiserror::Error;

/// Why a request has no answer of a component. Each message is shown to the client.
#[derive(Clone, Debug, Error)]
pub(crate) enum Failure {
    /// No route has this path.
    #[error("nothing answers at this path")]
    NoRoute,
    /// The path could mean another one to whoever reads it next.
    #[error(
        "the path must begin with `/` and have no segment `.` or `..`; send the path that is meant"
    )]
    UnclearPath,
    /// The host that is asked has no form of a host.
    #[error("the Host header is not a host")]
    BadHost,
    /// The route needs a token and there is none.
    #[error("this needs an access token in the header `Authorization: Bearer …`")]
    NoToken,
    /// There is a token and it is not good.
    #[error("the access token is refused: {0}")]
    BadToken(#[from] TokenError),
    /// The keys that tokens are checked with could not be read.
    #[error("access tokens cannot be checked at the moment")]
    NoKeys,
    /// The body is longer than the route allows.
    #[error("the body is longer than {0}")]
    BodyTooLong(ByteSize),
    /// The body did not arrive in time.
    #[error("the body did not arrive within {0:?}")]
    BodyTooSlow(Duration),
    /// The body ended early or is not framed as HTTP asks.
    #[error("the body could not be read")]
    BodyBroken,
    /// The route needs an idempotency key.
    #[error("this needs the header `Idempotency-Key`, so that sending it twice has one effect")]
    KeyMissing,
    /// The idempotency key has no form of one.
    #[error("the header `Idempotency-Key` must be one value of 1 to 255 visible ASCII characters")]
    KeyMalformed,
    /// The call failed. What the client may know of it is in [`Failure::detail`].
    #[error("the call failed")]
    Call(#[from] CallError),
}

/// What is wrong with a token. Each message is shown to the client and says nothing about keys.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// Not three parts of base64, or not JSON, or more than one of it.
    #[error("it is malformed")]
    Malformed,
    /// An algorithm, type or extension that is not on the list.
    #[error("its algorithm or type is not accepted")]
    Unaccepted,
    /// Signed by nobody we know.
    #[error("its key is not known")]
    UnknownKey,
    /// Changed, or signed with another key than it says.
    #[error("its signature is wrong")]
    Signature,
    /// Too late.
    #[error("it has expired")]
    Expired,
    /// Too early.
    #[error("it is not valid yet")]
    TooEarly,
    /// Of another issuer or for another audience.
    #[error("it is not meant for this application")]
    Foreign,
    /// A claim is missing or unusable.
    #[error("it lacks a claim: iss, aud, exp, nbf and sub are needed")]
    Claims,
}

// === impl Failure ===

impl Failure {
    /// A stable code with a page in `docs/errors/`.
    pub(crate) const fn code(&self) -> &'static str {
        self.facts().0
    }

    /// The status of the answer.
    pub(crate) const fn status(&self) -> StatusCode {
        self.facts().1
    }

    /// What the failure is called, the same for each of its kind.
    pub(crate) const fn title(&self) -> &'static str {
        self.facts().2
    }

    /// Code, status and title: the table of this room.
    const fn facts(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::NoRoute => ("GW-001", StatusCode::NOT_FOUND, "Not found"),
            Self::NoToken => ("GW-002", StatusCode::UNAUTHORIZED, "Not authenticated"),
            Self::BadToken(_) => ("GW-003", StatusCode::UNAUTHORIZED, "Access token refused"),
            Self::NoKeys => (
                "GW-004",
                StatusCode::SERVICE_UNAVAILABLE,
                "Access tokens cannot be checked",
            ),
            Self::BodyTooLong(_) => ("GW-005", StatusCode::PAYLOAD_TOO_LARGE, "Body too long"),
            Self::BodyTooSlow(_) => ("GW-006", StatusCode::REQUEST_TIMEOUT, "Body too slow"),
            Self::BodyBroken => ("GW-007", StatusCode::BAD_REQUEST, "Body not readable"),
            Self::KeyMissing => ("GW-008", StatusCode::BAD_REQUEST, "Idempotency key missing"),
            Self::KeyMalformed => (
                "GW-009",
                StatusCode::BAD_REQUEST,
                "Idempotency key malformed",
            ),
            Self::BadHost => ("GW-010", StatusCode::BAD_REQUEST, "Bad host"),
            Self::UnclearPath => ("GW-011", StatusCode::BAD_REQUEST, "Unclear path"),
            Self::Call(error) => (error.code(), call_status(error), call_title(error)),
        }
    }

    /// Whose fault it is.
    pub(crate) const fn blame(&self) -> Blame {
        match self {
            Self::NoKeys => Blame::Component,
            // The gateway made this call, not the client: a route that leads to nobody is the deployment's mistake.
            Self::Call(CallError::NoSuchComponent(_) | CallError::NoSuchExport { .. }) => {
                Blame::Host
            }
            Self::Call(error) => error.blame(),
            Self::NoRoute
            | Self::UnclearPath
            | Self::BadHost
            | Self::NoToken
            | Self::BadToken(_)
            | Self::BodyTooLong(_)
            | Self::BodyTooSlow(_)
            | Self::BodyBroken
            | Self::KeyMissing
            | Self::KeyMalformed => Blame::Caller,
        }
    }

    /// What the client is told. Names, texts of guests and causes stay inside; they are in the log.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Call(error) => call_detail(error).to_owned(),
            own => own.to_string(),
        }
    }

    /// When it is worth trying again, if that is known.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoKeys => Some(SOON),
            Self::Call(
                CallError::Overloaded { retry_after, .. } | CallError::Broken { retry_after, .. },
            ) => Some(*retry_after),
            Self::Call(
                CallError::Conflict { .. } | CallError::KeyRunning | CallError::ShuttingDown,
            ) => Some(SOON),
            _ => None,
        }
    }
}

/// The shortest that `Retry-After` can say.
const SOON: Duration = Duration::from_secs(1);

const fn call_status(error: &CallError) -> StatusCode {
    match error {
        CallError::NoSuchComponent(_) | CallError::NoSuchExport { .. } => StatusCode::BAD_GATEWAY,
        CallError::Overloaded { .. }
        | CallError::Broken { .. }
        | CallError::Conflict { .. }
        | CallError::Store(_)
        | CallError::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        CallError::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
        CallError::Trapped(_)
        | CallError::OverLimit(_)
        | CallError::HandlerFailed(_)
        | CallError::Engine(_) => StatusCode::INTERNAL_SERVER_ERROR,
        CallError::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        CallError::KeyRunning => StatusCode::CONFLICT,
    }
}

const fn call_title(error: &CallError) -> &'static str {
    match error {
        CallError::NoSuchComponent(_) | CallError::NoSuchExport { .. } => "Not deployed",
        CallError::Overloaded { .. } => "Too many requests at once",
        CallError::Broken { .. } => "Service failing",
        CallError::TimedOut(_) => "No answer in time",
        CallError::Trapped(_) => "Service stopped",
        CallError::OverLimit(_) => "Service over its limit",
        CallError::HandlerFailed(_) => "Service failed",
        CallError::Conflict { .. } => "Too much contention",
        CallError::KeyReused => "Idempotency key reused",
        CallError::KeyRunning => "Request still running",
        CallError::Store(_) => "Data not available",
        CallError::Engine(_) => "Internal error",
        CallError::ShuttingDown => "Shutting down",
    }
}

const fn call_detail(error: &CallError) -> &'static str {
    match error {
        CallError::NoSuchComponent(_) | CallError::NoSuchExport { .. } => {
            "the service that answers here is not deployed as the route expects"
        }
        CallError::Overloaded { .. } => {
            "the service has more requests than it takes; nothing was done"
        }
        CallError::Broken { .. } => {
            "the service has failed several times and is left alone for a while; nothing was done"
        }
        CallError::TimedOut(_) => {
            "the service gave no answer in time; nothing of this request was kept by it"
        }
        CallError::Trapped(_) | CallError::HandlerFailed(_) => {
            "the service stopped before it had an answer"
        }
        CallError::OverLimit(_) => "the service needed more memory or data than it is given",
        CallError::Conflict { .. } => "others kept changing the same data; nothing was done",
        CallError::KeyReused => {
            "this idempotency key was used with another request; use a new key for a new request"
        }
        CallError::KeyRunning => {
            "a request with this idempotency key is still running; ask again for its answer"
        }
        CallError::Store(_) => "the data is not available at the moment",
        CallError::Engine(_) => "the host could not run the service",
        CallError::ShuttingDown => "the host is shutting down; nothing was done",
    }
}

// === impl TokenError ===

impl From<jsonwebtoken::errors::Error> for TokenError {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        use jsonwebtoken::errors::ErrorKind;
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::InvalidAlgorithm
            | ErrorKind::InvalidAlgorithmName
            | ErrorKind::UnsupportedAlgorithm => Self::Unaccepted,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::TooEarly,
            ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => Self::Foreign,
            ErrorKind::MissingRequiredClaim(_)
            | ErrorKind::InvalidClaimFormat(_)
            | ErrorKind::InvalidSubject => Self::Claims,
            // The enum is open; whatever comes is about a token that cannot be read.
            _ => Self::Malformed,
        }
    }
}
