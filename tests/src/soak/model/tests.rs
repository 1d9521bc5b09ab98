use super::{super::program::Program, *};

fn effect(tag: u32) -> Effect {
    Effect {
        tag,
        key: 5,
        amount: 2,
        risk: 0,
    }
}

fn add(tag: u32) -> Act {
    Act::Add(effect(tag))
}

/// What the comparison says of a log.
fn check(acts: Vec<Act>, log: &[&str]) -> String {
    let log: Vec<String> = log.iter().map(|line| (*line).to_owned()).collect();
    match expect(&Program { acts }).compare(&log) {
        Ok(kept) => format!("{} left", kept.len()),
        Err(why) => why,
    }
}

fn failing() -> Vec<Act> {
    let inner = Act::Scope(vec![add(2)], Ending::Commit);
    let outer = vec![add(1), inner, add(3), Act::Fail("why".to_owned())];
    vec![Act::Scope(outer, Ending::Commit)]
}

#[test]
fn what_was_committed_stays_and_the_rest_is_undone_newest_first() {
    let log = ["+1 5 2", "+2 5 2", "+3 5 2", "-3", "-1"];
    assert_eq!(check(failing(), &log), "1 left");
    assert!(expect(&Program { acts: failing() }).is_rolled_back);
}

#[test]
fn an_undo_that_is_missing_doubled_or_out_of_order_is_found() {
    for log in [
        &["+1 5 2", "+2 5 2", "+3 5 2", "-3"][..],
        &["+1 5 2", "+2 5 2", "+3 5 2", "-3", "-3", "-1"],
        &["+1 5 2", "+2 5 2", "+3 5 2", "-1", "-3"],
        &["+1 5 2", "+2 5 2", "+2 5 2", "+3 5 2", "-3", "-1"],
        &["+1 5 2", "+2 5 2", "+3 5 3", "-3", "-1"],
        &["+1 5 2", "+2 5 2", "+3 6 2", "-3", "-1"],
    ] {
        assert!(!check(failing(), log).ends_with("left"), "{log:?}");
    }
}

#[test]
fn what_is_done_beside_each_other_may_come_in_any_order() {
    let acts = || vec![Act::Fan(vec![effect(1), effect(2)], None), add(3)];
    assert_eq!(check(acts(), &["+2 5 2", "+1 5 2", "+3 5 2"]), "3 left");
    assert!(!check(acts(), &["+2 5 2", "+3 5 2", "+1 5 2"]).ends_with("left"));
}

#[test]
fn what_nobody_waits_for_is_made_unless_the_run_is_rolled_back() {
    let stray = || vec![Act::Stray(effect(1)), add(2)];
    assert_eq!(check(stray(), &["+2 5 2", "+1 5 2"]), "2 left");
    assert!(check(stray(), &["+2 5 2"]).ends_with("was not made"));
    let failing = || vec![Act::Stray(effect(1)), Act::Fail("why".to_owned())];
    assert_eq!(check(failing(), &[]), "0 left");
    let undone = || vec![Act::Scope(vec![Act::Stray(effect(1))], Ending::Rollback)];
    assert_eq!(check(undone(), &["+1 5 2", "-1"]), "0 left");
    assert!(check(undone(), &["-1", "+1 5 2"]).ends_with("after it was undone"));
}
