//! Who may depend on whom, among our crates and on the crates of others that only one room may know.

use super::{Finding, rooms::room_of, tree::Tree};
use crate::workspace::Package;

/// Crates of others, and the only packages of ours that may name them.
struct Guard {
    /// Begins of names: `wasmtime` also stands for `wasmtime-wasi`.
    crates: &'static [&'static str],
    /// Names of packages; `components` stands for all of them, with the tests' guests and the sdk.
    only: &'static [&'static str],
}

#[rustfmt::skip]
const GUARDS: [Guard; 10] = [
    // It has a new major version each month, and is the slowest to compile. Benchmarks compare us with it alone.
    Guard { crates: &["wasmtime"], only: &["skald-engine", "bench"] },
    Guard { crates: &["rusqlite", "libsqlite3"], only: &["skald-store"] },
    Guard { crates: &["redis"], only: &["skald-store", "bench"] },
    // The gateway and the admin API serve, nodes call each other, the engine lets components call out, the tests are a
    // client; benchmarks compare us with it.
    Guard { crates: &["hyper"], only: &["skald-gateway", "skald-admin", "skald-engine", "skald-wire", "e2e", "bench"] },
    // A few fixed paths with JSON; the gateway's routes are the manifest's, and it has a stack of its own.
    Guard { crates: &["axum"], only: &["skald-admin"] },
    // The command line asks a running host.
    Guard { crates: &["ureq"], only: &["skald"] },
    Guard { crates: &["wit-parser"], only: &["skald-companions", "skald-wire"] },
    // A room has errors of its own, and no command line.
    Guard { crates: &["anyhow", "clap"], only: &["skald", "xtask", "e2e", "bench", "faults"] },
    Guard { crates: &["spin-sdk", "wit-bindgen", "wasip2"], only: &["components"] },
    // `core` decides and never waits.
    Guard {
        crates: &["tokio"],
        only: &[
            "skald", "skald-admin", "skald-engine", "skald-events", "skald-gateway", "skald-mesh", "skald-saga",
            "skald-store", "skald-telemetry", "skald-wire", "e2e", "bench", "faults",
        ],
    },
];

/// Edges between our crates that are not in the table of rooms.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let Some(room) = room_of(package) else {
            let what = format!(
                "the crate {:?} is in no row of the table of rooms",
                package.name
            );
            let fix = "add it to xtask/src/tidy/rooms.rs with what it may use";
            findings.push(Finding::new(&manifest(package), 1, what, fix));
            continue;
        };
        let is_ours = |name: &&String| tree.packages.iter().any(|other| other.name == **name);
        let names = package.dependencies.iter().filter(is_ours);
        for name in names.filter(|name| !room.may_use.contains(&name.as_str())) {
            let what = format!("{:?} may not depend on {name:?}", package.name);
            let fix = if package.is_component() || package.is_guest() {
                "components share contracts in wit/, never Rust"
            } else {
                "meet at a port in core, or change xtask/src/tidy/rooms.rs with an ADR"
            };
            findings.push(at_dependency(tree, package, name, what, fix));
        }
    }
    findings
}

/// Crates of others in rooms that should not know them.
pub(super) fn check_guarded(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        for name in &package.dependencies {
            let guard = GUARDS
                .iter()
                .find(|guard| guard.crates.iter().any(|begin| name.starts_with(begin)));
            if let Some(guard) = guard.filter(|guard| !guard.admits(package)) {
                let what = format!(
                    "{:?} may not use {name:?}, only {} may",
                    package.name,
                    guard.only.join(", ")
                );
                let fix = "ask that room for what is needed, or change xtask/src/tidy/edges.rs with an ADR";
                findings.push(at_dependency(tree, package, name, what, fix));
            }
        }
    }
    findings
}

impl Guard {
    fn admits(&self, package: &Package) -> bool {
        let kind = if package.is_guest() || package.folder.starts_with("components/") {
            "components"
        } else {
            ""
        };
        self.only
            .iter()
            .any(|name| *name == package.name || *name == kind)
    }
}

fn manifest(package: &Package) -> String {
    format!("{}/Cargo.toml", package.folder)
}

