use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use proptest::prelude::*;

use super::{BACKLOG, Moment, Noted, Place, Schedule, Tries};

const START: Moment = Duration::ZERO;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Unread,
    Waiting { failures: u32, since: Moment },
    Running { failures: u32 },
    Done,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Add,
    Begin,
    Finish(u64),
    Fail(u64),
    Pass(Moment),
}

/// A schedule beside a simple model of it: a list of events and what has become of each.
#[derive(Clone)]
struct World {
    schedule: Schedule,
    concurrency: usize,
    keys: Vec<u8>,
    states: Vec<State>,
    handled: BTreeSet<u64>,
    now: Moment,
}

impl World {
    fn new(concurrency: usize, keys: &[u8]) -> Self {
        Self {
            schedule: Schedule::new(concurrency, 1_000),
            concurrency,
            keys: keys.into(),
            states: vec![State::Unread; keys.len()],
            handled: BTreeSet::new(),
            now: START,
        }
    }

    /// Sequence numbers have gaps.
    fn sequences(&self) -> impl Iterator<Item = (u64, u8, State)> {
        (1..)
            .step_by(3)
            .zip(&self.keys)
            .zip(&self.states)
            .map(|((s, key), state)| (s, *key, *state))
    }

    fn state(&mut self, sequence: u64) -> &mut State {
        &mut self.states[usize::try_from(sequence / 3).unwrap()]
    }

    /// All that may happen next; an event fails twice at most.
    fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.sequences().any(|(_, _, state)| state == State::Unread) {
            actions.push(Action::Add);
        }
        for (sequence, _, state) in self.sequences() {
            if let State::Running { failures } = state {
                actions.push(Action::Finish(sequence));
                actions.extend((failures < 2).then_some(Action::Fail(sequence)));
            }
        }
        if self.schedule.next(self.now).is_some() {
            actions.push(Action::Begin);
        } else if let Some(due) = self.schedule.next_due() {
            actions.push(Action::Pass(due));
        }
        actions
    }

    fn after(&self, action: Action) -> Self {
        let mut next = self.clone();
        next.act(action);
        next
    }

    fn act(&mut self, action: Action) {
        let now = self.now;
        match action {
            Action::Add => {
                let (sequence, key, _) = self
                    .sequences()
                    .find(|(_, _, state)| *state == State::Unread)
                    .unwrap();
                let place = self.schedule.add(sequence, &key.to_string(), now);
                let done = self.handled.contains(&sequence);
                assert_eq!(place == Place::Done, done);
                *self.state(sequence) = if done {
                    State::Done
                } else {
                    State::Waiting {
                        failures: 0,
                        since: now,
                    }
                };
            }
            Action::Begin => self.begin(),
            Action::Finish(sequence) => {
                self.schedule.finish(sequence, now);
                *self.state(sequence) = State::Done;
            }
            Action::Fail(sequence) => {
                let State::Running { failures } = *self.state(sequence) else {
                    panic!("{sequence}")
                };
                let (failures, since) = (failures + 1, now + Duration::from_secs(1));
                self.schedule.fail(
                    sequence,
                    Tries {
                        attempts: failures,
                        row: failures,
                    },
                    since,
                );
                *self.state(sequence) = State::Waiting { failures, since };
            }
            Action::Pass(due) => {
                assert!(due > now, "nothing can begin, so the next one is due later");
                self.now = due;
            }
        }
        self.check();
    }

    fn begin(&mut self) {
        let sequence = self.schedule.next(self.now).unwrap();
        let State::Waiting { failures, since } = *self.state(sequence) else {
            panic!("{sequence} is not waiting");
        };
        assert!(since <= self.now, "{sequence} is not due");
        let key = self.keys[usize::try_from(sequence / 3).unwrap()];
        let earlier = self
            .sequences()
            .take_while(|(other, _, _)| *other < sequence);
        assert!(
            earlier
                .filter(|(_, other, _)| *other == key)
                .all(|(_, _, state)| state == State::Done),
            "{sequence} overtakes one of its key",
        );
        assert_eq!(self.schedule.begin(sequence).unwrap().attempts, failures);
        assert_eq!(self.schedule.begin(sequence), None, "begun twice");
        *self.state(sequence) = State::Running { failures };
    }

    fn check(&self) {
        let running: Vec<_> = self
            .sequences()
            .filter(|(_, _, state)| matches!(state, State::Running { .. }))
            .collect();
        assert!(running.len() <= self.concurrency);
        let keys: BTreeSet<_> = running.iter().map(|(_, key, _)| key).collect();
        assert_eq!(keys.len(), running.len(), "one at once for each key");
        let read: Vec<_> = self
            .sequences()
            .filter(|(_, _, state)| *state != State::Unread)
            .collect();
        let undone: Vec<_> = read
            .iter()
            .filter(|(_, _, state)| *state != State::Done)
            .collect();
        assert_eq!(self.schedule.undone(), undone.len());
        let oldest = undone.first().map(|(sequence, _, _)| *sequence);
        let cursor = oldest.map_or(read.last().map_or(0, |last| last.0), |sequence| {
            sequence - 1
        });
        assert_eq!(
            self.schedule.cursor(),
            cursor,
            "everything up to the cursor is done, and no more"
        );
    }

    fn assert_all_done(&self) {
        assert!(
            self.states.iter().all(|state| *state == State::Done),
            "{:?}",
            self.states
        );
        assert!(self.schedule.keys.is_empty() && self.schedule.waiting.is_empty());
        assert_eq!(self.schedule.running, 0);
    }
}

