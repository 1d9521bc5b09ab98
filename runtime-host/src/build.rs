//! Runs the build commands of the manifest, each distinct one once.

use std::{collections::BTreeSet, path::Path, process};

use skald_core::manifest::App;

use crate::{lifecycle::Failure, present};

/// Builds all components that say how.
pub(crate) fn build(app: &App, root: &Path) -> Result<(), Failure> {
    let mut done = BTreeSet::new();
    for (id, component) in &app.components {
        let Some(build) = &component.build else {
            continue;
        };
        let folder = build
            .workdir
            .as_ref()
            .map_or_else(|| root.to_owned(), |workdir| root.join(workdir));
        for command in &build.commands {
            if done.insert((folder.clone(), command.clone())) {
                present::note(&format!("Building {} with `{command}`", id.as_str()));
                run(command, &folder, id.as_str())?;
            }
        }
    }
    Ok(())
}

fn run(command: &str, folder: &Path, component: &str) -> Result<(), Failure> {
    // What the command prints belongs to people; standard output is kept for the `Serving` line.
    let status = process::Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .stdin(process::Stdio::null())
        .stdout(process::Stdio::from(std::io::stderr()))
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Build(format!(
            "building {component}: `{command}` ended with {status}"
        ))),
        Err(error) => Err(Failure::Build(format!(
            "building {component}: `{command}` cannot be started: {error}"
        ))),
    }
}
