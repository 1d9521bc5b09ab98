use super::{Issue, Misuse, Script};
use crate::{
    saga::{Cause, Command, Input, Outcome, Record, RunId, Stamped, Started, State, Step},
    value::Value,
};

fn step(function: &str, arguments: Vec<Value>) -> Command {
    Command::Step(Step {
        target: "payments".to_owned(),
        interface: "shop:payments/api@1.0.0".to_owned(),
        function: function.to_owned(),
        arguments,
    })
}

fn call(function: &str) -> Command {
    step(function, Vec::new())
}

fn patch(id: &str) -> Command {
    Command::Patch { id: id.to_owned() }
}

fn state() -> State {
    State::begin(Stamped {
        at: 1_000,
        record: Record::Started(Started {
            run: RunId::from("run_1"),
            component: "checkout".to_owned(),
            revision: "sha256:1".to_owned(),
            key: "evt_1".to_owned(),
            subject: String::new(),
            input: Input::Message(Vec::new()),
            trace: String::new(),
            principal: None,
        }),
    })
    .unwrap()
}

fn record(state: &mut State, record: Record) {
    let at = state.updated_at() + 10;
    state.apply(Stamped { at, record }).unwrap();
}

fn asked(state: &mut State, command: Command) -> u32 {
    let ordinal = state.commands();
    record(state, Record::Issued { ordinal, command });
    ordinal
}

fn ended(state: &mut State, ordinal: u32, outcome: Outcome) {
    let by = None;
    record(
        state,
        Record::Completed {
            ordinal,
            outcome,
            by,
        },
    );
}

fn answered(state: &mut State, ordinal: u32) {
    ended(state, ordinal, Outcome::Returned(None));
}

/// A journal in which all this was asked, and nothing has ended.
fn journal(commands: &[Command]) -> State {
    let mut state = state();
    for command in commands {
        asked(&mut state, command.clone());
    }
    state
}

