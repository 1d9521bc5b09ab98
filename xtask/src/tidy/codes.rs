//! Every error code of the host has a page in docs/errors, and every page a code.

use super::{Finding, tree::Tree};

const PAGES: &str = "docs/errors";

/// Codes without a page, and pages without a code.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut codes: Vec<&str> = Vec::new();
    // Only the host has codes: in a component "TEA-001" is something to buy.
    for file in tree.below("runtime-host") {
        let Some(source) = file.production() else {
            continue;
        };
        let literals = source
            .literals
            .iter()
            .filter(|(line, text)| *line <= source.lines && is_code(text));
        for (line, code) in literals {
            let page = format!("{PAGES}/{code}.md");
            if !codes.contains(&code.as_str()) && tree.file(&page).is_none() {
                let fix = format!("write {page}: the cause, what to look at, what to do");
                findings.push(Finding::new(
                    &file.path,
                    *line,
                    format!("the code {code} has no page"),
                    fix,
                ));
            }
            codes.push(code);
        }
    }
    for page in tree.below(PAGES).filter(|page| page.stem() != "README") {
        if !codes.contains(&page.stem()) {
            let what = "no error of the host has this code";
            findings.push(Finding::new(
                &page.path,
                1,
                what,
                "remove the page, or correct its name",
            ));
        }
    }
    findings
}

/// `CALL-001`: capitals, a dash, three digits.
fn is_code(text: &str) -> bool {
    text.split_once('-').is_some_and(|(area, number)| {
        !area.is_empty()
            && area.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 3
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::{check, is_code};
    use crate::tidy::report;

    #[test]
    fn codes_and_pages_belong_together() {
        let code = "fn code() {\n    match self { A => \"CALL-001\", B => \"CALL-002\" }\n}\n";
        let files = [
            ("runtime-host/crates/core/src/call.rs", code),
            (
                "components/catalog/src/domain.rs",
                "const SKU: &str = \"TEA-001\";",
            ),
            ("docs/errors/README.md", ""),
            ("docs/errors/CALL-001.md", ""),
            ("docs/errors/CALL-003.md", ""),
        ];
        insta::assert_snapshot!(report(check, &files), @r"
        runtime-host/crates/core/src/call.rs:2: the code CALL-002 has no page; write docs/errors/CALL-002.md: the cause, what to look at, what to do
        docs/errors/CALL-003.md:1: no error of the host has this code; remove the page, or correct its name
        ");
    }

    #[test]
    fn codes_in_tests_and_comments_are_talk() {
        let text =
            "// \"CALL-004\"\n#[cfg(test)]\nmod tests {\n    const CODE: &str = \"CALL-005\";\n}\n";
        assert_eq!(report(check, &[("runtime-host/src/main.rs", text)]), "");
    }

    #[test]
    fn a_code_is_told_from_other_words_with_dashes() {
        assert!(is_code("STORE-013"));
        for other in [
            "",
            "-001",
            "UTF-8",
            "Call-001",
            "CALL-0001",
            "CALL-01x",
            "SHA-256-128",
        ] {
            assert!(!is_code(other), "{other}");
        }
    }
}
