//! Programs that the chores need beside cargo: found, fetched, or asked for.

use std::{env, ffi::OsStr, path::Path, process::Command};

use anyhow::Result;

use crate::{process, say};

/// What the components compile to.
const TARGET: &str = "wasm32-wasip2";

/// A new nextest must not arrive with a feature; any other that is installed already is as good.
const NEXTEST: &str = "0.9.143";

/// Makes sure that the toolchain can compile components.
pub(crate) fn wasm_target() -> Result<()> {
    match process::read("rustup", Command::new("rustup").args(["target", "list", "--installed"])) {
        Ok(installed) if installed.lines().any(|line| line == TARGET) => Ok(()),
        Ok(_) => {
            say::line(format_args!("the target {TARGET} is missing; rustup fetches it now"));
            process::run("rustup target add", Command::new("rustup").args(["target", "add", TARGET]))
        }
        Err(_) if has_target_without_rustup() => Ok(()),
        Err(error) => Err(error.context(format!(
            "rust has no target {TARGET}, and rustup, which would fetch it, does not work; install rustup from \
             https://rustup.rs, or the target {TARGET} with the package manager that rust came from"
        ))),
    }
}

/// Some systems package rust with its targets, and without rustup.
fn has_target_without_rustup() -> bool {
    let mut command = Command::new("rustc");
    let libraries = process::read(
        "rustc",
        command.args(["--print", "target-libdir", "--target", TARGET]),
    );
    libraries.is_ok_and(|path| Path::new(path.trim()).is_dir())
}

/// Makes sure that `cargo nextest` runs.
pub(crate) fn nextest(root: &Path) -> Result<()> {
    if process::succeeds(process::cargo(root, "nextest").arg("--version")) {
        return Ok(());
    }
    say::line(
        "cargo-nextest, which runs the tests, is missing; cargo installs it now, once (this takes minutes)",
    );
    let mut command = process::cargo(root, "install");
    command.args(["cargo-nextest", "--locked", "--version", NEXTEST]);
    process::run("installing cargo-nextest", &mut command)
}

/// Looks for a Redis server, which tests of the Redis adapters start for themselves.
///
/// Its absence stops nothing here: a test that needs it says so.
pub(crate) fn redis() {
    let path = env::var_os("PATH").unwrap_or_default();
    if is_on(&path, "redis-server") {
        return;
    }
    if is_root() && is_on(&path, "apt-get") {
        say::line("redis-server is missing; apt-get installs it now");
        if let Err(error) = apt_redis() {
            say::warning(&format!("{error:#}"));
        }
    }
    if !is_on(&path, "redis-server") {
        say::warning(
            "no redis-server on the PATH: tests that need one will fail; install it with `apt install redis-server`",
        );
    }
}

fn apt_redis() -> Result<()> {
    for arguments in [
        ["update", "-qq"].as_slice(),
        &[
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "redis-server",
        ],
    ] {
        let mut command = Command::new("apt-get");
        process::run(
            "apt-get",
            command
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
    }
    Ok(())
}

fn is_root() -> bool {
    let id = process::read("id", Command::new("id").arg("-u"));
    id.is_ok_and(|id| id.trim() == "0")
}

/// Whether one of the folders in `path` has a file called `program`.
fn is_on(path: &OsStr, program: &str) -> bool {
    env::split_paths(path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_is_found_in_any_folder_of_the_path() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(two.path().join("redis-server"), "").unwrap();
        let path = env::join_paths([one.path(), two.path()]).unwrap();
        assert!(is_on(&path, "redis-server"));
        assert!(!is_on(&path, "redis-client"));
        assert!(!is_on(OsStr::new(""), "redis-server"));
    }
}
