//! Starting other programs so that a chore ends with the exit code of what failed.

use std::{
    env, fmt,
    path::Path,
    process::{Command, ExitCode, ExitStatus, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// A program that was started and did not succeed; its own message is already on the terminal.
#[derive(Debug)]
pub(crate) struct Failed {
    what: String,
    status: ExitStatus,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} failed ({}); its own message is above",
            self.what, self.status
        )
    }
}

impl std::error::Error for Failed {}

/// The exit code of the program that failed, or 1 where the chore itself found the fault.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    let code = error
        .downcast_ref()
        .and_then(|failed: &Failed| failed.status.code());
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The cargo that runs us, to be run in `root`.
pub(crate) fn cargo(root: &Path, subcommand: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).arg(subcommand);
    forget_package(&mut command);
    command
}

/// Removes what `cargo run` told us about the package `xtask`.
///
/// Build scripts such as ring's ask cargo to run them again when `CARGO_MANIFEST_DIR` or `CARGO_PKG_*` change. With
/// these left in place, each build from here would undo the one from the shell and the other way round.
pub(crate) fn forget_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// Runs `command` on our terminal.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{what}: {:?} does not start", command.get_program()))?;
    if status.success() {
        return Ok(());
    }
    Err(Failed {
        what: what.to_owned(),
        status,
    }
    .into())
}

/// Replaces this program by `command`, so that signals reach it, its exit code is the caller's and its words the last.
#[cfg(unix)]
pub(crate) fn hand_over(what: &str, command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(anyhow::Error::new(error).context(format!(
        "{what}: {:?} does not start",
        command.get_program()
    )))
}

/// Waits for `command`; here there is no way to become it.
#[cfg(not(unix))]
pub(crate) fn hand_over(what: &str, command: &mut Command) -> Result<()> {
    run(what, command)
}

/// Runs `command` and gives what it wrote to standard output.
pub(crate) fn read(what: &str, command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("{what}: {:?} does not start", command.get_program()))?;
    if !output.status.success() {
        bail!(
            "{what} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{what} wrote something other than UTF-8"))
}

/// Whether `command` starts and succeeds; what it prints is of no interest.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_exit_code_of_a_failed_program_is_ours() {
        let error = run("the script", &mut shell("exit 7")).unwrap_err();
        assert_eq!(exit_code(&error), ExitCode::from(7));
        assert_eq!(
            error.to_string(),
            "the script failed (exit status: 7); its own message is above"
        );
    }

    #[test]
    fn a_fault_of_our_own_is_exit_code_one() {
        assert_eq!(
            exit_code(&anyhow::anyhow!("two findings")),
            ExitCode::FAILURE
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run("the oracle", &mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the oracle: \"no-such-program\" does not start"
        );
    }

    #[test]
    fn what_a_program_complains_about_is_in_the_error() {
        let error = read("the script", &mut shell("echo broken >&2; exit 1")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the script failed (exit status: 1): broken"
        );
    }
}