/// The ways to share four events among keys, each once: renaming the keys changes nothing.
fn ways_to_share() -> impl Iterator<Item = [u8; 4]> {
    let all = (0..64_u8).map(|number| [0, number % 4, number / 4 % 4, number / 16]);
    all.filter(|keys| {
        let mut known = 0;
        keys.iter().all(|key| {
            known += u8::from(*key == known);
            *key < known
        })
    })
}

/// Goes every way from `world` and counts where they end.
fn explore(world: World) -> usize {
    let mut ends = 0;
    let mut seen = HashSet::new();
    let mut open = vec![world];
    while let Some(world) = open.pop() {
        if !seen.insert((world.states.clone(), world.now)) {
            continue;
        }
        let actions = world.actions();
        if actions.is_empty() {
            world.assert_all_done();
            ends += 1;
        }
        open.extend(actions.into_iter().map(|action| world.after(action)));
    }
    ends
}

#[test]
fn every_way_through_four_events_keeps_order_and_ends_with_all_of_them_done() {
    assert_eq!(ways_to_share().count(), 15);
    for keys in ways_to_share() {
        for concurrency in 1..=3 {
            assert!(explore(World::new(concurrency, &keys)) > 0);
        }
    }
}

proptest! {
    #[test]
    fn any_history_keeps_order_and_ends_with_all_events_done(
        keys in prop::collection::vec(0..6_u8, 1..60),
        concurrency in 1..5_usize,
        handled in prop::collection::btree_set(0..60_u64, 0..20),
        choices in prop::collection::vec(any::<usize>(), 0..200),
    ) {
        let mut world = World::new(concurrency, &keys);
        world.handled = handled.into_iter().map(|index| index * 3 + 1).collect();
        world.schedule = world.schedule.resume(0, world.handled.clone(), BTreeMap::new());
        for choice in choices.into_iter().chain(std::iter::repeat(0)) {
            let actions = world.actions();
            if actions.is_empty() {
                break;
            }
            world.act(actions[choice % actions.len()]);
        }
        world.assert_all_done();
    }

    #[test]
    fn where_all_keys_are_due_each_gets_its_turn_in_each_round(
        keys in 1..20_u64,
        failing in prop::collection::btree_set(0..20_u64, 0..20),
    ) {
        let mut schedule = Schedule::new(1, 1_000);
        for sequence in 1..=keys * 10 {
            schedule.add(sequence, &(sequence % keys).to_string(), START);
        }
        let mut now = START;
        for round in 0..10 {
            let mut turns = BTreeSet::new();
            for _ in 0..keys {
                now += Duration::from_nanos(1);
                let sequence = schedule.next(now).unwrap();
                let tries = schedule.begin(sequence).unwrap();
                turns.insert(sequence % keys);
                if failing.contains(&(sequence % keys)) {
                    schedule.fail(sequence, tries, now);
                } else {
                    schedule.finish(sequence, now);
                }
            }
            prop_assert_eq!(turns, (0..keys).collect::<BTreeSet<_>>(), "round {}", round);
        }
    }
}

