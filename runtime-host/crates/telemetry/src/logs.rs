//! Where log lines go, and what they look like: for people on a terminal, one JSON object a line for machines.

mod json;

use std::{fmt, io, io::IsTerminal, str::FromStr};

use thiserror::Error;
use tracing_subscriber::{
    EnvFilter, Layer, fmt::layer, layer::SubscriberExt, registry, util::SubscriberInitExt,
};

use self::json::JsonLines;

/// What a log line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Compact and coloured, for a person at a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Why the logs could not be set up.
#[derive(Debug, Error)]
pub enum LogsError {
    /// The directive is not of the form `info,skald_mesh=debug`.
    #[error("{directive:?} does not say what to log; an example is \"info,skald_mesh=debug\"")]
    Directive {
        /// What was given.
        directive: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody else has set up the logs of this process.
    #[error("the logs of this process are set up already")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// A name that is not a format's.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a log format; there are \"pretty\" and \"json\"")]
pub struct UnknownFormat(String);

/// Sends the log lines of this process to standard error.
///
/// `directive` says what is logged: a level, and levels of modules that differ: `info,skald_mesh=debug`.
pub fn init(format: Format, directive: &str) -> Result<(), LogsError> {
    let filter = EnvFilter::try_new(directive).map_err(|source| LogsError::Directive {
        directive: directive.to_owned(),
        source,
    })?;
    let lines = match format {
        Format::Pretty => {
            let colours = io::stderr().is_terminal();
            layer()
                .compact()
                .with_target(false)
                .with_ansi(colours)
                .with_writer(io::stderr)
                .boxed()
        }
        Format::Json => JsonLines::new(io::stderr, crate::clock::now).boxed(),
    };
    registry()
        .with(lines)
        .with(filter)
        .try_init()
        .map_err(LogsError::Twice)
}

// === impl Format ===

impl Format {
    /// Pretty where standard error is a terminal, JSON where something collects it.
    pub fn detect() -> Self {
        if io::stderr().is_terminal() {
            Self::Pretty
        } else {
            Self::Json
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            other => Err(UnknownFormat(other.to_owned())),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pretty => "pretty",
            Self::Json => "json",
        })
    }
}