/// What a replay says that asks `actual` where the journal has `expected`.
fn mismatch(expected: Command, actual: &Command) -> String {
    let state = journal(&[expected]);
    match Script::new(&state).issue(&state, actual).unwrap() {
        Issue::Mismatch(parked) => format!("{parked:#?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replay_is_answered_from_the_journal_and_goes_on_where_it_ends() {
    let mut state = journal(&[call("reserve"), call("capture")]);
    let mut script = Script::new(&state);
    assert!(!script.is_live(&state));
    let issue = script.issue(&state, &call("reserve"));
    assert_eq!(issue, Ok(Issue::Replayed(0)));
    let issue = script.issue(&state, &call("capture"));
    assert_eq!(issue, Ok(Issue::Replayed(1)));
    assert!(script.is_live(&state));
    let issue = script.issue(&state, &call("ship"));
    assert_eq!(issue, Ok(Issue::New(2)));
    // Not recorded yet: it is still the next one.
    let issue = script.issue(&state, &call("ship"));
    assert_eq!(issue, Ok(Issue::New(2)));
    asked(&mut state, call("ship"));
    script.pass(&state);
    assert!(script.is_live(&state));
}

#[test]
fn nothing_is_passed_that_is_not_recorded() {
    let state = state();
    let mut script = Script::new(&state);
    script.pass(&state);
    assert_eq!(script.issue(&state, &call("ship")), Ok(Issue::New(0)));
    assert_eq!(script.now(), 1_000);
}

#[test]
fn the_time_is_that_of_the_last_record_the_code_has_come_past() {
    let mut state = journal(&[call("reserve"), call("capture")]);
    answered(&mut state, 1);
    answered(&mut state, 0);
    let mut script = Script::new(&state);
    assert_eq!(script.now(), 1_000);
    script.issue(&state, &call("reserve")).unwrap();
    assert_eq!(script.now(), 1_010);
    script.issue(&state, &call("capture")).unwrap();
    assert_eq!(script.now(), 1_020);
    script.outcome(&state, 0).unwrap();
    assert_eq!(script.now(), 1_040);
    script.outcome(&state, 1).unwrap();
    assert_eq!(script.now(), 1_040, "it goes back");
}

#[test]
fn another_command_than_before_is_a_mismatch_that_tells_both() {
    let amount = |amount: u64| step("capture", vec![Value::U64(amount)]);
    insta::assert_snapshot!(mismatch(amount(100), &amount(200)), @r#"
    Mismatch {
        ordinal: 0,
        expected: "shop:payments/api@1.0.0.capture(100)",
        actual: "shop:payments/api@1.0.0.capture(200)",
    }
    "#);
    let sleep = Command::Sleep { milliseconds: 5 };
    insta::assert_snapshot!(mismatch(call("ship"), &sleep), @r#"
    Mismatch {
        ordinal: 0,
        expected: "shop:payments/api@1.0.0.ship()",
        actual: "sleep 5 ms",
    }
    "#);
}

#[test]
fn a_mismatch_passes_nothing() {
    let state = journal(&[call("reserve")]);
    let mut script = Script::new(&state);
    script.issue(&state, &call("capture")).unwrap();
    let issue = script.issue(&state, &call("reserve"));
    assert_eq!(issue, Ok(Issue::Replayed(0)));
}

#[test]
fn a_difference_that_is_usually_cut_off_is_shown() {
    let long = |end: &str| {
        let text = format!("{}{end}", "ü".repeat(300));
        step("capture", vec![Value::String(text)])
    };
    insta::assert_snapshot!(mismatch(long("one"), &long("another")), @r#"
    Mismatch {
        ordinal: 0,
        expected: "…üüüüüüüüüüüüüüüüüüüüone\")",
        actual: "…üüüüüüüüüüüüüüüüüüüüanother\")",
    }
    "#);
    let Command::Step(mut elsewhere) = call("ship") else {
        unreachable!()
    };
    elsewhere.target = "bank".to_owned();
    insta::assert_snapshot!(mismatch(call("ship"), &Command::Step(elsewhere)), @r#"
    Mismatch {
        ordinal: 0,
        expected: "payments: shop:payments/api@1.0.0.ship()",
        actual: "bank: shop:payments/api@1.0.0.ship()",
    }
    "#);
}

#[test]
fn not_a_number_is_the_argument_it_was() {
    let command = step("capture", vec![Value::F64(f64::NAN), Value::F32(f32::NAN)]);
    let state = journal(std::slice::from_ref(&command));
    let issue = Script::new(&state).issue(&state, &command);
    assert_eq!(issue, Ok(Issue::Replayed(0)));
}

#[test]
fn join_answers_what_ended_first_however_late_it_is_asked() {
    let mut state = journal(&[call("a"), call("b"), call("c")]);
    let mut script = Script::new(&state);
    for function in ["a", "b", "c"] {
        script.issue(&state, &call(function)).unwrap();
    }
    let mut other = script.clone();
    assert_eq!(script.join(&state, &[0, 1, 2]), Ok(None));
    answered(&mut state, 2);
    assert_eq!(script.join(&state, &[0, 1, 2]), Ok(Some(2)));
    answered(&mut state, 1);
    answered(&mut state, 0);
    assert_eq!(script.join(&state, &[0, 1, 2]), Ok(Some(1)));
    assert_eq!(script.join(&state, &[0, 1, 2]), Ok(Some(0)));
    let late = [(); 3].map(|()| other.join(&state, &[0, 1, 2]));
    assert_eq!(late, [Ok(Some(2)), Ok(Some(1)), Ok(Some(0))]);
}

#[test]
fn join_looks_only_at_what_it_was_given() {
    let mut state = journal(&[call("a"), call("b")]);
    answered(&mut state, 0);
    let mut script = Script::new(&state);
    script.issue(&state, &call("a")).unwrap();
    script.issue(&state, &call("b")).unwrap();
    assert_eq!(script.join(&state, &[1]), Ok(None));
    assert_eq!(script.join(&state, &[1, 1]), Ok(None));
    assert_eq!(script.join(&state, &[1, 0]), Ok(Some(0)));
    // It was answered, and so it is not waited for again.
    assert_eq!(script.join(&state, &[1, 0]), Ok(None));
}

#[test]
fn join_takes_timers_too() {
    let sleep = Command::Sleep { milliseconds: 1 };
    let mut state = journal(&[call("a"), sleep.clone()]);
    ended(&mut state, 1, Outcome::Fired);
    let mut script = Script::new(&state);
    script.issue(&state, &call("a")).unwrap();
    script.issue(&state, &sleep).unwrap();
    assert_eq!(script.join(&state, &[0, 1]), Ok(Some(1)));
    // An end can be looked at after it was joined, and again.
    let fired = Ok(Some(Outcome::Fired));
    assert_eq!(script.outcome(&state, 1), fired);
    assert_eq!(script.outcome(&state, 1), fired);
}

#[test]
fn a_new_run_takes_the_branch_each_time() {
    let mut state = state();
    let mut script = Script::new(&state);
    assert_eq!(script.patched(&state, "gift-wrap"), None);
    let issue = script.issue(&state, &patch("gift-wrap"));
    assert_eq!(issue, Ok(Issue::New(0)));
    asked(&mut state, patch("gift-wrap"));
    script.pass(&state);
    assert_eq!(script.patched(&state, "gift-wrap"), Some(true));
    asked(&mut state, call("ship"));
    script.pass(&state);
    assert_eq!(script.patched(&state, "gift-wrap"), Some(true));

    let mut replay = Script::new(&state);
    assert_eq!(replay.patched(&state, "gift-wrap"), Some(true));
    let issue = replay.issue(&state, &call("ship"));
    assert_eq!(issue, Ok(Issue::Replayed(1)));
    assert_eq!(replay.patched(&state, "gift-wrap"), Some(true));
}

#[test]
fn an_old_run_that_has_passed_there_never_takes_the_branch() {
    let state = journal(&[call("ship")]);
    let mut script = Script::new(&state);
    assert_eq!(script.patched(&state, "gift-wrap"), Some(false));
    let issue = script.issue(&state, &call("ship"));
    assert_eq!(issue, Ok(Issue::Replayed(0)));
    // Also where nothing is recorded: the code must not change its mind within a run.
    assert!(script.is_live(&state));
    assert_eq!(script.patched(&state, "gift-wrap"), Some(false));
}

#[test]
fn an_old_run_that_comes_there_first_takes_the_branch() {
    let state = journal(&[call("ship")]);
    let mut script = Script::new(&state);
    script.issue(&state, &call("ship")).unwrap();
    assert_eq!(script.patched(&state, "gift-wrap"), None);
}

#[test]
fn of_two_branches_at_one_place_the_older_one_is_found() {
    let state = journal(&[patch("older"), call("ship")]);
    let mut script = Script::new(&state);
    assert_eq!(script.patched(&state, "newer"), Some(false));
    assert_eq!(script.patched(&state, "older"), Some(true));
    let issue = script.issue(&state, &call("ship"));
    assert_eq!(issue, Ok(Issue::Replayed(1)));
}

#[test]
fn a_branch_that_is_no_longer_asked_for_is_a_mismatch() {
    insta::assert_snapshot!(mismatch(patch("gift-wrap"), &call("ship")), @r#"
    Mismatch {
        ordinal: 0,
        expected: "patch \"gift-wrap\"",
        actual: "shop:payments/api@1.0.0.ship()",
    }
    "#);
}

#[test]
fn the_code_must_not_end_where_the_journal_goes_on() {
    let state = journal(&[call("reserve"), call("ship")]);
    let mut script = Script::new(&state);
    script.issue(&state, &call("reserve")).unwrap();
    insta::assert_debug_snapshot!(script.finish(&state), @r#"
    Some(
        Mismatch {
            ordinal: 1,
            expected: "shop:payments/api@1.0.0.ship()",
            actual: "the end of the code",
        },
    )
    "#);
    script.issue(&state, &call("ship")).unwrap();
    assert_eq!(script.finish(&state), None);
}

#[test]
fn mistakes_of_the_code_are_told() {
    let open = Command::Open {
        name: "order".to_owned(),
    };
    let commit = Command::Commit { scope: 0 };
    let state = journal(&[open.clone(), commit.clone(), call("ship")]);
    let mut script = Script::new(&state);
    script.issue(&state, &open).unwrap();
    script.issue(&state, &commit).unwrap();
    // It is recorded, but the code has not come there.
    assert_eq!(script.outcome(&state, 2), Err(Misuse::NoTicket(2)));
    script.issue(&state, &call("ship")).unwrap();
    let mistakes = [
        script.issue(&state, &commit).unwrap_err(),
        script.outcome(&state, 0).unwrap_err(),
        script.join(&state, &[2, 9]).unwrap_err(),
        script.join(&state, &[]).unwrap_err(),
    ];
    let lines = mistakes.map(|mistake| mistake.to_string());
    insta::assert_snapshot!(lines.join("\n"), @r"
    scope 0 is not open: it was committed or rolled back before
    there is no ticket 0
    there is no ticket 9
    none of the tickets is still out, so that nothing can be joined
    ");
}

#[test]
fn a_scope_that_has_ended_takes_nothing() {
    let open = Command::Open {
        name: "order".to_owned(),
    };
    let rollback = Command::Rollback {
        scope: 0,
        reason: "changed its mind".to_owned(),
    };
    let Command::Step(undo) = call("refund") else {
        unreachable!()
    };
    let register = Command::Register { scope: 0, undo };
    let state = journal(&[open.clone(), rollback.clone()]);
    let mut script = Script::new(&state);
    script.issue(&state, &open).unwrap();
    script.issue(&state, &rollback).unwrap();
    for command in [register, Command::Commit { scope: 0 }, rollback] {
        let mistake = script.issue(&state, &command);
        assert_eq!(mistake, Err(Misuse::ScopeEnded(0)));
    }
}

#[test]
fn what_was_joined_is_not_joined_again() {
    let mut state = journal(&[call("a")]);
    answered(&mut state, 0);
    let mut script = Script::new(&state);
    script.issue(&state, &call("a")).unwrap();
    assert_eq!(script.join(&state, &[0]), Ok(Some(0)));
    assert_eq!(script.join(&state, &[0]), Err(Misuse::NothingToJoin));
}

#[test]
fn a_replay_sees_the_same_ends_while_the_run_rolls_back() {
    let mut state = journal(&[call("a")]);
    answered(&mut state, 0);
    let cause = Cause::Uncommitted;
    record(&mut state, Record::RollbackStarted { cause });
    let mut script = Script::new(&state);
    script.issue(&state, &call("a")).unwrap();
    let answer = Ok(Some(Outcome::Returned(None)));
    assert_eq!(script.outcome(&state, 0), answer);
}
