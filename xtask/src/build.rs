//! Builds the components where spin.toml looks for them.
//!
//! One cargo invocation for all of them: cargo unifies features over the packages it is given, so every component has
//! to want the same features of spin-sdk (they do: the root Cargo.toml says which), and the dependencies compile once.
//! Components whose features differ would have to be built one by one.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail};
use toml::Table;

use crate::{
    process,
    say::{self, Stopwatch},
    tools,
    workspace::{Package, Workspace, only},
};

/// Which components to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Those of the application.
    Components,
    /// Also those that only tests use.
    ComponentsAndGuests,
}

/// Builds them, and proves that the manifest's sources are there afterwards.
pub(crate) fn run(workspace: &Workspace, what: What) -> Result<()> {
    let watch = Stopwatch::start();
    tools::wasm_target()?;
    let guests = what == What::ComponentsAndGuests;
    let is_wanted = |package: &&Package| package.is_component() || (guests && package.is_guest());
    let wanted: Vec<&Package> = workspace.packages.iter().filter(is_wanted).collect();
    let mut command = wasm_cargo(workspace, "build");
    // Not where CARGO_TARGET_DIR says: spin.toml names files below `target`.
    command
        .args(["--target-dir", "target"])
        .args(only(wanted.iter().copied()));
    process::run("building the components", &mut command)?;

    let manifest = fs::read_to_string(workspace.root.join("spin.toml"))
        .context("spin.toml is not readable")?;
    let missing = missing_sources(&workspace.root, &manifest)?;
    if !missing.is_empty() {
        bail!(
            "components were built, but spin.toml names other files:{}",
            missing.concat()
        );
    }
    say::line(format_args!(
        "built {} components in {}",
        wanted.len(),
        watch.read()
    ));
    Ok(())
}

/// A cargo command for the components' target and profile.
pub(crate) fn wasm_cargo(workspace: &Workspace, subcommand: &str) -> Command {
    let mut command = process::cargo(&workspace.root, subcommand);
    command.args(["--profile", "component", "--target", "wasm32-wasip2"]);
    // It would replace the flags in .cargo/config.toml, and what it says is about the native machine.
    command.env_remove("RUSTFLAGS");
    command
}

/// One line for each component whose `source` is a file that does not exist.
fn missing_sources(root: &Path, manifest: &str) -> Result<Vec<String>> {
    let manifest: Table = manifest.parse().context("spin.toml is not TOML")?;
    let components = manifest.get("component").and_then(|value| value.as_table());
    let mut missing = Vec::new();
    for (name, component) in components.into_iter().flatten() {
        // A source that is a table is downloaded, not built.
        let Some(source) = component.get("source").and_then(|source| source.as_str()) else {
            continue;
        };
        if !root.join(source).is_file() {
            let advice =
                "no package in components/ builds it; correct `source`, or add the package";
            missing.push(format!("\n  - component {name:?}: {source} ({advice})"));
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_that_is_not_there_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cart.wasm"), "").unwrap();
        let manifest = r#"
            [component.cart]
            source = "cart.wasm"
            [component.orders]
            source = "order.wasm"
            [component.assets]
            source = { url = "https://example.com/assets.wasm", digest = "sha256:0" }
            [component.psp]
            source = "psp.wasm"
        "#;
        let missing = missing_sources(root.path(), manifest).unwrap().concat();
        insta::assert_snapshot!(missing, @r#"

          - component "orders": order.wasm (no package in components/ builds it; correct `source`, or add the package)
          - component "psp": psp.wasm (no package in components/ builds it; correct `source`, or add the package)
        "#);
    }
}
