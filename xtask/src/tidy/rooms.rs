//! The rooms: what each crate of ours may use, and how large it may grow. An edge that is not here does not exist.

use super::{Finding, tree::Tree};
use crate::workspace::Package;

/// What holds for one crate, or for all crates of a kind.
#[derive(Debug)]
pub(super) struct Room {
    /// The name of the package.
    package: &'static str,
    /// Packages of ours that it may depend on.
    pub(super) may_use: &'static [&'static str],
    /// Most lines of code outside tests.
    cap: Option<usize>,
}

const CORE_AND_TELEMETRY: &[&str] = &["skald-core", "skald-telemetry"];

#[rustfmt::skip]
const ROOMS: [Room; 18] = [
    Room { package: "skald-core", may_use: &[], cap: Some(7_200) },
    Room { package: "skald-telemetry", may_use: &["skald-core"], cap: Some(600) },
    Room { package: "skald-engine", may_use: CORE_AND_TELEMETRY, cap: Some(3_900) },
    Room { package: "skald-store", may_use: &["skald-core", "skald-telemetry", "test-redis"], cap: Some(9_000) },
    Room { package: "skald-mesh", may_use: CORE_AND_TELEMETRY, cap: Some(1_700) },
    Room { package: "skald-gateway", may_use: CORE_AND_TELEMETRY, cap: Some(2_000) },
    Room { package: "skald-events", may_use: CORE_AND_TELEMETRY, cap: Some(1_900) },
    Room { package: "skald-saga", may_use: CORE_AND_TELEMETRY, cap: Some(3_200) },
    Room { package: "skald-admin", may_use: CORE_AND_TELEMETRY, cap: Some(2_100) },
    Room { package: "skald-wire", may_use: CORE_AND_TELEMETRY, cap: Some(5_200) },
    // Text in, text out, at build time: it knows nothing of a host.
    Room { package: "skald-companions", may_use: &[], cap: Some(1_200) },
    // The program: the only one that knows more than one room.
    Room {
        package: "skald",
        may_use: &[
            "skald-admin", "skald-companions", "skald-core", "skald-engine", "skald-events", "skald-gateway",
            "skald-mesh", "skald-saga", "skald-store", "skald-telemetry", "skald-wire",
        ],
        cap: Some(6_000),
    },
    Room { package: "sdk", may_use: &[], cap: None },
    Room { package: "e2e", may_use: &["skald", "test-redis"], cap: None },
    // Servers of its own for whoever tests against Redis.
    Room { package: "test-redis", may_use: &[], cap: None },
    // It connects rooms by itself, so that it can measure one road without the rest.
    Room {
        package: "bench",
        may_use: &[
            "e2e", "skald-core", "skald-engine", "skald-events", "skald-gateway", "skald-mesh", "skald-saga",
            "skald-store", "skald-telemetry", "test-redis",
        ],
        cap: Some(3_700),
    },
    // It breaks the coordinator and its journals between any two steps, without a program around them. The shop's rules, which
    // it takes as they are, need the sdk.
    Room {
        package: "faults",
        may_use: &["sdk", "skald-core", "skald-saga", "skald-store", "skald-telemetry", "test-redis"],
        cap: None,
    },
    // It holds the rules of all the others.
    Room { package: "xtask", may_use: &[], cap: Some(2_000) },
];

/// Any component, whether the application's or the tests'. They never share Rust, only contracts.
const COMPONENT: Room = Room {
    package: "",
    may_use: &["sdk"],
    cap: None,
};

/// Most lines of code in `src/domain.rs`, `src/domain/` and other files whose name begins so.
const DOMAIN_CAP: usize = 1_500;

/// Most lines of code in the rest of a component, which only translates.
const GLUE_CAP: usize = 400;

/// Most lines of a contract, without its comments.
const CONTRACT_CAP: usize = 150;

/// The row for a package.
pub(super) fn room_of(package: &Package) -> Option<&'static Room> {
    if package.is_component() || package.is_guest() {
        return Some(&COMPONENT);
    }
    ROOMS.iter().find(|room| room.package == package.name)
}

