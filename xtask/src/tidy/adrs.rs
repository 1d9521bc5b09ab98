//! Decisions are numbered, once each, and named in words.

use super::{Finding, tree::Tree};

const FOLDER: &str = "docs/adr";

/// Names that are not `0007-words-with-dashes.md`, and numbers given twice.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut taken: Vec<(&str, &str)> = Vec::new();
    for file in tree.below(FOLDER).filter(|file| file.stem() != "README") {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let Some(number) = number(name) else {
            let what = "the name of a decision is four digits and words in small letters, joined by dashes";
            findings.push(Finding::new(
                &file.path,
                1,
                what,
                "name it like 0007-rooms-know-only-core.md",
            ));
            continue;
        };
        if let Some((_, other)) = taken.iter().find(|(other, _)| *other == number) {
            let what = format!("the number {number} is taken by {other}");
            findings.push(Finding::new(&file.path, 1, what, "take the next free one"));
        }
        taken.push((number, name));
    }
    findings
}

/// The number, if the name is as it should be.
fn number(name: &str) -> Option<&str> {
    let (number, words) = name.strip_suffix(".md")?.split_once('-')?;
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_number = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && words.split('-').all(is_word)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::report;

    #[test]
    fn a_number_is_given_once_and_a_name_is_words() {
        let files = [
            ("docs/adr/0001-components.md", ""),
            ("docs/adr/0002-one-store-2-adapters.md", ""),
            ("docs/adr/0002-rooms.md", ""),
            ("docs/adr/3-short.md", ""),
            ("docs/adr/0004_Shout.md", ""),
            ("docs/adr/README.md", ""),
        ];
        insta::assert_snapshot!(report(check, &files), @r"
        docs/adr/0002-rooms.md:1: the number 0002 is taken by 0002-one-store-2-adapters.md; take the next free one
        docs/adr/3-short.md:1: the name of a decision is four digits and words in small letters, joined by dashes; name it like 0007-rooms-know-only-core.md
        docs/adr/0004_Shout.md:1: the name of a decision is four digits and words in small letters, joined by dashes; name it like 0007-rooms-know-only-core.md
        ");
    }
}
