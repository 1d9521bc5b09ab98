//! Where things are in the workspace.

use std::path::{Path, PathBuf};

/// Names another host program than the one this workspace builds.
const PROGRAM: &str = "SKALD_BIN";

/// The folder of the root Cargo.toml.
pub fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The host program.
pub fn program() -> PathBuf {
    std::env::var_os(PROGRAM)
        .map_or_else(|| workspace().join("target/release/skald"), PathBuf::from)
}

/// The shop's manifest.
pub fn shop() -> PathBuf {
    workspace().join("spin.toml")
}

/// The manifest of an application that only tests use.
pub fn guest(name: &str) -> PathBuf {
    workspace()
        .join("tests/guests")
        .join(format!("{name}.toml"))
}

/// The component that a package was built into.
pub fn wasm(package: &str) -> PathBuf {
    workspace()
        .join("target/wasm32-wasip2/component")
        .join(format!("{}.wasm", package.replace('-', "_")))
}

/// Where all tests together keep compiled components: compiling them anew for each host would take minutes.
pub fn cache() -> PathBuf {
    workspace().join("target/e2e-cache")
}
