//! Builds the host and becomes it.

use std::{ffi::OsString, process::Command};

use anyhow::Result;

use crate::{process, say, workspace::Workspace};

/// Builds the host in `target/release`, then runs it with `args` in the caller's folder.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> Result<()> {
    build(workspace)?;
    let program = workspace
        .root
        .join("target/release")
        .join(format!("skald{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(&program);
    command.args(with_build(args));
    process::forget_package(&mut command);
    process::hand_over("the host", &mut command)
}

/// Builds the host.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    if !workspace.root.join("target/release/skald").exists() {
        say::line(
            "building the host; the first time takes minutes, since wasmtime is compiled too",
        );
    }
    let mut command = process::cargo(&workspace.root, "build");
    // The same `target` as the components', wherever CARGO_TARGET_DIR points: tests look for the host there.
    command.args(["--release", "--target-dir", "target", "--package", "skald"]);
    process::run("building the host", &mut command)
}

/// Adds `--build` to `up`: whoever starts the shop from its source wants what the source says now.
fn with_build(mut args: Vec<OsString>) -> Vec<OsString> {
    let subcommand = args
        .iter()
        .position(|arg| !arg.to_string_lossy().starts_with('-'));
    if let Some(at) = subcommand
        && args.get(at).is_some_and(|arg| arg == "up")
        && !args.iter().any(|arg| arg == "--build")
    {
        args.insert(at + 1, "--build".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &str, expected: &str) {
        let args = args.split_whitespace().map(OsString::from).collect();
        assert_eq!(with_build(args).join(" ".as_ref()), expected);
    }

    #[test]
    fn up_builds_the_components_too() {
        check("up", "up --build");
        check("up --listen 127.0.0.1:0", "up --build --listen 127.0.0.1:0");
        check("--verbose up -f x.toml", "--verbose up --build -f x.toml");
    }

    #[test]
    fn what_the_user_asked_for_is_not_said_twice() {
        check("up -f x.toml --build", "up -f x.toml --build");
    }

    #[test]
    fn other_commands_are_left_alone() {
        check("check -f up", "check -f up");
        check("--help", "--help");
        check("", "");
    }
}