/// Rooms that have grown over their cap.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut judge = |path: &str, what: &str, lines: usize, cap: usize| {
        if lines > cap {
            let what = format!("{what} has {lines} lines of code, {cap} are its cap");
            findings.push(Finding::new(
                path,
                1,
                what,
                "split it, or move the cap in xtask/src/tidy/rooms.rs",
            ));
        }
    };
    for package in &tree.packages {
        let manifest = format!("{}/Cargo.toml", package.folder);
        let source = format!("{}/src", package.folder);
        let domain = format!("{source}/domain");
        let lines = |is_domain: bool| -> usize {
            let files = tree
                .below(&source)
                .filter(|file| file.path.starts_with(&domain) == is_domain);
            files
                .filter_map(|file| file.production())
                .map(super::rust::Source::code_lines)
                .sum()
        };
        if package.is_component() {
            judge(&manifest, "the domain", lines(true), DOMAIN_CAP);
            judge(&manifest, "the glue", lines(false), GLUE_CAP);
        } else if let Some(cap) = room_of(package).and_then(|room| room.cap) {
            judge(&manifest, &package.name, lines(true) + lines(false), cap);
        }
    }
    for (folder, lines) in contracts(tree) {
        judge(&folder, "the contract", lines, CONTRACT_CAP);
    }
    findings
}

/// The folders of contracts with their sizes; frozen and foreign ones are not ours to shorten.
fn contracts(tree: &Tree) -> Vec<(String, usize)> {
    let mut sizes: Vec<(String, usize)> = Vec::new();
    for file in tree.below("wit").filter(|file| file.path.ends_with(".wit")) {
        let folder = file
            .path
            .rsplit_once('/')
            .map_or("wit", |(folder, _)| folder);
        if folder.starts_with("wit/released") || folder.starts_with("wit/deps") {
            continue;
        }
        let lines = file.text.lines().map(str::trim);
        let lines = lines
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count();
        match sizes.iter_mut().find(|(known, _)| known == folder) {
            Some((_, sum)) => *sum += lines,
            None => sizes.push((folder.to_owned(), lines)),
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use crate::tidy::report;

    const CART: (&str, &str) = ("components/cart/Cargo.toml", "[package]\nname = \"cart\"");

    #[test]
    fn a_component_may_not_hide_rules_in_its_glue() {
        let long = "fn a() {}\n".repeat(401);
        let files = [
            CART,
            ("components/cart/src/lib.rs", &*long),
            ("components/cart/src/domain/price.rs", &*long),
        ];
        insta::assert_snapshot!(report(super::check, &files), @r"
        components/cart/Cargo.toml:1: the glue has 401 lines of code, 400 are its cap; split it, or move the cap in xtask/src/tidy/rooms.rs
        ");
    }

    #[test]
    fn tests_comments_and_blank_lines_are_free() {
        let long = format!("fn a() {{}}\n{}", "// why\n\n".repeat(800));
        let tests = "fn a() {}\n".repeat(2_000);
        let files = [
            CART,
            ("components/cart/src/lib.rs", &*long),
            ("components/cart/src/domain/tests.rs", &*tests),
        ];
        assert_eq!(report(super::check, &files), "");
    }

    #[test]
    fn the_files_of_a_room_are_counted_together() {
        let half = "fn a() {}\n".repeat(301);
        let manifest = "[package]\nname = \"skald-telemetry\"";
        let files = [
            ("t/Cargo.toml", manifest),
            ("t/src/lib.rs", &half),
            ("t/src/logs/json.rs", &half),
        ];
        insta::assert_snapshot!(report(super::check, &files), @r"
        t/Cargo.toml:1: skald-telemetry has 602 lines of code, 600 are its cap; split it, or move the cap in xtask/src/tidy/rooms.rs
        ");
    }

    #[test]
    fn a_contract_has_a_cap_too() {
        let long = format!(
            "{}{}",
            "  f: func();\n".repeat(151),
            "  /// What it does.\n".repeat(50)
        );
        let files = [
            ("wit/cart/cart.wit", &*long),
            ("wit/released/cart-1.0.0/cart.wit", &*long),
        ];
        insta::assert_snapshot!(report(super::check, &files), @r"
        wit/cart:1: the contract has 151 lines of code, 150 are its cap; split it, or move the cap in xtask/src/tidy/rooms.rs
        ");
    }
}
