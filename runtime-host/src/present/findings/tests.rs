//! What people see of a report.

use skald_store::redis::{Finding, Report, Stake, Verdict};

use super::{Ink, report};

fn finding(check: &'static str, verdict: Verdict, found: &str) -> Finding {
    Finding {
        check,
        server: None,
        verdict,
        found: found.to_owned(),
        stake: None,
        risk: String::new(),
        fix: String::new(),
    }
}

fn mixed() -> Report {
    Report {
        address: "redis+cluster://10.0.0.1,10.0.0.2".to_owned(),
        findings: vec![
            finding("version", Verdict::Well, "7.0.15 (2 servers)"),
            Finding {
                server: Some("10.0.0.2:6379".to_owned()),
                stake: Some(Stake::Data),
                risk: "A machine that dies loses the last second of commits that were answered."
                    .to_owned(),
                fix: "CONFIG SET appendfsync always".to_owned(),
                ..finding("appendfsync", Verdict::Weak, "everysec")
            },
            Finding {
                stake: Some(Stake::Service),
                risk: "What needs these commands fails.".to_owned(),
                fix: "let the user have +@all".to_owned(),
                ..finding("rights", Verdict::Unusable, "XADD: no permission")
            },
        ],
    }
}

#[test]
fn a_report_says_what_was_found_and_what_to_do() {
    insta::assert_snapshot!(report(&mixed(), Ink::Plain), @"
    redis+cluster://10.0.0.1,10.0.0.2

     check        verdict   found
     version      well      7.0.15 (2 servers)
     appendfsync  weak      everysec (10.0.0.2:6379)
     rights       unusable  XADD: no permission

    appendfsync puts data at risk
      A machine that dies loses the last second of commits that were answered.
      → CONFIG SET appendfsync always

    rights
      What needs these commands fails.
      → let the user have +@all
    ");
}

#[test]
fn a_verdict_has_a_colour_where_colours_are_seen() {
    let text = report(&mixed(), Ink::Coloured);
    assert!(text.contains("\u{1b}[33mappendfsync\u{1b}[0m puts data at risk"));
    assert!(
        text.lines()
            .any(|line| line.contains("unusable") && line.contains('\u{1b}'))
    );
    assert!(!report(&mixed(), Ink::Plain).contains('\u{1b}'));
}
