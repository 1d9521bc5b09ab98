//! A released contract never changes: others were built against it.

use std::{path::Path, process::Command};

use anyhow::Result;

use super::{Finding, tree::Tree};
use crate::process;

const FOLDER: &str = "wit/released";

/// Files below wit/released that were changed or removed.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let finding = |path: &String| {
        let fix = "restore it; what is new goes into a new version beside it";
        Finding::new(path, 1, "a released contract has changed", fix)
    };
    tree.altered_releases.iter().map(finding).collect()
}

/// Asks git which files are not what they were in the commit that added them; a file no commit has yet is new.
pub(super) fn altered(root: &Path) -> Result<Vec<String>> {
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(root).args(args);
        command
    };
    let has_commits = process::succeeds(&mut git(&["rev-parse", "--verify", "HEAD"]));
    if !has_commits || !root.join(FOLDER).exists() {
        return Ok(Vec::new());
    }
    let read =
        |args: &[&str]| process::read("comparing released contracts with git", &mut git(args));
    let mut altered = Vec::new();
    for path in read(&["ls-tree", "-r", "--name-only", "HEAD", "--", FOLDER])?.lines() {
        let added = read(&[
            "log",
            "--no-renames",
            "--diff-filter=A",
            "--format=%H",
            "-1",
            "--",
            path,
        ])?;
        if !process::succeeds(&mut git(&["diff", "--quiet", added.trim(), "--", path])) {
            altered.push(path.to_owned());
        }
    }
    Ok(altered)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn git(root: &Path, args: &[&str]) {
        let who = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "core.hooksPath=none",
        ];
        let mut command = Command::new("git");
        process::read("git", command.current_dir(root).args(who).args(args)).unwrap();
    }

    fn write(root: &Path, name: &str, text: &str) {
        fs::create_dir_all(root.join(FOLDER)).unwrap();
        fs::write(root.join(FOLDER).join(name), text).unwrap();
    }

    #[test]
    fn a_release_that_was_changed_or_removed_is_found_even_if_committed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        git(root, &["init", "-q"]);
        write(root, "cart.wit", "one");
        assert_eq!(altered(root).unwrap(), Vec::<String>::new());

        write(root, "orders.wit", "one");
        write(root, "payments.wit", "one");
        git(root, &["add", "."]);
        git(root, &["commit", "-qm", "release"]);
        write(root, "new.wit", "one");
        assert_eq!(altered(root).unwrap(), Vec::<String>::new());

        write(root, "cart.wit", "two");
        git(root, &["commit", "-qam", "change"]);
        write(root, "orders.wit", "two");
        fs::remove_file(root.join(FOLDER).join("payments.wit")).unwrap();
        let files = [
            "wit/released/cart.wit",
            "wit/released/orders.wit",
            "wit/released/payments.wit",
        ];
        assert_eq!(altered(root).unwrap(), files);
    }

    #[test]
    fn each_of_them_is_reported() {
        let tree = Tree {
            altered_releases: vec!["wit/released/cart.wit".into()],
            ..Tree::default()
        };
        insta::assert_snapshot!(check(&tree)[0], @r"
        wit/released/cart.wit:1: a released contract has changed; restore it; what is new goes into a new version beside it
        ");
    }
}
