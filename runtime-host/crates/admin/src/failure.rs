//! Why something asked of the admin API was not done, with a stable code for each reason.

use http::StatusCode;
use skald_core::{
    call::Blame,
    saga::{desk::DeskError, owners::Other},
    store::StoreError,
};
use thiserror::Error;

/// Why it was not done. Each message is shown to whoever asked.
#[derive(Clone, Debug, Error)]
pub(crate) enum Failure {
    /// The coordinator says no.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The log of events, or what nodes say of themselves, could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No component listens to events under that name.
    #[error("{given:?} listens to no events; {}", those(listeners))]
    NoSubscriber {
        /// What was asked for.
        given: String,
        /// Who listens.
        listeners: Vec<String>,
    },
    /// No dead letter has that id.
    #[error("there is no dead letter {0}; `skald events dlq ls` shows those there are")]
    NoLetter(String),
    /// A place of the log, or a time, makes no sense; why.
    #[error("{0}")]
    BadPlace(String),
    /// What is to be published cannot be; why.
    #[error("{0}")]
    BadEvent(String),
    /// The application has no sagas.
    #[error("this application has no sagas")]
    NoSagas,
    /// There is no token.
    #[error(
        "this needs the admin token: the header `Authorization: Bearer …`, or `skald saga --admin-token`"
    )]
    NoToken,
    /// It is another token.
    #[error("this is not the admin token of this host")]
    BadToken,
    /// It may have been sent by a web page.
    #[error("the request is refused: {0}; start the host with --admin-token to ask from there")]
    Foreign(&'static str),
    /// It cannot be understood; why.
    #[error("{0}")]
    Malformed(String),
    /// Several runs begin so.
    #[error("{given:?} is the beginning of several runs: {}", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        given: String,
        /// Some runs that begin so.
        candidates: Vec<String>,
    },
    /// Nothing is there.
    #[error(
        "nothing answers at this path; there are /admin/v1/sagas, topics, events, lag, dead-letters, replay and nodes"
    )]
    NoSuchPath,
    /// Something is there, which cannot be asked so.
    #[error("this path does not take this method")]
    WrongMethod,
    /// The body is longer than is read.
    #[error("the body has more than {0} bytes")]
    BodyTooLong(usize),
    /// The body did not arrive, or not in time.
    #[error("the body could not be read: {0}")]
    BodyBroken(&'static str),
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

    /// Whose fault it is.
    pub(crate) const fn blame(&self) -> Blame {
        match self {
            Self::Desk(DeskError::Damaged(_) | DeskError::Store(_) | DeskError::ShuttingDown)
            | Self::Store(_) => Blame::Host,
            Self::Desk(
                DeskError::NoSuchRun(_)
                | DeskError::Refused(_)
                | DeskError::Invalid(_)
                | DeskError::Elsewhere(_),
            )
            | Self::NoSubscriber { .. }
            | Self::NoLetter(_)
            | Self::BadPlace(_)
            | Self::BadEvent(_)
            | Self::NoSagas
            | Self::NoToken
            | Self::BadToken
            | Self::Foreign(_)
            | Self::Malformed(_)
            | Self::Ambiguous { .. }
            | Self::NoSuchPath
            | Self::WrongMethod
            | Self::BodyTooLong(_)
            | Self::BodyBroken(_) => Blame::Caller,
        }
    }

    /// Code, status and title: the table of this room.
    const fn facts(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Desk(error) => desk(error),
            Self::Store(error) => store(error),
            Self::NoSubscriber { .. } => ("EVENT-001", StatusCode::NOT_FOUND, "No such subscriber"),
            Self::NoLetter(_) => ("EVENT-002", StatusCode::NOT_FOUND, "No such dead letter"),
            Self::BadPlace(_) => ("EVENT-003", StatusCode::BAD_REQUEST, "No such place"),
            Self::BadEvent(_) => ("EVENT-004", StatusCode::BAD_REQUEST, "Not to be published"),
            Self::NoSagas => ("ADMIN-005", StatusCode::NOT_FOUND, "No sagas"),
            Self::NoToken => ("ADMIN-001", StatusCode::UNAUTHORIZED, "Admin token needed"),
            Self::BadToken => ("ADMIN-001", StatusCode::UNAUTHORIZED, "Admin token refused"),
            Self::Foreign(_) => ("ADMIN-002", StatusCode::FORBIDDEN, "Not from this machine"),
            Self::Malformed(_) => ("ADMIN-003", StatusCode::BAD_REQUEST, "Not understood"),
            Self::Ambiguous { .. } => ("ADMIN-004", StatusCode::CONFLICT, "Several runs"),
            Self::NoSuchPath => ("ADMIN-005", StatusCode::NOT_FOUND, "Not found"),
            Self::WrongMethod => (
                "ADMIN-005",
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
            ),
            Self::BodyTooLong(_) => ("ADMIN-006", StatusCode::PAYLOAD_TOO_LARGE, "Body too long"),
            Self::BodyBroken(_) => (
                "ADMIN-006",
                StatusCode::REQUEST_TIMEOUT,
                "Body not readable",
            ),
        }
    }
}

const fn desk(error: &DeskError) -> (&'static str, StatusCode, &'static str) {
    let (status, title) = match error {
        DeskError::NoSuchRun(_) => (StatusCode::NOT_FOUND, "No such run"),
        DeskError::Refused(_) => (StatusCode::CONFLICT, "Not possible now"),
        DeskError::Invalid(_) => (StatusCode::BAD_REQUEST, "Not possible"),
        DeskError::Damaged(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Journal damaged"),
        DeskError::Store(error) => return store(error),
        DeskError::Elsewhere(Other { admin: Some(_), .. }) => {
            (StatusCode::TEMPORARY_REDIRECT, "On another node")
        }
        DeskError::Elsewhere(Other { admin: None, .. }) => {
            (StatusCode::MISDIRECTED_REQUEST, "On another node")
        }
        DeskError::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "Shutting down"),
    };
    (error.code(), status, title)
}

const fn store(error: &StoreError) -> (&'static str, StatusCode, &'static str) {
    let (status, title) = match error {
        StoreError::Corrupt(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Data not readable"),
        StoreError::Unknown(_) => (StatusCode::SERVICE_UNAVAILABLE, "Outcome not known"),
        StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Changed(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Store not available")
        }
    };
    (error.code(), status, title)
}

/// Who listens, for those who named somebody else.
fn those(listeners: &[String]) -> String {
    match listeners {
        [] => "nobody does".to_owned(),
        some => format!("these do: {}", some.join(", ")),
    }
}
