//! The rules of this workspace that no compiler knows.
//!
//! Each rule is a file of its own below, looks at the same parsed [`Tree`], and reports everything it finds. Nothing here
//! mends anything.

mod adrs;
mod codes;
mod docs;
mod edges;
mod files;
mod names;
mod releases;
mod rooms;
mod rust;
mod sizes;
mod tree;
mod words;

use std::fmt;

use anyhow::{Result, bail};

use self::tree::Tree;
use crate::{
    say::{self, Stopwatch},
    workspace::Workspace,
};

/// Something to be mended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// Counted from 1; also 1 where the whole file is meant.
    line: usize,
    what: String,
    fix: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}; {}",
            self.path, self.line, self.what, self.fix
        )
    }
}

/// A rule: the tree goes in, what breaks the rule comes out.
type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: [Rule; 10] = [
    edges::check,
    edges::check_guarded,
    rooms::check,
    sizes::check,
    docs::check,
    codes::check,
    adrs::check,
    releases::check,
    names::check,
    words::check,
];

/// Applies all rules and prints all findings.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let watch = Stopwatch::start();
    let tree = Tree::load(workspace)?;
    let findings = findings(&tree);
    for finding in &findings {
        say::result(finding);
    }
    if !findings.is_empty() {
        bail!("tidy has {} finding(s)", findings.len());
    }
    say::line(format_args!(
        "tidy: {} files in order, {}",
        tree.files.len(),
        watch.read()
    ));
    Ok(())
}

fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings.dedup();
    findings
}

/// What a rule finds in a tree of these files, one finding a line.
#[cfg(test)]
fn report(rule: Rule, files: &[(&str, &str)]) -> String {
    let lines = rule(&Tree::of(files))
        .into_iter()
        .map(|finding| finding.to_string());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_findings_of_all_rules_come_in_the_order_of_files() {
        let tree = Tree::of(&[("b/mod.rs", ""), ("a/utils.rs", "//! Something.")]);
        let lines: Vec<_> = findings(&tree).iter().map(Finding::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        a/utils.rs:1: "utils" says nothing about what is in it; name it after what it does
        b/mod.rs:1: a module is not called mod.rs; call it `foo.rs`, beside the folder `foo`
        b/mod.rs:1: the module has no documentation; begin with a `//!` sentence that says what it is for
        "#);
    }
}