#[test]
fn a_poisoned_key_with_thousands_of_events_delays_nobody() {
    let mut schedule = Schedule::new(4, 100);
    for sequence in 1..=5_000 {
        assert!(schedule.room(START) > 0, "at {sequence}");
        schedule.add(sequence, "poisoned", START);
    }
    schedule.begin(1).unwrap();
    schedule.fail(
        1,
        Tries {
            attempts: 1,
            row: 1,
        },
        Duration::from_secs(30),
    );
    assert_eq!(schedule.next(START), None);
    assert!(schedule.room(START) > 0);
    schedule.add(5_001, "sound", START);
    assert_eq!(schedule.next(START), Some(5_001));
    assert_eq!(schedule.behind(1).count(), 4_999);
}

#[test]
fn what_is_held_is_bounded() {
    let mut one_key = Schedule::new(4, 100);
    let mut sequence = 0;
    while one_key.room(START) > 0 {
        sequence += 1;
        one_key.add(sequence, "same", START);
    }
    assert_eq!(one_key.undone(), 100 * BACKLOG);

    let mut many_keys = Schedule::new(4, 100);
    let later = Noted {
        attempts: 1,
        retry_at: Duration::from_secs(1),
    };
    many_keys = many_keys.resume(0, BTreeSet::new(), (1..1_000).map(|s| (s, later)).collect());
    sequence = 0;
    while many_keys.room(START) > 0 {
        sequence += 1;
        many_keys.add(sequence, &sequence.to_string(), START);
    }
    assert_eq!(many_keys.undone(), 100);
}

#[test]
fn reading_stops_while_there_is_enough_to_begin() {
    let mut schedule = Schedule::new(4, 100);
    for sequence in 1..=51 {
        schedule.add(sequence, &sequence.to_string(), START);
    }
    assert_eq!(schedule.room(START), 0);
    schedule.begin(1);
    assert_eq!(schedule.room(START), 49);
}

#[test]
fn a_noted_failure_counts_on_where_it_stopped_and_waits_for_its_time() {
    let noted = Noted {
        attempts: 5,
        retry_at: Duration::from_secs(3),
    };
    let mut schedule =
        Schedule::new(4, 100).resume(10, BTreeSet::from([12]), BTreeMap::from([(13, noted)]));
    assert_eq!(
        schedule.add(9, "a", START),
        Place::Done,
        "it is before the cursor"
    );
    assert_eq!(schedule.add(11, "a", START), Place::Head);
    assert_eq!(schedule.add(12, "a", START), Place::Done);
    assert_eq!(schedule.add(13, "a", START), Place::Behind);
    schedule.begin(11).unwrap();
    schedule.finish(11, START);
    assert_eq!((schedule.next(START), schedule.cursor()), (None, 12));
    assert_eq!(schedule.next_due(), Some(Duration::from_secs(3)));
    assert_eq!(
        schedule.begin(13),
        Some(Tries {
            attempts: 5,
            row: 5
        })
    );
}

#[test]
fn the_cursor_follows_events_that_are_for_others() {
    let mut schedule = Schedule::new(4, 100).resume(0, BTreeSet::from([5, 50]), BTreeMap::new());
    schedule.read_to(40);
    assert_eq!(schedule.cursor(), 40);
    assert_eq!(schedule.add(41, "a", START), Place::Head);
    schedule.read_to(45);
    assert_eq!((schedule.cursor(), schedule.read()), (40, 45));
    assert_eq!(schedule.add(50, "a", START), Place::Done);
}

#[test]
fn only_events_that_wait_are_held() {
    let mut schedule = Schedule::new(4, 100);
    for sequence in 1..=2 {
        schedule.add(sequence, "a", START);
    }
    let held = |schedule: &Schedule| [1, 2, 3].map(|sequence| schedule.holds(sequence, "a"));
    assert_eq!(held(&schedule), [true, true, false]);
    schedule.begin(1);
    assert_eq!(held(&schedule), [false, true, false]);
    schedule.finish(1, START);
    assert_eq!(held(&schedule), [false, true, false]);
}
