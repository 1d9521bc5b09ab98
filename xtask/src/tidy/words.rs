//! Words that only make sense on the machine of whoever wrote them.

use super::{Finding, files::File, tree::Tree};

/// What must not appear, and why. Written in two halves, so that this file does not accuse itself.
const WORDS: [(&str, &str); 6] = [
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/Us", "ers/"), "a path of one machine"),
    (concat!("/tm", "p/"), "a path that not every machine has"),
    (concat!("index.", "crates.io"), "the address of a registry"),
];

/// Lines with such words, outside tests, one finding a line.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (number, line) in (1..).zip(file.text.lines()).take(lines(file)) {
            if let Some((word, what)) = WORDS.iter().find(|(word, _)| holds(line, word)) {
                let what = format!("{word:?} is {what}");
                findings.push(Finding::new(
                    &file.path,
                    number,
                    what,
                    "write it relative, or read it from a setting",
                ));
            }
        }
    }
    findings
}

/// How many lines of a file are judged: tests may say anything.
fn lines(file: &File) -> usize {
    if file.is_test || file.path.starts_with("tests/") {
        return 0;
    }
    file.rust.as_ref().map_or(usize::MAX, |source| source.lines)
}

/// Whether `word` stands in `line`, and, if it is a path, at the beginning of one: `a/tmp/b` and URLs are fine.
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !word.starts_with('/')
            || !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::report;

    #[test]
    fn paths_of_one_machine_are_found() {
        let files = [
            (
                "README.md",
                "Say `cd /home/me/skald`.\nThen wait.\nSee /work/x and /root/y.\n",
            ),
            ("Cargo.lock", "source = \"sparse+https://index.crates.io/\""),
            ("a/src/lib.rs", "const LOG: &str = \"/tmp/log\";\n"),
        ];
        insta::assert_snapshot!(report(check, &files), @r#"
        README.md:1: "/home/" is a path of one machine; write it relative, or read it from a setting
        README.md:3: "/work/" is a path of one machine; write it relative, or read it from a setting
        Cargo.lock:1: "index.crates.io" is the address of a registry; write it relative, or read it from a setting
        a/src/lib.rs:1: "/tmp/" is a path that not every machine has; write it relative, or read it from a setting
        "#);
    }

    #[test]
    fn relative_paths_and_addresses_are_fine() {
        let text =
            "target/tmp/x https://example.com/work/1 docs.rs and crates.io ./home/x ${ROOT}/tmp/x";
        assert_eq!(report(check, &[("README.md", text)]), "");
    }

    #[test]
    fn tests_may_say_anything() {
        let inline = "#[cfg(test)]\nmod tests {\n    const A: &str = \"/tmp/a\";\n}\n";
        let files = [
            ("a/src/lib.rs", inline),
            ("tests/scenarios/a.toml", "/tmp/a"),
            ("a/src/b/tests.rs", "\"/tmp/a\""),
        ];
        assert_eq!(report(check, &files), "");
    }
}
