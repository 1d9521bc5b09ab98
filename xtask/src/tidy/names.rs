//! Names of files that say nothing.

use super::{Finding, tree::Tree};

/// Drawers into which anything fits.
const DRAWERS: [&str; 6] = ["common", "helper", "helpers", "misc", "util", "utils"];

/// Files called `mod.rs`, and modules or folders of Rust named after a drawer.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.rust.is_some()) {
        let path = &file.path;
        if file.stem() == "mod" {
            let what = "a module is not called mod.rs";
            findings.push(Finding::new(
                path,
                1,
                what,
                "call it `foo.rs`, beside the folder `foo`",
            ));
        }
        let mut names = path.trim_end_matches(".rs").split('/');
        if let Some(name) = names.find(|name| DRAWERS.contains(name)) {
            let what = format!("{name:?} says nothing about what is in it");
            findings.push(Finding::new(path, 1, what, "name it after what it does"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::report;

    #[test]
    fn drawers_are_found_and_words_are_not() {
        let files = [
            ("a/src/common/port.rs", ""),
            ("a/src/utils.rs", ""),
            ("a/src/uncommon.rs", ""),
            ("tests/tests/it/mod.rs", ""),
            ("docs/common.md", ""),
        ];
        insta::assert_snapshot!(report(check, &files), @r#"
        a/src/common/port.rs:1: "common" says nothing about what is in it; name it after what it does
        a/src/utils.rs:1: "utils" says nothing about what is in it; name it after what it does
        tests/tests/it/mod.rs:1: a module is not called mod.rs; call it `foo.rs`, beside the folder `foo`
        "#);
    }
}
