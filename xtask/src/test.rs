//! All tests, after building what they start.
//!
//! The host that end-to-end tests start is the one that people run: built alone, in the profile `release`, with none of
//! the features that tests switch on (`tokio/test-util`). The tests are compiled in the same profile, so that all
//! but the few dependencies that see those features are shared with the host; wasmtime, cranelift and SQLite are.

use std::{env, ffi::OsString, process::Command};

use anyhow::Result;

use crate::{build, process, say, skald, tools, workspace::Workspace};

/// The end-to-end tests that say something of hosts on a Redis Cluster. The others start servers of their own, whose faults
/// they are about, or no host at all.
const ON_CLUSTER: &str = "not test(/^(manifests|nodes|weather)::/)";

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
    let tests = nextest(workspace, &arguments(store, args), is_ci());
    let mut command = match store {
        Store::Usual => tests,
        Store::Cluster => {
            build_cluster(workspace)?;
            beside_cluster(workspace, &tests)
        }
    };
    process::hand_over("cargo nextest", &mut command)
}

/// What nextest is told. On a cluster one test follows the other: what is published on a channel of Redis is heard by
/// whoever listens, also by another test's shop.
fn arguments(store: Store, args: &[OsString]) -> Vec<OsString> {
    let on_cluster = match store {
        Store::Usual => &[][..],
        Store::Cluster if args.is_empty() => &["-p", "e2e", "-j", "1", "-E", ON_CLUSTER],
        Store::Cluster => &["-p", "e2e", "-j", "1"],
    };
    let own = on_cluster.iter().map(OsString::from);
    own.chain(args.iter().cloned()).collect()
}

/// Builds the program that starts a cluster. It is not run by cargo, which would tell the tests' cargo of its package.
fn build_cluster(workspace: &Workspace) -> Result<()> {
    let mut command = process::cargo(&workspace.root, "build");
    command.args(["--release", "--target-dir", "target"]);
    command.args(["--package", "test-redis", "--bin", "cluster"]);
    process::run("building the cluster", &mut command)
}

/// The same command, with a cluster for as long as it takes.
fn beside_cluster(workspace: &Workspace, tests: &Command) -> Command {
    let program = format!("target/release/cluster{}", env::consts::EXE_SUFFIX);
    let mut command = Command::new(workspace.root.join(program));
    command.current_dir(&workspace.root);
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
    fn on_a_cluster_one_test_follows_the_other() {
        let text = |args: Vec<OsString>| args.join(" ".as_ref()).into_string().unwrap();
        insta::assert_snapshot!(
            text(arguments(Store::Cluster, &[])),
            @"-p e2e -j 1 -E not test(/^(manifests|nodes|weather)::/)"
        );
        let mine = ["-E", "test(shop)"].map(OsString::from);
        insta::assert_snapshot!(text(arguments(Store::Cluster, &mine)), @"-p e2e -j 1 -E test(shop)");
    }

    #[test]
    fn the_cluster_runs_the_same_command() {
        let workspace = Workspace {
            root: ".".into(),
            packages: Vec::new(),
        };
        let tests = nextest(&workspace, &arguments(Store::Cluster, &[]), true);
        let beside = beside_cluster(&workspace, &tests);
        let line: Vec<_> = beside.get_args().collect();
        let end: Vec<_> = tests.get_args().collect();
        assert!(line.ends_with(&end), "{line:?}");
        let has = |pair| beside.get_envs().any(|known| known == pair);
        assert!(tests.get_envs().all(has));
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
