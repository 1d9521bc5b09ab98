//! A text file, and if it is Rust, what the rules have to know about its code.

use super::rust::{self, Source};

/// One file of the tree.
#[derive(Debug)]
pub(super) struct File {
    /// From the root of the workspace, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Present for `.rs` files.
    pub(super) rust: Option<Source>,
    /// Whether the whole file is tests.
    pub(super) is_test: bool,
}

impl File {
    pub(super) fn new(path: &str, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| rust::read(&text));
        Self {
            path: path.to_owned(),
            text,
            rust,
            is_test: lies_with_tests(path),
        }
    }

    /// The name without folders and without what follows the first dot.
    pub(super) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    }

    /// Rust outside tests.
    pub(super) fn production(&self) -> Option<&Source> {
        self.rust.as_ref().filter(|_| !self.is_test)
    }

    /// The modules that only tests have, as paths without `.rs`.
    pub(super) fn test_modules(&self) -> impl Iterator<Item = String> {
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = match self.stem() {
            "lib" | "main" | "mod" => folder.to_owned(),
            stem => format!("{folder}/{stem}"),
        };
        let names = self.rust.iter().flat_map(|source| &source.test_modules);
        names.map(move |name| format!("{folder}/{name}"))
    }
}

/// Whether a path is `tests.rs`, or in a folder `tests` or `benches` of a package.
///
/// The folder `tests` in the root is not one of these: it is a package, whose library is held to the rules.
fn lies_with_tests(path: &str) -> bool {
    let mut folders = path.split('/');
    let _file = folders.next_back();
    folders
        .skip(1)
        .any(|folder| matches!(folder, "tests" | "benches"))
        || path.ends_with("/tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_from_what_they_test_by_where_they_lie() {
        let is_test = |path| File::new(path, String::new()).is_test;
        assert!(is_test("runtime-host/crates/core/src/route/tests.rs"));
        assert!(is_test("runtime-host/crates/core/src/route/tests/model.rs"));
        assert!(is_test("tests/tests/orders.rs"));
        assert!(!is_test("tests/src/lib.rs"));
        assert!(!is_test("tests/guests/hello/src/lib.rs"));
        assert!(!is_test("xtask/src/test.rs"));
    }
}
