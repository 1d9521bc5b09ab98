//! What is printed of runs, to the letter.

use std::time::{Duration, UNIX_EPOCH};

use skald_core::saga::view::{Line, Row, View};

use super::{
    super::ink::{Ink, Tone},
    Divergence, divergences, list, shortened, span, story, why,
};

/// The first of March 2026, 12:00:00 UTC, in microseconds.
const NOON: u64 = 1_772_366_400_000_000;

fn row(run: &str, standing: &str, note: &str) -> Row {
    Row {
        run: run.to_owned(),
        component: "checkout".to_owned(),
        revision: "c0ffee0123456789".to_owned(),
        key: "evt_1".to_owned(),
        subject: "ord_17".to_owned(),
        standing: standing.to_owned(),
        note: note.to_owned(),
        started_at: NOON,
        updated_at: NOON + 8_000_000,
        records: 14,
        bytes: 2_113,
    }
}

/// A story of lines `kind, ordinal, begin, end, what, outcome`, with times in milliseconds and blanks for what is not there.
fn view(row: Row, why: &[&str], lines: &str) -> View {
    let timeline = lines.trim().lines().map(|line| {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let micros = |text: &str| Some(NOON + text.parse::<u64>().ok()? * 1_000);
        Line {
            at: micros(parts[2]).unwrap(),
            ordinal: parts[1].parse().ok(),
            kind: parts[0].to_owned(),
            what: parts[4].to_owned(),
            ended_at: micros(parts[3]),
            outcome: Some(parts[5].to_owned()).filter(|outcome| !outcome.is_empty()),
            key: None,
        }
    });
    View {
        row,
        why: why.iter().map(ToString::to_string).collect(),
        timeline: timeline.collect(),
    }
}

/// A run whose parcel found no carrier, and whose refund fails.
fn parked() -> View {
    let note = "undo entry 3 failed 12 times: the bank is closed";
    let why = [
        "It is parked since 2026-03-01T12:00:08Z, while rolling back: undo entry 3 failed 12 times.",
        "A person has to act: `skald saga retry`, `skip` or `fail`.",
    ];
    let lines = r#"
start    |   |    0 |      | begun by evt_1                                                               |
scope    | 0 |    1 |    1 | open scope "order"                                                           | done
undo     | 1 |    2 |      | undo of scope 0: shop:inventory/api@1.0.0.release("ord_17")                  |
call     | 2 |    2 |   40 | shop:inventory/api@1.0.0.reserve("ord_17", [{sku: "TEA-001", quantity: 2}])  | ok
undo     | 3 |   41 |      | undo of scope 0: shop:payments/api@1.0.0.void("ord_17")                      |
call     | 4 |   41 | 2100 | shop:payments/api@1.0.0.authorise({order: "ord_17"})                         | ok({authorised: 1200})
call     | 5 | 2101 | 5200 | shop:shipping/api@1.0.0.book("ord_17")                                       | err(no-carrier)
parked   |   | 2500 |      | step 5 failed 12 times: no answer                                            |
operator |   | 4000 |      | retry by eve: the carrier is back                                            |
rollback |   | 5201 |      | no carrier goes there                                                        |
parked   |   | 8000 |      | undo entry 3 failed 12 times: the bank is closed                             |
"#;
    view(row("run_3f2a", "parked", note), &why, lines)
}

