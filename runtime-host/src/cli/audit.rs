//! The command line of `skald audit`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::Manifest;

const SEE: &str = "\
Examples:
  skald audit verify --from http://127.0.0.1:3000 --token @auditor.jwt
  skald audit verify --from … --token … --save record.jsonl --save-heads heads.json   keep both elsewhere
  skald audit verify --from … --token … --heads heads.json     and is it still the record of back then?
  skald audit verify record.jsonl --heads heads.json           the same of a file, without a host

It ends with 1 where the record is not as it was written.";

/// What `skald audit` is asked.
#[derive(Args, Clone, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum AuditCommand {
    /// Compute every hash of the shop's audit record anew, and tell of the first entry of each chain that is wrong.
    #[command(after_help = SEE)]
    Verify(Verify),
}

#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("record").required(true).args(["file", "from"])))]
pub(crate) struct Verify {
    /// Entries that were saved before, one as JSON on each line.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// The shop whose record is read, like http://127.0.0.1:3000.
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,

    /// An auditor's access token; `@file` takes it from a file.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SKALD_AUDIT_TOKEN",
        hide_env_values = true
    )]
    pub(crate) token: Option<String>,

    /// Heads that were saved before: every chain has to go on from them, so that one that was cut or written anew is found.
    #[arg(long, value_name = "FILE")]
    pub(crate) heads: Option<PathBuf>,

    /// Write the entries into this file.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) save: Option<PathBuf>,

    /// Write the heads into this file, if nothing is wrong.
    #[arg(long, value_name = "FILE")]
    pub(crate) save_heads: Option<PathBuf>,
}

// === impl Audit ===

impl Audit {
    /// None is read.
    pub(crate) fn manifest() -> Manifest {
        Manifest {
            from: PathBuf::from("spin.toml"),
            variables: Vec::new(),
            cache_dir: None,
        }
    }
}
