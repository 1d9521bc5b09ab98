//! The command line of `skald nodes`.

use clap::Args;

use super::Place;

const SEE: &str = "\
Examples:
  skald nodes                            the nodes of the application that runs here
  skald nodes --json | jq '.items[].components'

Without --redis a host is the only node there is.";

/// What `skald nodes` is asked.
#[derive(Args, Clone, Debug)]
#[command(after_help = SEE)]
pub(crate) struct Nodes {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Print the host's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
