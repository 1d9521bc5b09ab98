//! Why `skald`, or `skald saga` in particular, ends otherwise than it should.

use std::{path::PathBuf, process::ExitCode};

use skald_companions::CompanionError;
use thiserror::Error;

use crate::lifecycle;

/// Why the program ends otherwise than it should.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// What the other commands can end with.
    #[error(transparent)]
    Host(#[from] lifecycle::Failure),
    /// No address of a host is known.
    #[error(
        "no host runs on {0}; start it with `skald up`, or name one with --data-dir or --admin"
    )]
    NoAddress(String),
    /// Nobody answers there.
    #[error("no host answers at {address}: {reason}; is `skald up` running? {hint}")]
    NoAnswer {
        /// Where.
        address: String,
        /// What went wrong.
        reason: String,
        /// Where the address is from.
        hint: String,
    },
    /// The host says no, and why.
    #[error("{detail} ({code})")]
    Refused {
        /// Why.
        detail: String,
        /// A code with a page in `docs/errors/`.
        code: String,
    },
    /// Whoever answers is not the admin API of a host of this version.
    #[error("{0} does not answer as the admin API of a host does: {1}")]
    Foreign(String, String),
    /// A file cannot be read or written.
    #[error("{path}: {error}", path = .0.display(), error = .1)]
    File(PathBuf, std::io::Error),
    /// What was given makes no sense.
    #[error("{0}")]
    Input(String),
    /// Companions cannot be made.
    #[error(transparent)]
    Companions(#[from] CompanionError),
    /// Something is not as it should be; it was said what.
    #[error("{0}")]
    Findings(String),
    /// Something is of no use; it was said what.
    #[error("{0}")]
    Unusable(String),
}

impl Failure {
    /// The exit code: 1 for a no, others by the conventions of sysexits.h.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Host(failure) => failure.exit_code(),
            Self::Refused { .. } | Self::Findings(_) => ExitCode::from(1),
            Self::Unusable(_) => ExitCode::from(2),
            Self::Input(_) | Self::Companions(_) => ExitCode::from(64),
            Self::NoAddress(_) | Self::NoAnswer { .. } => ExitCode::from(69),
            Self::File(..) => ExitCode::from(74),
            Self::Foreign(..) => ExitCode::from(76),
        }
    }
}
