//! All tests, after building what they start.
//!
//! The host that end-to-end tests start is the one that people run: built alone, in the profile `release`, with none of
//! the features that tests switch on (`tokio/test-util`). The tests are compiled in the same profile, so that all
//! but the few dependencies that see those features are shared with the host; wasmtime, cranelift and SQLite are.

use std::{env, ffi::OsString, process::Command};

use anyhow::Result;

use crate::{build, process, say, skald, tools, workspace::Workspace};

/// What of the end-to-end tests says nothing about a host on a Redis Cluster.
const ELSEWHERE: &str = "FILTER";

/// Where hosts keep what they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Where each test says; mostly in files.
    Usual,
    /// In a Redis Cluster of three primaries, which starts and ends with the tests.
    Cluster,
}

/// Builds components, guests and host, then hands over to nextest, whose summary comes last.
pub(crate) fn run(workspace: &Workspace, store: Store, args: &[OsString]) -> Result<()> {
    tools::nextest(&workspace.root)?;
    tools::redis();
    say::step("components");
    build::run(workspace, build::What::ComponentsAndGuests)?;
    say::step("host");
    skald::build(workspace)?;
    say::step("tests");
    let mut command = match store {
        Store::Usual => nextest(workspace, args, is_ci()),
        Store::Cluster => {
            beside_cluster(workspace, &nextest(workspace, &on_cluster(args), is_ci()))
        }
    };
    process::hand_over("cargo nextest", &mut command)
}

/// What nextest is told where all hosts are on a cluster.
fn on_cluster(args: &[OsString]) -> Vec<OsString> {
    let mut all = ["-p", "e2e", "-E", ELSEWHERE].map(OsString::from).to_vec();
    all.extend_from_slice(args);
    all
}

/// The same command, with a cluster for as long as it takes.
fn beside_cluster(workspace: &Workspace, tests: &Command) -> Command {
    let mut command = process::cargo(&workspace.root, "run");
    command.args(["--quiet", "--release", "--target-dir", "target"]);
    command.args(["--package", "test-redis", "--bin", "cluster", "--"]);
    command.arg(tests.get_program()).args(tests.get_args());
    for (name, value) in tests.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// CI systems set it to various values; only its absence means a person's machine.
fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty())
}

fn nextest(workspace: &Workspace, args: &[OsString], is_ci: bool) -> Command {
    let mut command = process::cargo(&workspace.root, "nextest");
    command.args(["run", "--release", "--target-dir", "target"]);
    if !chooses_packages(args) {
        // The domains of components are in: natively they compile without their glue.
        command.arg("--workspace").args(workspace.without_guests());
    }
    command.args(args);
    if is_ci {
        // A snapshot that differs is a failure, never a file to be looked at later.
        command
            .env("INSTA_UPDATE", "no")
            .env("NEXTEST_PROFILE", "ci");
    }
    command
}

/// Whether the user says which packages to test; cargo takes these arguments instead of `--workspace`, not beside it.
fn chooses_packages(args: &[OsString]) -> bool {
    args.iter().any(|arg| {
        let arg = arg.to_string_lossy();
        arg.starts_with("-p") || arg.starts_with("--package")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Package;

    fn line(args: &[&str]) -> String {
        let guest = Package {
            name: "guest-hello".into(),
            folder: "tests/guests/hello".into(),
            ..Package::default()
        };
        let workspace = Workspace {
            root: ".".into(),
            packages: vec![guest],
        };
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        let command = nextest(&workspace, &args, false);
        command
            .get_args()
            .collect::<Vec<_>>()
            .join(" ".as_ref())
            .into_string()
            .unwrap()
    }

    #[test]
    fn everything_that_compiles_natively_is_tested() {
        insta::assert_snapshot!(line(&[]), @"nextest run --release --target-dir target --workspace --exclude guest-hello");
    }

    #[test]
    fn a_package_can_be_chosen() {
        insta::assert_snapshot!(line(&["-p", "skald-core"]), @"nextest run --release --target-dir target -p skald-core");
    }

    #[test]
    fn a_filter_goes_to_nextest() {
        insta::assert_snapshot!(
            line(&["-E", "test(undo)"]),
            @"nextest run --release --target-dir target --workspace --exclude guest-hello -E test(undo)"
        );
    }

    #[test]
    fn snapshots_are_final_where_nobody_looks() {
        let workspace = Workspace {
            root: ".".into(),
            packages: Vec::new(),
        };
        let command = nextest(&workspace, &[], true);
        assert!(
            command
                .get_envs()
                .any(|pair| pair == ("INSTA_UPDATE".as_ref(), Some("no".as_ref())))
        );
    }
}
