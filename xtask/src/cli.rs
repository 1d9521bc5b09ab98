//! The command line: which chores there are, and what each is for.

use std::ffi::OsString;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{bench, build, faults, lint, skald, soak, test, tidy, workspace::Workspace};

/// The chores of the Skald workspace.
///
/// A fresh machine needs only Rust and a C compiler: each command fetches or names whatever else it needs. To see the
/// shop run, use `cargo skald up`.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
pub(crate) struct Xtask {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Build the components for wasm32-wasip2, where spin.toml looks for them.
    ///
    /// All components are built by one cargo invocation in the profile `component` (small and fast, fat LTO), so the
    /// first build takes minutes and a build without changes less than a second. `skald up --build` and `spin build`
    /// run this same command.
    Build {
        /// Also build the ill-behaved components of tests/guests, which only tests use.
        #[arg(long)]
        guests: bool,
    },
    /// Build the host and run it: `cargo skald up` is short for `cargo xtask skald up`.
    ///
    /// `up` gets `--build`, so that the components are built too. All arguments are the host's own; try
    /// `cargo skald --help`.
    #[command(disable_help_flag = true)]
    Skald {
        /// What the host is called with.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run every check that needs no test: format, tidy, clippy (native and wasm), documentation.
    ///
    /// All checks run even if one fails, so that one run shows everything there is to mend.
    Lint,
    /// Build everything and run all tests with nextest; the rest of the line is nextest's.
    ///
    /// Examples: `cargo xtask test`, `cargo xtask test -p skald-core`, `cargo xtask test -E 'test(undo)'`. Installs
    /// cargo-nextest if it is missing. Domains of components are tested natively, whole components through the host.
    Test {
        /// Run the end-to-end tests alone, with all hosts on a Redis Cluster of three primaries.
        ///
        /// The cluster starts and ends with the tests. Those that start servers of their own are left out, unless the rest
        /// of the line says which tests are to run.
        #[arg(long)]
        redis_cluster: bool,
        /// What nextest is called with, after our own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build everything and measure it; docs/benchmarks.md says what the figures mean.
    ///
    /// Without a name all benchmarks run, in some six minutes: `mesh`, `hello`, `saga`, `events`, `shop`. They need the
    /// machine for themselves, and `events` needs `redis-server`. A goal that is missed is in the table, and no failure.
    Bench {
        /// Which benchmarks to run.
        names: Vec<OsString>,
    },
    /// Build everything and let sagas do whatever they can while the host is killed again and again.
    ///
    /// In the end a model says what must have come of each run. `--minutes N` says for how long, and `--seed S` draws the
    /// same programs again: what a failure prints.
    #[command(disable_help_flag = true)]
    Soak {
        /// What the soak is called with.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Play everything that can go wrong with sagas: hosts that die at every place, journals that fail, callees that do not
    /// answer, people who act at any time.
    ///
    /// `--quick` plays as much as the tests do, in seconds; the whole takes minutes. `--seed N` says where chance begins,
    /// and `--case NAME` plays only the cases whose names contain it. What fails is told with its seed, as small as it
    /// was found, and with the story of its run.
    Faults {
        /// `--quick`, `--seed N`, `--case NAME`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Check the rules that compilers do not know: dependencies between crates, sizes, names, pages.
    ///
    /// Prints every finding as `path:line: what; how to mend it`. The rules are in xtask/src/tidy/, one file each.
    Tidy,
}

impl Xtask {
    /// Does the chore.
    pub(crate) fn run(self) -> Result<()> {
        let workspace = Workspace::load()?;
        match self.chore {
            Chore::Build { guests: false } => build::run(&workspace, build::What::Components),
            Chore::Build { guests: true } => {
                build::run(&workspace, build::What::ComponentsAndGuests)
            }
            Chore::Skald { args } => skald::run(&workspace, args),
            Chore::Lint => lint::run(&workspace),
            Chore::Test {
                redis_cluster,
                args,
            } => {
                let store = if redis_cluster {
                    test::Store::Cluster
                } else {
                    test::Store::Usual
                };
                test::run(&workspace, store, &args)
            }
            Chore::Bench { names } => bench::run(&workspace, &names),
            Chore::Soak { args } => soak::run(&workspace, &args),
            Chore::Faults { args } => faults::run(&workspace, &args),
            Chore::Tidy => tidy::run(&workspace),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Xtask::command().debug_assert();
    }

    #[test]
    fn the_arguments_of_the_host_are_passed_on_untouched() {
        let line = ["xtask", "skald", "up", "--listen", "127.0.0.1:0", "--help"];
        let Chore::Skald { args } = Xtask::parse_from(line).chore else {
            panic!("another chore was parsed");
        };
        assert_eq!(args, ["up", "--listen", "127.0.0.1:0", "--help"]);
    }

    #[test]
    fn the_cluster_is_ours_and_the_rest_is_for_nextest() {
        let line = ["xtask", "test", "--redis-cluster", "-E", "test(shop)"];
        let Chore::Test {
            redis_cluster,
            args,
        } = Xtask::parse_from(line).chore
        else {
            panic!("another chore was parsed");
        };
        assert!(redis_cluster);
        assert_eq!(args, ["-E", "test(shop)"]);
    }
}