/// A finding on the line of the manifest that names the dependency.
fn at_dependency(tree: &Tree, package: &Package, name: &str, what: String, fix: &str) -> Finding {
    let path = manifest(package);
    let line = tree.file(&path).and_then(|file| {
        let names = file
            .text
            .lines()
            .map(|line| line.split(['.', ' ', '=']).next().unwrap_or_default());
        (1..).zip(names).find(|(_, found)| *found == name)
    });
    Finding::new(&path, line.map_or(1, |(line, _)| line), what, fix)
}

#[cfg(test)]
mod tests {
    use super::{check, check_guarded};
    use crate::tidy::report;

    const SDK: (&str, &str) = (
        "components/sdk/Cargo.toml",
        "[package]\nname = \"sdk\"\n[dependencies]\nspin-sdk = \"7\"",
    );
    const CORE: (&str, &str) = ("core/Cargo.toml", "[package]\nname = \"skald-core\"");
    const CART: (&str, &str) = (
        "components/cart/Cargo.toml",
        "[package]\nname = \"cart\"\n[dependencies]\nsdk.workspace = true",
    );

    #[test]
    fn edges_in_the_table_are_fine() {
        let mesh = "[package]\nname = \"skald-mesh\"\n[dependencies]\nskald-core.workspace = true\ntokio = \"1\"";
        let files = [SDK, CORE, CART, ("mesh/Cargo.toml", mesh)];
        assert_eq!(report(check, &files), "");
        assert_eq!(report(check_guarded, &files), "");
    }

    #[test]
    fn rooms_do_not_know_each_other() {
        let mesh = "[package]\nname = \"skald-mesh\"";
        let events = "[package]\nname = \"skald-events\"\n[dev-dependencies]\nskald-mesh = { path = \"../mesh\" }";
        let files = [("mesh/Cargo.toml", mesh), ("events/Cargo.toml", events)];
        insta::assert_snapshot!(report(check, &files), @r#"
        events/Cargo.toml:4: "skald-events" may not depend on "skald-mesh"; meet at a port in core, or change xtask/src/tidy/rooms.rs with an ADR
        "#);
    }

    #[test]
    fn components_do_not_share_rust() {
        let orders = "[package]\nname = \"orders\"\n\n[dependencies]\ncart = \"1\"\nsdk = \"1\"\nskald-core = \"1\"";
        let files = [SDK, CORE, CART, ("components/orders/Cargo.toml", orders)];
        insta::assert_snapshot!(report(check, &files), @r#"
        components/orders/Cargo.toml:5: "orders" may not depend on "cart"; components share contracts in wit/, never Rust
        components/orders/Cargo.toml:7: "orders" may not depend on "skald-core"; components share contracts in wit/, never Rust
        "#);
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        let files = [(
            "runtime-host/crates/magic/Cargo.toml",
            "[package]\nname = \"skald-magic\"",
        )];
        insta::assert_snapshot!(report(check, &files), @r#"
        runtime-host/crates/magic/Cargo.toml:1: the crate "skald-magic" is in no row of the table of rooms; add it to xtask/src/tidy/rooms.rs with what it may use
        "#);
    }

    #[test]
    fn guarded_crates_stay_in_their_room() {
        let core = "[package]\nname = \"skald-core\"\n[dependencies]\ntokio = \"1\"\nwasmtime-wasi = \"48\"\nhttp = \"1\"";
        insta::assert_snapshot!(report(check_guarded, &[("core/Cargo.toml", core)]), @r#"
        core/Cargo.toml:4: "skald-core" may not use "tokio", only skald, skald-admin, skald-engine, skald-events, skald-gateway, skald-mesh, skald-saga, skald-store, skald-telemetry, skald-wire, e2e, bench, faults may; ask that room for what is needed, or change xtask/src/tidy/edges.rs with an ADR
        core/Cargo.toml:5: "skald-core" may not use "wasmtime-wasi", only skald-engine, bench may; ask that room for what is needed, or change xtask/src/tidy/edges.rs with an ADR
        "#);
    }
}
