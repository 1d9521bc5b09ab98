//! Every check that needs no test.
//!
//! Which profile: the workspace has one native profile, `release`, for the host, its tests and its benchmarks. Clippy and
//! rustdoc use it too. They only need the metadata of dependencies, which cargo makes once per profile and shares
//! between clippy and rustdoc; build scripts and procedural macros (SQLite's and ring's C code among them) are
//! compiled once per profile and shared with the real build. A `dev` profile beside it would do all of that again.
//! For the same reason wasm is checked in the profile `component`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    build::wasm_cargo,
    process,
    say::{self, Stopwatch},
    tidy, tools,
    workspace::{Workspace, only},
};

/// Runs all checks, the quick ones first, and names those that failed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let watch = Stopwatch::start();
    tools::wasm_target()?;
    let mut failed = Vec::new();
    let mut check = |name: &'static str, check: &mut dyn FnMut() -> Result<()>| {
        say::step(name);
        if let Err(error) = check() {
            say::error(&error);
            failed.push(name);
        }
    };
    check("format", &mut || {
        process::run("cargo fmt", &mut format(workspace))
    });
    check("tidy", &mut || tidy::run(workspace));
    check("clippy, native", &mut || {
        process::run("clippy", &mut native(workspace))
    });
    check("clippy, wasm", &mut || {
        process::run("clippy", &mut wasm(workspace))
    });
    check("documentation", &mut || {
        process::run("rustdoc", &mut documentation(workspace))
    });
    if !failed.is_empty() {
        bail!("these checks failed: {}", failed.join("; "));
    }
    say::line(format_args!("no complaints, in {}", watch.read()));
    Ok(())
}

fn format(workspace: &Workspace) -> Command {
    let mut command = process::cargo(&workspace.root, "fmt");
    command.args(["--all", "--check"]);
    command
}

/// The host, the tests, and the domains of components. The guests of tests are glue only and left to wasm.
fn native(workspace: &Workspace) -> Command {
    let mut command = process::cargo(&workspace.root, "clippy");
    command.args([
        "--release",
        "--target-dir",
        "target",
        "--workspace",
        "--all-targets",
    ]);
    command
        .args(workspace.without_guests())
        .args(["--", "-D", "warnings"]);
    command
}

/// The glue of components, which exists on wasm only.
fn wasm(workspace: &Workspace) -> Command {
    let mut command = wasm_cargo(workspace, "clippy");
    let packages = workspace.packages.iter();
    let chosen =
        packages.filter(|package| package.folder.starts_with("components/") || package.is_guest());
    command
        .args(["--target-dir", "target"])
        .args(only(chosen))
        .args(["--", "-D", "warnings"]);
    command
}

/// Links that lead nowhere. Only the host's: clippy has made the metadata it needs, so this takes seconds.
fn documentation(workspace: &Workspace) -> Command {
    let mut command = process::cargo(&workspace.root, "doc");
    command.args([
        "--release",
        "--target-dir",
        "target",
        "--no-deps",
        "--document-private-items",
    ]);
    command.args(only(
        workspace
            .packages
            .iter()
            .filter(|package| package.is_host()),
    ));
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}
