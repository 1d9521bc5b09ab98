//! Which running host a command asks.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::Manifest;

/// Which host is asked, and how it is told.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The admin address of the host; without it the one that the host has noted in its data directory.
    #[arg(
        long,
        global = true,
        value_name = "ADDR:PORT",
        env = "SKALD_ADMIN",
        help_heading = "Which host"
    )]
    pub(crate) admin: Option<String>,

    /// The host's admin token, if it asks for one; `@file` takes it from a file.
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "SKALD_ADMIN_TOKEN",
        hide_env_values = true,
        help_heading = "Which host"
    )]
    pub(crate) admin_token: Option<String>,

    /// The data directory of the host; without it `.skald/data` beside the manifest.
    #[arg(
        long,
        global = true,
        visible_alias = "state-dir",
        value_name = "DIR",
        env = "SKALD_DATA_DIR",
        help_heading = "Which host"
    )]
    pub(crate) data_dir: Option<PathBuf>,

    /// The manifest, or the folder it is in.
    #[arg(
        short = 'f',
        long = "file",
        global = true,
        value_name = "PATH",
        default_value = "spin.toml",
        help_heading = "Which host"
    )]
    pub(crate) file: PathBuf,

    /// Write without colours, as on anything but a terminal.
    #[arg(
        long,
        global = true,
        value_name = "ANY",
        env = "NO_COLOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        hide_env_values = true
    )]
    pub(crate) no_color: Option<OsString>,
}

// === impl Place ===

impl Place {
    /// The manifest, for where the data is beside it.
    pub(crate) fn manifest(&self) -> Manifest {
        Manifest {
            from: self.file.clone(),
            variables: Vec::new(),
            cache_dir: None,
        }
    }
}
