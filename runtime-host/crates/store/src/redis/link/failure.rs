//! What Redis's errors mean: whether it is worth another attempt, and what those who use the store are told.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use skald_core::store::StoreError;

/// Why a command has no answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) class: Class,
    pub(crate) text: String,
    /// Whether it may have taken effect all the same.
    pub(crate) may_have_arrived: bool,
    /// Whether it is a server's last word on this command.
    pub(crate) is_refusal: bool,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// No room is left; nothing was written.
    Full,
    /// The data is not ours, or damaged.
    Corrupt,
    /// Other servers are there than those it was for. To these, nothing was done.
    Past,
    /// All else.
    Unavailable,
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// Find the server anew, then try again.
    Reconnect,
    /// Try again in a moment.
    Wait,
    /// It will not get better by itself.
    GiveUp,
}

// === impl Failure ===

impl Failure {
    pub(crate) fn of(error: &RedisError) -> Self {
        let class = match error.code() {
            Some("OOM" | "MISCONF") => Class::Full,
            Some("WRONGTYPE" | "CORRUPT") => Class::Corrupt,
            _ => Class::Unavailable,
        };
        Self {
            class,
            text: error.to_string(),
            may_have_arrived: false,
            is_refusal: matches!(Advice::on(error), Advice::GiveUp),
        }
    }

    /// Damaged data, in words.
    pub(crate) fn corrupt(text: impl Into<String>) -> Self {
        Self {
            class: Class::Corrupt,
            text: text.into(),
            may_have_arrived: false,
            is_refusal: false,
        }
    }

    /// What was to be said to the servers of before.
    pub(super) fn past() -> Self {
        Self {
            class: Class::Past,
            text: "Redis is another server than when this was begun".to_owned(),
            may_have_arrived: false,
            is_refusal: false,
        }
    }

    /// The same; a server may have heard the command.
    pub(super) fn heard(mut self, may_have_arrived: bool) -> Self {
        self.may_have_arrived |= may_have_arrived;
        self
    }

    /// The same, of what was not sent at all.
    pub(crate) fn unsent(mut self) -> Self {
        self.may_have_arrived = false;
        self
    }

    /// The same; what only reads has no effect that could be in doubt.
    pub(super) fn unless(mut self, only_reads: bool) -> Self {
        self.may_have_arrived &= !only_reads;
        self
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let Failure {
            class,
            text,
            may_have_arrived,
            ..
        } = failure;
        match class {
            // The last word was an answer, but what was sent before it may have had its effect.
            _ if may_have_arrived => Self::Unknown(text),
            Class::Full => Self::Full(text),
            Class::Corrupt => Self::Corrupt(text),
            Class::Past | Class::Unavailable => Self::Unavailable(text),
        }
    }
}

// === impl Advice ===

impl Advice {
    pub(super) fn on(error: &RedisError) -> Self {
        match error.kind() {
            // Nobody answers, or it makes no sense: another connection may do better.
            ErrorKind::Io
            | ErrorKind::Parse
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::MasterNameNotFoundBySentinel
            // A former master that is a replica now; the next look at the topology finds the new one.
            | ErrorKind::Server(
                ServerErrorKind::ReadOnly | ServerErrorKind::Moved,
            ) => Self::Reconnect,
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                // A slot moves to another server; half of a place is there and half is here until it has.
                | ServerErrorKind::Ask
                | ServerErrorKind::TryAgain,
            ) => Self::Wait,
            _ => match error.code() {
                // A script of somebody else runs too long; too few replicas; a failover by hand has begun.
                Some("BUSY" | "NOREPLICAS" | "UNBLOCKED") => Self::Wait,
                _ => Self::GiveUp,
            },
        }
    }
}

/// Whether the server has forgotten a script, or has never seen it.
pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether the server may have heard the command although nothing came back.
pub(super) fn is_silence(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse)
}
