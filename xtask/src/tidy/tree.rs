//! The workspace as the rules see it: texts, parsed once.

use std::{fs, io::ErrorKind, process::Command};

use anyhow::{Context as _, Result};

use super::{files::File, releases};
use crate::{
    process,
    workspace::{Package, Workspace},
};

/// Everything a rule may look at.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The text files that git tracks or would track, by path.
    pub(super) files: Vec<File>,
    pub(super) packages: Vec<Package>,
    /// Released contracts that are not as they were when released.
    pub(super) altered_releases: Vec<String>,
}

impl Tree {
    /// Reads all of it.
    pub(super) fn load(workspace: &Workspace) -> Result<Self> {
        let mut command = Command::new("git");
        command.current_dir(&workspace.root);
        command.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let list = process::read("listing the files with git", &mut command)?;
        let mut paths: Vec<_> = list.split_terminator('\0').collect();
        paths.sort_unstable();
        let mut files = Vec::new();
        for path in paths {
            match fs::read_to_string(workspace.root.join(path)) {
                Ok(text) => files.push(File::new(path, text)),
                // Not text; or removed, and git has not heard of it; or a link to a folder.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::InvalidData | ErrorKind::NotFound | ErrorKind::IsADirectory
                    ) => {}
                Err(error) => return Err(error).with_context(|| format!("{path} is not readable")),
            }
        }
        mark_tests(&mut files);
        let altered_releases = releases::altered(&workspace.root)?;
        Ok(Self {
            files,
            packages: workspace.packages.clone(),
            altered_releases,
        })
    }

    /// The file at exactly this path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files below a folder.
    pub(super) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| {
            file.path
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

/// Marks the files of modules that are declared under `#[cfg(test)]`.
fn mark_tests(files: &mut [File]) {
    let modules: Vec<String> = files.iter().flat_map(File::test_modules).collect();
    let is_in = |path: &str, module: &str| {
        path.strip_prefix(module)
            .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    };
    for file in files {
        file.is_test |= modules.iter().any(|module| is_in(&file.path, module));
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these files; each Cargo.toml among them is a package with the dependencies its tables name.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let manifests = files
            .iter()
            .filter_map(|(path, text)| Some((path.strip_suffix("/Cargo.toml")?, *text)));
        let mut sources: Vec<_> = files
            .iter()
            .map(|(path, text)| File::new(path, (*text).to_owned()))
            .collect();
        mark_tests(&mut sources);
        Self {
            packages: manifests
                .map(|(folder, text)| package(folder, text))
                .collect(),
            files: sources,
            ..Self::default()
        }
    }
}

#[cfg(test)]
fn package(folder: &str, manifest: &str) -> Package {
    let manifest: toml::Table = manifest.parse().unwrap();
    let tables = ["dependencies", "dev-dependencies"]
        .into_iter()
        .filter_map(|name| manifest.get(name)?.as_table());
    Package {
        name: manifest["package"]["name"].as_str().unwrap().to_owned(),
        folder: folder.to_owned(),
        dependencies: tables.flat_map(|table| table.keys().cloned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_only_tests_have_is_tests_with_all_below_it() {
        let tree = Tree::of(&[
            (
                "a/src/lib.rs",
                "#[cfg(test)]\npub(crate) mod world;\nmod real;\n",
            ),
            ("a/src/world.rs", ""),
            ("a/src/world/clock.rs", ""),
            ("a/src/worldwide.rs", ""),
            ("a/src/real.rs", "#[cfg(all(test, unix))]\nmod fake;\n"),
            ("a/src/real/fake.rs", ""),
        ]);
        let tests = tree
            .files
            .iter()
            .filter(|file| file.is_test)
            .map(|file| file.path.as_str());
        let expected = [
            "a/src/world.rs",
            "a/src/world/clock.rs",
            "a/src/real/fake.rs",
        ];
        assert_eq!(tests.collect::<Vec<_>>(), expected);
    }
}
