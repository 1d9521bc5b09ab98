mod differential;
mod model;
mod play;
mod program;
mod records;
mod runs;

use self::records::{answer, by, started, step};
use super::{Action, State};
use crate::saga::{Cause, Command, End, Outcome, Parked, Record, Stamped, Undone};

/// What may follow a run's beginning.
struct Run(State);

impl Run {
    fn begin() -> Self {
        Self(State::begin(started(1_000)).unwrap())
    }

    /// Records this, and answers what is asked next.
    fn record(&mut self, record: Record) -> Vec<Action> {
        let at = self.0.updated_at() + 1;
        self.0.apply(Stamped { at, record }).unwrap()
    }

    fn ask(&mut self, command: Command) -> Vec<Action> {
        let ordinal = self.0.commands();
        self.record(Record::Issued { ordinal, command })
    }

    fn end(&mut self, ordinal: u32, outcome: Outcome) -> Vec<Action> {
        self.record(completed(ordinal, outcome))
    }

    /// Opens a scope with these undo entries.
    fn open(&mut self, entries: u32) -> u32 {
        let scope = self.0.commands();
        let name = "order".to_owned();
        self.ask(Command::Open { name });
        for number in 0..entries {
            let undo = step(number);
            self.ask(Command::Register { scope, undo });
        }
        scope
    }

    fn roll_back(&mut self, scope: u32) -> Vec<Action> {
        let reason = "changed its mind".to_owned();
        self.ask(Command::Rollback { scope, reason })
    }

    fn undone(&mut self, ordinal: u32, how: Undone) -> Vec<Action> {
        self.record(Record::Undone { ordinal, how })
    }

    /// Why this cannot follow.
    fn refuse(&mut self, record: Record) -> String {
        let at = self.0.updated_at() + 1;
        self.0
            .apply(Stamped { at, record })
            .unwrap_err()
            .to_string()
    }
}

fn completed(ordinal: u32, outcome: Outcome) -> Record {
    Record::Completed {
        ordinal,
        outcome,
        by: None,
    }
}

fn wait(timeout_ms: Option<u64>) -> Command {
    let signal = "paid".to_owned();
    Command::Wait { signal, timeout_ms }
}

fn signal(id: &str) -> Record {
    Record::Signalled {
        id: id.to_owned(),
        name: "paid".to_owned(),
        payload: id.as_bytes().to_vec(),
    }
}

fn received(ordinal: u32, id: &str) -> Action {
    let outcome = Outcome::Signal(id.as_bytes().to_vec());
    Action::Record(Box::new(completed(ordinal, outcome)))
}

#[test]
fn a_journal_begins_with_its_start() {
    let record = Record::OwnerChanged { epoch: 1 };
    let refused = State::fold([Stamped { at: 1, record }]).unwrap_err();
    insta::assert_snapshot!(refused, @"record 0 cannot follow: a journal begins with how the run was started");
    insta::assert_snapshot!(State::fold([]).unwrap_err(), @"record 0 cannot follow: the journal is empty");
}

#[test]
fn a_timer_that_nobody_waits_for_does_not_hold_the_end() {
    let mut run = Run::begin();
    run.ask(Command::Sleep { milliseconds: 9 });
    run.ask(Command::Step(step(1)));
    let ended = Record::Ended {
        end: End::Completed { answer: None },
    };
    insta::assert_snapshot!(run.refuse(ended.clone()), @"record 3 cannot follow: the run is not where it can end like this");
    run.end(1, answer(0));
    assert_eq!(run.record(ended), []);
}

#[test]
fn two_waits_for_one_signal_receive_one_each() {
    let mut run = Run::begin();
    run.ask(wait(None));
    run.ask(wait(Some(2)));
    let actions = run.record(signal("first"));
    assert_eq!(
        actions,
        [Action::Play, received(0, "first"), Action::Timer(1, 3_002)]
    );
    let actions = run.record(signal("second"));
    assert_eq!(
        actions,
        [Action::Play, received(0, "first"), received(1, "second")]
    );
}

#[test]
fn an_entry_is_asked_for_once_where_two_scopes_roll_back() {
    let mut run = Run::begin();
    let (one, other) = (run.open(1), run.open(1));
    run.roll_back(one);
    let actions = run.roll_back(other);
    assert_eq!(actions, [Action::Play, Action::Undo(3)]);
    let actions = run.undone(3, Undone::Done);
    assert_eq!(actions, [Action::Play, Action::Undo(1)]);
}

#[test]
fn a_rollback_waits_for_the_steps_that_still_run() {
    let mut run = Run::begin();
    let scope = run.open(0);
    run.ask(Command::Step(step(1)));
    let actions = run.roll_back(scope);
    assert_eq!(actions, [Action::Play, Action::Dispatch(1)]);
    let ended = completed(2, Outcome::RolledBack { skipped: 0 });
    insta::assert_snapshot!(run.refuse(ended.clone()), @"record 4 cannot follow: number 2 cannot end like this");
    let actions = run.end(1, answer(0));
    assert_eq!(actions, [Action::Play, Action::Record(Box::new(ended))]);
}

#[test]
fn an_end_tells_how_many_entries_were_skipped() {
    let mut run = Run::begin();
    run.open(2);
    let cause = Cause::Uncommitted;
    run.record(Record::RollbackStarted {
        cause: cause.clone(),
    });
    run.undone(2, Undone::Skipped(by("skip")));
    run.undone(1, Undone::Done);
    let ended = |skipped: u32| Record::Ended {
        end: End::RolledBack {
            cause: cause.clone(),
            skipped,
        },
    };
    insta::assert_snapshot!(run.refuse(ended(0)), @"record 7 cannot follow: the run is not where it can end like this");
    let asked = run.0.actions();
    assert_eq!(asked, [Action::Record(Box::new(ended(1)))]);
    run.record(ended(1));
}

#[test]
fn a_run_that_rolls_back_gives_up_on_its_steps_first() {
    let mut run = Run::begin();
    run.open(1);
    run.ask(Command::Step(step(1)));
    let cause = Cause::Asked(by("rollback"));
    let actions = run.record(Record::RollbackStarted { cause });
    assert_eq!(actions, [Action::Settle(2)]);
    let error = "timed out".to_owned();
    let actions = run.end(2, Outcome::Abandoned { error });
    assert_eq!(actions, [Action::Undo(1)]);
}

#[test]
fn a_parked_run_asks_for_nothing_and_its_code_does_not_run() {
    let mut run = Run::begin();
    run.ask(Command::Step(step(1)));
    let reason = Parked::HistoryFull { limit: 1 };
    assert_eq!(run.record(Record::Parked { reason }), []);
    let (ordinal, command) = (1, Command::Step(step(2)));
    insta::assert_snapshot!(run.refuse(Record::Issued { ordinal, command }), @"record 3 cannot follow: the run's code does not run");
    // What was under way may still end.
    assert_eq!(run.end(0, answer(0)), []);
    let actions = run.record(Record::Resumed { by: by("retry") });
    assert_eq!(actions, [Action::Play]);
}
