//! What is in the workspace, as cargo knows it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::process;

/// The workspace around this program.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the root Cargo.toml.
    pub(crate) root: PathBuf,
    /// The members, by name.
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder, relative to the root, with `/`.
    pub(crate) folder: String,
    /// Names of packages it depends on in any way: normal, build or dev, on any target.
    pub(crate) dependencies: Vec<String>,
}

impl Package {
    /// A component of the application (the library they share is none).
    pub(crate) fn is_component(&self) -> bool {
        self.folder.starts_with("components/") && self.name != "sdk"
    }

    /// A component that exists for tests only.
    pub(crate) fn is_guest(&self) -> bool {
        self.folder.starts_with("tests/guests/")
    }

    /// A crate of the host.
    pub(crate) fn is_host(&self) -> bool {
        self.folder.starts_with("runtime-host")
    }
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        // Where this source was when it was compiled; cargo compiles it again when it moves.
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in no workspace")?;
        let mut command = process::cargo(root, "metadata");
        command.args(["--no-deps", "--format-version", "1"]);
        let text = process::read("reading the workspace with cargo metadata", &mut command)?;
        Self::from_metadata(&text).context("cargo metadata is not as expected")
    }

    fn from_metadata(text: &str) -> Result<Self> {
        let metadata: Metadata = serde_json::from_str(text)?;
        let root = metadata.workspace_root;
        let mut packages = Vec::new();
        for member in metadata.packages {
            let folder = member
                .manifest_path
                .parent()
                .context("a manifest lies in no folder")?;
            let folder = folder
                .strip_prefix(&root)?
                .to_string_lossy()
                .replace('\\', "/");
            let dependencies = member
                .dependencies
                .into_iter()
                .map(|dependency| dependency.name)
                .collect();
            packages.push(Package {
                name: member.name,
                folder,
                dependencies,
            });
        }
        packages.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { root, packages })
    }

    /// Arguments that leave out the packages which do not compile natively.
    pub(crate) fn without_guests(&self) -> Vec<&str> {
        let guests = self.packages.iter().filter(|package| package.is_guest());
        guests
            .flat_map(|guest| ["--exclude", guest.name.as_str()])
            .collect()
    }
}

/// Arguments that choose `packages`.
pub(crate) fn only<'a>(packages: impl IntoIterator<Item = &'a Package>) -> Vec<&'a str> {
    packages
        .into_iter()
        .flat_map(|package| ["--package", package.name.as_str()])
        .collect()
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    packages: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{"workspace_root": "/w", "packages": [
        {"name": "guest-hello", "manifest_path": "/w/tests/guests/hello/Cargo.toml", "dependencies": []},
        {"name": "cart", "manifest_path": "/w/components/cart/Cargo.toml", "dependencies": [{"name": "sdk", "kind": null}]},
        {"name": "sdk", "manifest_path": "/w/components/sdk/Cargo.toml", "dependencies": []}
    ]}"#;

    #[test]
    fn packages_are_read_with_their_folders_and_sorted_by_name() {
        let workspace = Workspace::from_metadata(METADATA).unwrap();
        let folders: Vec<_> = workspace
            .packages
            .iter()
            .map(|package| package.folder.as_str())
            .collect();
        assert_eq!(
            folders,
            ["components/cart", "tests/guests/hello", "components/sdk"]
        );
        assert_eq!(workspace.packages[0].dependencies, ["sdk"]);
    }

    #[test]
    fn only_what_runs_in_the_application_is_a_component() {
        let workspace = Workspace::from_metadata(METADATA).unwrap();
        let components = workspace
            .packages
            .iter()
            .filter(|package| package.is_component());
        assert_eq!(only(components), ["--package", "cart"]);
        assert_eq!(workspace.without_guests(), ["--exclude", "guest-hello"]);
    }
}
