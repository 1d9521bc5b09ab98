//! The soak: sagas do whatever they can while the host is killed again and again.

use std::{ffi::OsString, process::Command};

use anyhow::Result;

use crate::{build, process, say, skald, workspace::Workspace};

/// Builds components, guests and host, then hands over to the soak, whose verdict comes last.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    say::step("components");
    build::run(workspace, build::What::ComponentsAndGuests)?;
    say::step("host");
    skald::build(workspace)?;
    say::step("soak");
    process::hand_over("the soak", &mut soak(workspace, args))
}

fn soak(workspace: &Workspace, args: &[OsString]) -> Command {
    let mut command = process::cargo(&workspace.root, "run");
    command.args(["--release", "--target-dir", "target"]);
    command.args(["--package", "e2e", "--bin", "soak", "--"]);
    command.args(args);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_passed_on() {
        let workspace = Workspace {
            root: ".".into(),
            packages: Vec::new(),
        };
        let command = soak(&workspace, &["--minutes".into(), "3".into()]);
        let line = command.get_args().collect::<Vec<_>>().join(" ".as_ref());
        insta::assert_snapshot!(line.into_string().unwrap(), @"run --release --target-dir target --package e2e --bin soak -- --minutes 3");
    }
}
