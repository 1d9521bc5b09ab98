//! The state and the model are told the same records, and have to say the same of them.

use proptest::prelude::*;

use super::{
    model::{Fate, Model},
    records::{Dice, senseless, sensible, started},
};
use crate::saga::{Record, Stamped, State};

/// Tells both, and compares all that they say. Answers whether the record may be there.
fn tell(state: &mut State, model: &mut Model, next: Stamped) -> bool {
    let is_allowed = model.may_follow(&next);
    let before = state.clone();
    match state.apply(next.clone()) {
        Ok(actions) => {
            assert!(is_allowed, "may not follow: {next:?}");
            model.records.push(next);
            assert_eq!(actions, model.actions());
            compare(state, model);
        }
        Err(refused) => {
            assert!(!is_allowed, "{refused}: {next:?}");
            assert_eq!(refused.record as usize, model.records.len());
            assert_eq!(*state, before, "a refused record changed something");
        }
    }
    is_allowed
}

fn compare(state: &State, model: &Model) {
    assert_eq!(state.records() as usize, model.records.len());
    assert_eq!(state.updated_at(), model.last_at());
    assert_eq!(*state.phase(), model.phase());
    assert_eq!(state.parked(), model.parked());
    assert_eq!(state.status(), model.status());
    assert_eq!(state.epoch(), model.epoch());
    assert_eq!(state.revision(), model.revision());
    assert_eq!(state.next_undo(), model.next_undo());
    assert!(state.pending_undos().eq(model.pending()));
    assert!(state.open().iter().copied().eq(model.open()));
    let entries = model.entries();
    let undos = state.undos().iter();
    let undos = undos.map(|(ordinal, undo)| (*ordinal, undo.scope, undo.how.as_ref()));
    assert!(undos.eq(entries));
    assert_eq!(state.commands() as usize, model.commands().len());
    for (ordinal, (at, command)) in (0..).zip(model.commands()) {
        assert_eq!(state.issued_at(ordinal), Some(at));
        assert_eq!(state.command(ordinal), Some(command));
        let is_open = model.fate(ordinal) == Some(Fate::Open);
        assert_eq!(state.is_scope_open(ordinal), is_open);
        let ends = model.ends();
        let place = ends.iter().position(|(ended, ..)| *ended == ordinal);
        assert_eq!(state.place(ordinal), place);
        let end = place.map(|place| (ends[place].1, ends[place].2));
        assert_eq!(state.outcome(ordinal), end);
    }
    for id in (0..5_u32).map(|id| id.to_string()) {
        assert_eq!(state.has_signal(&id), model.has_signal(&id));
    }
}

fn begin() -> (State, Model) {
    let first = started(1_000);
    let state = State::begin(first.clone()).unwrap();
    let records = vec![first];
    (state, Model { records })
}

/// What is asked to be recorded may be recorded, all of it in the order in which it is asked, and nothing is asked twice.
fn check_actions(state: &State) {
    use crate::saga::Action;
    let actions = state.actions();
    for (place, action) in actions.iter().enumerate() {
        assert!(
            !actions[..place].contains(action),
            "asked twice: {action:?}"
        );
    }
    let mut after = state.clone();
    let at = state.updated_at();
    for action in actions {
        if let Action::Record(record) = action {
            let record = *record;
            after.apply(Stamped { at, record }).unwrap();
        }
    }
}

fn numbers() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::vec(any::<u16>(), 0..2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_makes_sense_is_accepted_and_means_the_same(numbers in numbers()) {
        let (mut state, mut model) = begin();
        let mut dice = Dice::new(numbers);
        while !dice.is_used_up() {
            let Some(record) = sensible(&model, &mut dice) else { break };
            let at = model.last_at() + dice.roll(3) as u64;
            let is_accepted = tell(&mut state, &mut model, Stamped { at, record });
            prop_assert!(is_accepted);
            check_actions(&state);
        }
        prop_assert_eq!(State::fold(model.records.clone()).unwrap(), state);
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing(numbers in numbers()) {
        let (mut state, mut model) = begin();
        let mut dice = Dice::new(numbers);
        while !dice.is_used_up() {
            let record = match dice.roll(3) {
                0 => sensible(&model, &mut dice),
                _ => None,
            };
            let record = record.unwrap_or_else(|| senseless(&model, &mut dice));
            let at = (model.last_at() + dice.roll(4) as u64).saturating_sub(1);
            tell(&mut state, &mut model, Stamped { at, record });
        }
    }

    #[test]
    fn nothing_follows_the_end(numbers in numbers()) {
        let (mut state, mut model) = begin();
        let mut dice = Dice::new(numbers);
        let end = crate::saga::End::Failed { by: super::records::by("fail"), left: 0 };
        let at = model.last_at();
        let is_accepted = tell(&mut state, &mut model, Stamped { at, record: Record::Ended { end } });
        prop_assert!(is_accepted);
        while !dice.is_used_up() {
            let record = senseless(&model, &mut dice);
            let is_accepted = tell(&mut state, &mut model, Stamped { at, record });
            prop_assert!(!is_accepted);
        }
        prop_assert_eq!(state.actions(), []);
    }
}
