//! The command line of `skald doctor`.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Subcommand};
use skald_store::redis::Address;

use super::Manifest;

const SEE: &str = "\
Examples:
  skald doctor redis --redis redis://127.0.0.1
  skald doctor redis --redis rediss://skald:PASSWORD@redis.example --redis-ca ca.pem
  skald doctor redis --redis redis+cluster://10.0.0.1,10.0.0.2 --json

It tries what has to be tried on keys of its own, which are gone afterwards, and changes nothing.
It ends with 0 where all is well, with 1 where something is weak, and with 2 where this Redis cannot be used.";

/// What `skald doctor` is asked.
#[derive(Args, Clone, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct Doctor {
    #[command(subcommand)]
    pub(crate) command: DoctorCommand,
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum DoctorCommand {
    /// See whether a Redis is fit to keep what must not be lost, and what its settings can lose.
    #[command(after_help = SEE)]
    Redis(Examine),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Examine {
    /// Where it is: redis://HOST:PORT, redis+sentinel://HOST,HOST/NAME or redis+cluster://HOST,HOST; rediss for TLS.
    #[arg(long, value_name = "URL", env = "SKALD_REDIS", hide_env_values = true)]
    pub(crate) redis: Address,

    /// The certificates that it is trusted by, in PEM; without it those of the system.
    #[arg(long, value_name = "FILE", env = "SKALD_REDIS_CA")]
    pub(crate) redis_ca: Option<PathBuf>,

    /// The application whose keys are tried. It matters for a user who may touch only some.
    #[arg(
        long,
        value_name = "NAME",
        env = "SKALD_REDIS_PREFIX",
        default_value = "doctor"
    )]
    pub(crate) redis_prefix: String,

    /// Print what was found as JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// No colours (<https://no-color.org>).
    #[arg(
        long,
        value_name = "ANY",
        env = "NO_COLOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        hide_env_values = true
    )]
    pub(crate) no_color: Option<OsString>,
}

// === impl Doctor ===

impl Doctor {
    /// None is read.
    pub(crate) fn manifest() -> Manifest {
        Manifest {
            from: PathBuf::from("spin.toml"),
            variables: Vec::new(),
            cache_dir: None,
        }
    }
}
