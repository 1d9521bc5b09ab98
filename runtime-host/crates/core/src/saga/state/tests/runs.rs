//! What holds for every run of every program, and for every place where a run can be cut off.

use proptest::prelude::*;

use super::{
    model::Model,
    play::{Stage, World},
    program::{Age, Op, program},
    records::{Dice, senseless},
};
use crate::saga::{Command, End, Phase, Record, Stamped, State, Undone};

fn numbers() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::vec(any::<u16>(), 0..300)
}

/// A whole run.
fn run(program: &[Op], age: Age, numbers: Vec<u16>) -> Stage {
    let mut stage = Stage::begin(World::Live(Dice::new(numbers)));
    stage.finish(program, age);
    stage
}

/// The beginning of a journal. What one verb leads to is one entry, so that no journal ends within it.
fn cut_off(records: &[Stamped], mut length: usize) -> &[Stamped] {
    let is_second = |one: &Stamped| matches!(one.record, Record::Resumed { .. });
    while records.get(length).is_some_and(is_second) {
        length += 1;
    }
    &records[..length]
}

/// The prefixes of a journal, the shortest first.
fn prefixes(records: &[Stamped]) -> impl Iterator<Item = (&[Stamped], &[Stamped])> {
    (1..=records.len()).map(|length| records.split_at(length))
}

/// The commands of a journal, with their places in it.
fn commands(records: &[Stamped]) -> Vec<(usize, &Command)> {
    let issued = |(place, stamped): (usize, &'_ Stamped)| match &stamped.record {
        Record::Issued { .. } => Some(place),
        _ => None,
    };
    let places = records.iter().enumerate().filter_map(issued);
    places
        .map(|place| match &records[place].record {
            Record::Issued { command, .. } => (place, command),
            other => unreachable!("{other:?}"),
        })
        .collect()
}

fn undone(records: &[Stamped]) -> Vec<(usize, u32)> {
    let of = |(place, stamped): (usize, &Stamped)| match &stamped.record {
        Record::Undone { ordinal, .. } => Some((place, *ordinal)),
        _ => None,
    };
    records.iter().enumerate().filter_map(of).collect()
}

fn scope_of(records: &[Stamped], entry: u32) -> u32 {
    match commands(records)[entry as usize].1 {
        Command::Register { scope, .. } => *scope,
        other => panic!("{other} is no entry"),
    }
}

fn commits(records: &[Stamped], wanted: u32) -> bool {
    let is_it =
        |command: &Command| matches!(command, Command::Commit { scope } if *scope == wanted);
    commands(records).iter().any(|(_, command)| is_it(command))
}

fn check_times(records: &[Stamped]) {
    assert!(records.is_sorted_by_key(|stamped| stamped.at));
}

fn check_end(stage: &Stage) {
    let ends = stage
        .records
        .iter()
        .filter(|one| matches!(one.record, Record::Ended { .. }));
    assert_eq!(ends.count(), 1);
    let last = stage.records.last().map(|one| &one.record);
    assert!(matches!(last, Some(Record::Ended { .. })));
}

/// What is not committed is undone, whichever way the run ended.
fn check_complete(stage: &Stage) {
    if let Some(End::Failed { left, .. }) = stage.state.end() {
        assert_eq!(*left as usize, stage.state.pending_undos().count());
        return;
    }
    let undone = undone(&stage.records);
    for (entry, (_, command)) in (0..).zip(commands(&stage.records)) {
        if let Command::Register { scope, .. } = command {
            let is_undone = undone.iter().any(|(_, one)| *one == entry);
            assert_ne!(is_undone, commits(&stage.records, *scope), "entry {entry}");
        }
    }
    let Some(End::RolledBack { skipped, .. }) = stage.state.end() else {
        return;
    };
    let is_skipped = |one: &&Stamped| {
        matches!(
            &one.record,
            Record::Undone {
                how: Undone::Skipped(_),
                ..
            }
        )
    };
    let count = stage.records.iter().filter(is_skipped).count();
    assert_eq!(*skipped as usize, count);
}