#[test]
fn a_story_shows_what_ran_when_and_what_was_undone() {
    insta::assert_snapshot!(story(&parked(), Ink::Plain), @r#"
    run_3f2a  parked: undo entry 3 failed 12 times: the bank is closed
      saga     checkout, revision c0ffee012345
      about    ord_17
      begun    2026-03-01T12:00:00Z by evt_1
      journal  14 records, 2113 bytes

           +0 ms  │·                       │        ▶ begun by evt_1
           +1 ms  │·                       │     0  · open scope "order"
           +2 ms  │·                       │     1  + undo of scope 0: shop:inventory/api@1.0.0.release("ord_17")
           +2 ms  │━                       │     2  → shop:inventory/api@1.0.0.reserve("ord_17", [{sku: "TEA-001", quantity: 2}])  = ok after 38 ms
          +41 ms  │·                       │     3  + undo of scope 0: shop:payments/api@1.0.0.void("ord_17")
          +41 ms  │━━━━━━━                 │     4  → shop:payments/api@1.0.0.authorise({order: "ord_17"})  = ok({authorised: 1200}) after 2.0 s
          +2.1 s  │      ━━━━━━━━━━        │     5  → shop:shipping/api@1.0.0.book("ord_17")  = err(no-carrier) after 3.0 s
          +2.5 s  │       ·                │        ■ step 5 failed 12 times: no answer
          +4.0 s  │            ·           │        ✎ retry by eve: the carrier is back
          +5.2 s  │               ·        │          ◀ no carrier goes there
          +8.0 s  │                       ·│          ■ undo entry 3 failed 12 times: the bank is closed

    It is parked since 2026-03-01T12:00:08Z, while rolling back: undo entry 3 failed 12 times.
    A person has to act: `skald saga retry`, `skip` or `fail`.
    "#);
}

#[test]
fn a_story_that_has_ended_waits_for_nothing() {
    let lines = "
start    |   |    0 |      | begun by evt_1              |
call     | 0 |   10 |  900 | shop:cart/api@1.0.0.clear() | done
rollback |   | 1000 |      | cancel by eve               |
undone   | 0 | 7000 |      | shop:cart/api@1.0.0.fill()  | undone
end      |   | 8000 |      | rolled back: cancel by eve  |
";
    let row = row("run_3f2a", "rolled-back", "cancel by eve");
    let view = view(row, &["It waits for nothing."], lines);
    insta::assert_snapshot!(story(&view, Ink::Plain), @"
    run_3f2a  rolled-back: cancel by eve
      saga     checkout, revision c0ffee012345
      about    ord_17
      begun    2026-03-01T12:00:00Z by evt_1
      journal  14 records, 2113 bytes

           +0 ms  │·                       │        ▶ begun by evt_1
          +10 ms  │━━━                     │     0  → shop:cart/api@1.0.0.clear()  = done after 890 ms
          +1.0 s  │   ·                    │          ◀ cancel by eve
          +7.0 s  │                     ·  │     0    ← shop:cart/api@1.0.0.fill()  = undone
          +8.0 s  │                       ·│          ● rolled back: cancel by eve
    ");
}

#[test]
fn what_has_not_ended_has_a_broken_bar() {
    let lines = "
start  |   |    0 | | begun by evt_1             |
sleep  | 0 | 4000 | | sleep 60000 ms             |
wait   | 1 | 6000 | | wait for signal approved   |
signal |   | 8000 | | other with 0 bytes         |
";
    let row = row("run_3f2a", "running", "");
    let view = view(row, &["It waits for number 0."], lines);
    insta::assert_snapshot!(story(&view, Ink::Plain), @r#"
    run_3f2a  running
      saga     checkout, revision c0ffee012345
      about    ord_17
      begun    2026-03-01T12:00:00Z by evt_1
      journal  14 records, 2113 bytes

           +0 ms  │·                       │        ▶ begun by evt_1
          +4.0 s  │            ╌╌╌╌╌╌╌╌╌╌╌╌│     0  ◷ sleep 60000 ms  …
          +6.0 s  │                  ╌╌╌╌╌╌│     1  ◷ wait for signal approved  …
          +8.0 s  │                       ·│        ◆ other with 0 bytes

    It waits for number 0.
    "#);
}

#[test]
fn why_says_it_in_sentences() {
    insta::assert_snapshot!(why(&parked()), @"
    run_3f2a of checkout is parked.
    It is parked since 2026-03-01T12:00:08Z, while rolling back: undo entry 3 failed 12 times.
    A person has to act: `skald saga retry`, `skip` or `fail`.
    ");
}

#[test]
fn a_list_says_how_long_ago_something_happened() {
    let long =
        "step 4 failed 12 times: the payment provider answered with something that is no JSON";
    let rows = [
        row("run_3f2a", "parked", long),
        row("run_77b0", "completed", "completed"),
    ];
    let now = UNIX_EPOCH + Duration::from_micros(NOON + 3_608_000_000);
    insta::assert_snapshot!(list(&rows, now), @"
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     run        component   subject   standing    since        note
    ═════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════
     run_3f2a   checkout    ord_17    parked      1 h 00 min   step 4 failed 12 times: the payment provider answered with s…
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     run_77b0   checkout    ord_17    completed   1 h 00 min   completed
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    ");
}

#[test]
fn divergences_name_the_command() {
    let found = [
        Divergence {
            run: "run_3f2a".to_owned(),
            ordinal: Some(4),
            expected: "sleep 5 ms".to_owned(),
            actual: "status \"waiting\"".to_owned(),
        },
        Divergence {
            run: "run_77b0".to_owned(),
            ordinal: None,
            expected: String::new(),
            actual: "the guest trapped: unreachable".to_owned(),
        },
    ];
    insta::assert_snapshot!(divergences(&found), @r#"
    ──────────────────────────────────────────────────────────────────
     run        command   was          is
    ══════════════════════════════════════════════════════════════════
     run_3f2a   4         sleep 5 ms   status "waiting"
    ──────────────────────────────────────────────────────────────────
     run_77b0   -                      the guest trapped: unreachable
    ──────────────────────────────────────────────────────────────────
    "#);
}

#[test]
fn lengths_of_time_are_as_exact_as_people_need() {
    let spans = [
        0,
        999_999,
        1_250_000,
        61_000_000,
        7_260_000_000,
        180_000_000_000,
    ]
    .map(span);
    insta::assert_snapshot!(spans.join(", "), @"0 ms, 999 ms, 1.2 s, 1 min 01 s, 2 h 01 min, 2 d 02 h");
}

#[test]
fn colours_are_for_terminals_only() {
    assert_eq!(Ink::Plain.paint(Tone::Bad, "err"), "err");
    assert_eq!(
        Ink::Coloured.paint(Tone::Bad, "err"),
        "\u{1b}[31merr\u{1b}[0m"
    );
    assert!(story(&parked(), Ink::Coloured).contains("\u{1b}[33m◀ no carrier goes there\u{1b}[0m"));
    assert!(!story(&parked(), Ink::Plain).contains('\u{1b}'));
}

#[test]
fn texts_are_cut_between_characters() {
    assert_eq!(shortened("äöü", 3), "äöü");
    assert_eq!(shortened("äöü", 2), "äö…");
}
