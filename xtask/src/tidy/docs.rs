//! Every module says what it is for, and every crate takes part in the workspace's lints.

use toml::Table;

use super::{Finding, tree::Tree};

/// Modules without `//!`, and manifests without `[lints] workspace = true`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.production().is_some()) {
        // `#!` may come first: an attribute of the crate, or the line of a script.
        let mut lines = file.text.lines().filter(|line| !line.starts_with("#!"));
        if !lines.any(|line| line.starts_with("//!")) {
            let fix = "begin with a `//!` sentence that says what it is for";
            findings.push(Finding::new(
                &file.path,
                1,
                "the module has no documentation",
                fix,
            ));
        }
    }
    for package in &tree.packages {
        let path = format!("{}/Cargo.toml", package.folder);
        let manifest = tree
            .file(&path)
            .and_then(|file| file.text.parse::<Table>().ok());
        if manifest.is_some_and(|manifest| !has_lints(&manifest)) {
            let what = "the crate does not take part in the workspace's lints";
            findings.push(Finding::new(
                &path,
                1,
                what,
                "add `[lints]` with `workspace = true`",
            ));
        }
    }
    findings
}

fn has_lints(manifest: &Table) -> bool {
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    lints.and_then(toml::Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::report;

    #[test]
    fn a_module_without_a_sentence_is_found() {
        let files = [
            ("a/src/lib.rs", "#![no_std]\n//! The crate."),
            ("a/src/b.rs", "/// Not the module.\nfn b() {}"),
            ("a/src/b/tests.rs", "use super::*;"),
        ];
        insta::assert_snapshot!(report(check, &files), @r"
        a/src/b.rs:1: the module has no documentation; begin with a `//!` sentence that says what it is for
        ");
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let files = [
            (
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n[lints]\nworkspace = true",
            ),
            (
                "b/Cargo.toml",
                "[package]\nname = \"b\"\n[lints.rust]\nunsafe_code = \"deny\"",
            ),
        ];
        insta::assert_snapshot!(report(check, &files), @r"
        b/Cargo.toml:1: the crate does not take part in the workspace's lints; add `[lints]` with `workspace = true`
        ");
    }
}