/// The newest first within a scope, none twice, and none while a step may still take effect.
fn check_order(records: &[Stamped]) {
    let undone = undone(records);
    for (place, (at, entry)) in undone.iter().enumerate() {
        for (_, later) in &undone[place + 1..] {
            let is_same_scope = scope_of(records, *later) == scope_of(records, *entry);
            assert!(!is_same_scope || later < entry, "{later} after {entry}");
            assert_ne!(later, entry);
        }
        for (ordinal, (_, command)) in (0..).zip(commands(&records[..*at])) {
            let has_ended = records[..*at].iter().any(|one| {
                matches!(&one.record, Record::Completed { ordinal: of, .. } if *of == ordinal)
            });
            assert!(
                has_ended || !matches!(command, Command::Step(_)),
                "{ordinal} still ran"
            );
        }
    }
    let begins = |one: &Stamped| matches!(one.record, Record::RollbackStarted { .. });
    let turn = records.iter().position(begins).unwrap_or(records.len());
    let last: Vec<u32> = undone
        .iter()
        .filter(|(at, _)| *at > turn)
        .map(|(_, one)| *one)
        .collect();
    assert!(last.is_sorted_by(|one, next| one > next), "{last:?}");
}

/// Cuts a run off after each of its records: what is left plays the same again, and comes to the same end.
fn check_replays(whole: &Stage, program: &[Op], age: Age) {
    for (before, after) in prefixes(&whole.records) {
        let rest = after.iter().cloned().collect();
        let mut again = Stage::new(before, World::Again(rest));
        let is_played = *again.state.phase() == Phase::Forward && again.state.parked().is_none();
        again.finish(program, age);
        assert_eq!(again.records, whole.records);
        assert_eq!(again.state, whole.state);
        if is_played {
            assert_eq!(again.seen, whole.seen, "after {} records", before.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_run_keeps_what_it_commits_and_undoes_the_rest(program in program(), numbers in numbers()) {
        let stage = run(&program, Age::New, numbers);
        check_times(&stage.records);
        check_end(&stage);
        check_complete(&stage);
        check_order(&stage.records);
    }

    #[test]
    fn a_run_means_to_the_model_what_it_means_to_the_state(program in program(), numbers in numbers()) {
        let stage = run(&program, Age::New, numbers);
        let mut model = Model::default();
        for next in stage.records {
            let is_first = model.records.is_empty();
            let is_allowed = is_first || model.may_follow(&next);
            prop_assert!(is_allowed);
            model.records.push(next);
            let state = State::fold(model.records.clone()).unwrap();
            prop_assert_eq!(state.actions(), model.actions());
        }
    }

    #[test]
    fn a_run_cut_off_anywhere_goes_on_as_if_it_was_not(program in program(), numbers in numbers()) {
        let whole = run(&program, Age::New, numbers);
        check_replays(&whole, &program, Age::New);
    }

    #[test]
    fn newer_code_goes_on_with_a_run_of_older_code(
        program in program(), first in numbers(), second in numbers(), cut in any::<prop::sample::Index>(),
    ) {
        let old = run(&program, Age::Old, first);
        let before = cut_off(&old.records, 1 + cut.index(old.records.len()));
        let mut new = Stage::new(before, World::Live(Dice::new(second)));
        new.finish(&program, Age::New);
        check_complete(&new);
        check_order(&new.records);
        // Newer code that has begun to carry a run is replayed from there on only.
        for length in before.len()..=new.records.len() {
            let (before, after) = new.records.split_at(length);
            let rest = after.iter().cloned().collect();
            let mut again = Stage::new(before, World::Again(rest));
            again.finish(&program, Age::New);
            prop_assert_eq!(&again.records, &new.records);
        }
    }

    #[test]
    fn nothing_follows_the_end_of_a_run(program in program(), numbers in numbers()) {
        let mut stage = run(&program, Age::New, numbers.clone());
        let model = Model { records: stage.records.clone() };
        let mut dice = Dice::new(numbers);
        while !dice.is_used_up() {
            let (at, record) = (u64::MAX, senseless(&model, &mut dice));
            let refused = stage.state.apply(Stamped { at, record });
            prop_assert!(refused.is_err());
        }
        prop_assert_eq!(stage.state.records() as usize, stage.records.len());
    }
}
