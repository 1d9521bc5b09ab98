//! How long files and functions may be. Tests are left to clippy, whose limit is wider.

use super::{Finding, files::File, tree::Tree};

/// Most lines of a file before its tests.
const FILE: usize = 400;

/// Most lines of code of a function. Clippy denies more than 60 anywhere; this is the limit to write for.
const FUNCTION: usize = 40;

/// Files that may be longer, or have longer functions, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// Files and functions that are too long, and exceptions for files that are gone.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    judge(tree, EXCEPTIONS)
}

fn judge(tree: &Tree, exceptions: &[(&str, &str)]) -> Vec<Finding> {
    let is_excepted = |file: &File| exceptions.iter().any(|(path, _)| *path == file.path);
    let files = tree.files.iter().filter(|file| !is_excepted(file));
    let mut findings: Vec<_> = files.flat_map(too_long).collect();
    for (path, reason) in exceptions
        .iter()
        .filter(|(path, _)| tree.file(path).is_none())
    {
        let what = format!("an exception is made for it ({reason}), and it is gone");
        findings.push(Finding::new(
            path,
            1,
            what,
            "remove it from xtask/src/tidy/sizes.rs",
        ));
    }
    findings
}

/// What is too long in one file.
fn too_long(file: &File) -> Vec<Finding> {
    let Some(source) = file.production() else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if source.lines > FILE {
        let what = format!(
            "{} lines before the tests, {FILE} are the most",
            source.lines
        );
        findings.push(Finding::new(
            &file.path,
            1,
            what,
            "split it by what its parts are for",
        ));
    }
    let functions = source
        .functions
        .iter()
        .filter(|function| function.line <= source.lines);
    for function in functions.filter(|function| function.length > FUNCTION) {
        let what = format!(
            "`{}` has {} lines, {FUNCTION} are the most",
            function.name, function.length
        );
        findings.push(Finding::new(
            &file.path,
            function.line,
            what,
            "give its parts names of their own",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::report;

    fn function(lines: usize) -> String {
        format!(
            "//! A file.\n\nfn long() {{\n{}}}\n",
            "    step();\n".repeat(lines)
        )
    }

    #[test]
    fn the_longest_that_is_allowed_is_allowed() {
        let file = "// why\n".repeat(400);
        assert_eq!(
            report(
                check,
                &[("a/src/lib.rs", &function(40)), ("a/src/b.rs", &file)]
            ),
            ""
        );
    }

    #[test]
    fn one_line_more_is_not() {
        let file = "// why\n".repeat(401);
        insta::assert_snapshot!(report(check, &[("a/src/lib.rs", &function(41)), ("a/src/b.rs", &file)]), @r"
        a/src/lib.rs:3: `long` has 41 lines, 40 are the most; give its parts names of their own
        a/src/b.rs:1: 401 lines before the tests, 400 are the most; split it by what its parts are for
        ");
    }

    #[test]
    fn tests_may_be_long() {
        let inline = format!(
            "//! A file.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
            function(400)
        );
        assert_eq!(
            report(
                check,
                &[
                    ("a/src/lib.rs", &inline),
                    ("a/src/lib/tests.rs", &function(500))
                ]
            ),
            ""
        );
    }

    #[test]
    fn an_exception_holds_as_long_as_its_file() {
        let tree = Tree::of(&[("a/src/lib.rs", &function(41))]);
        assert_eq!(judge(&tree, &[("a/src/lib.rs", "a table")]), []);
        let findings = judge(
            &tree,
            &[("a/src/lib.rs", "a table"), ("a/src/gone.rs", "a table")],
        );
        insta::assert_snapshot!(findings[0], @r"
        a/src/gone.rs:1: an exception is made for it (a table), and it is gone; remove it from xtask/src/tidy/sizes.rs
        ");
    }
}
