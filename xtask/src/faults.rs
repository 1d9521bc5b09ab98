//! Everything that can go wrong with sagas, going wrong.
//!
//! The quick form is also among the tests; the whole takes minutes and is for whoever changes the coordinator.

use std::{ffi::OsString, process::Command};

use anyhow::Result;

use crate::{process, workspace::Workspace};

/// Plays the cases; the table of them comes last.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    process::hand_over("the faults", &mut faults(workspace, args))
}

fn faults(workspace: &Workspace, args: &[OsString]) -> Command {
    let mut command = process::cargo(&workspace.root, "run");
    command.args([
        "--release",
        "--target-dir",
        "target",
        "--package",
        "faults",
        "--",
    ]);
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
        let command = faults(&workspace, &["--quick".into(), "--seed".into(), "7".into()]);
        let line = command.get_args().collect::<Vec<_>>().join(" ".as_ref());
        insta::assert_snapshot!(line.into_string().unwrap(), @"run --release --target-dir target --package faults -- --quick --seed 7");
    }
}
