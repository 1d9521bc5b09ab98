//! Who acts.

use clap::Args;

/// Who acts: a run's journal keeps it, else the host's log.
#[derive(Args, Clone, Debug)]
pub(crate) struct Who {
    /// Who does it, for the host's records.
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        default_value = "somebody",
        hide_env_values = true
    )]
    pub(crate) who: String,
}
