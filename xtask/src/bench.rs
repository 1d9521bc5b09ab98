//! All benchmarks, after building what they measure.
//!
//! What is measured is what runs: the components in their profile, the host and the rooms in the profile `release`.

use std::{ffi::OsString, process::Command};

use anyhow::Result;

use crate::{build, process, say, skald, workspace::Workspace};

/// Builds components, guests and host, then measures; the table comes last.
pub(crate) fn run(workspace: &Workspace, names: &[OsString]) -> Result<()> {
    say::step("components");
    build::run(workspace, build::What::ComponentsAndGuests)?;
    say::step("host");
    skald::build(workspace)?;
    say::step("benchmarks");
    process::hand_over("the benchmarks", &mut bench(workspace, names))
}

fn bench(workspace: &Workspace, names: &[OsString]) -> Command {
    let mut command = process::cargo(&workspace.root, "run");
    command.args([
        "--release",
        "--target-dir",
        "target",
        "--package",
        "bench",
        "--",
    ]);
    command.args(names);
    // Where RUST_BACKTRACE is set, wasmtime takes a backtrace at the end of each instance: 3 µs that are not ours.
    command.env("RUST_LIB_BACKTRACE", "0");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_passed_on() {
        let workspace = Workspace {
            root: ".".into(),
            packages: Vec::new(),
        };
        let command = bench(&workspace, &["mesh".into(), "shop".into()]);
        let line = command.get_args().collect::<Vec<_>>().join(" ".as_ref());
        insta::assert_snapshot!(line.into_string().unwrap(), @"run --release --target-dir target --package bench -- mesh shop");
    }
}
