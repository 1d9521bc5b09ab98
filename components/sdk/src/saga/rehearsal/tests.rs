//! Sentences about rehearsals, over a plan with two scopes.

use std::cell::Cell;

use super::*;
use crate::saga::{Scope, status, wait};

/// How often each effect has happened: the first step, the second, and the undo of the second.
#[derive(Clone, Default)]
struct Counts(Rc<[Cell<u32>; 3]>);

impl Counts {
    fn add(&self, at: usize) {
        self.0[at].set(self.0[at].get() + 1);
    }

    fn read(&self) -> [u32; 3] {
        [0, 1, 2].map(|at| self.0[at].get())
    }
}

/// Two steps, the second of which may be refused; then a wait.
fn plan(counts: &Counts, refused: bool) -> Result<Vec<u8>, WaitError> {
    let outer = Scope::new("outer");
    outer.register("outer", || Ok(()));
    step("one", || counts.add(0));
    let inner = Scope::new("inner");
    let undone = counts.clone();
    inner.register("two", move || {
        undone.add(2);
        Ok(())
    });
    status("half-way");
    if !step("two", || {
        counts.add(1);
        !refused
    }) {
        inner.rollback("it was refused");
        outer.commit();
        return Ok(Vec::new());
    }
    inner.commit();
    let signal = wait("go", Some(1_000));
    outer.commit();
    signal
}

#[test]
fn each_step_happens_once_however_often_the_plan_is_played() {
    let (counts, mut run) = (Counts::default(), Run::default());
    assert_eq!(
        run.play(0, || plan(&counts, false)),
        Played::Paused("one".to_owned())
    );
    assert_eq!(
        run.play(1, || plan(&counts, false)),
        Played::Paused("two".to_owned())
    );
    for _ in 0..2 {
        let waits = Played::Waits("wait(go, 1000 ms)".to_owned());
        assert_eq!(run.finish(|| plan(&counts, false)), waits);
    }
    run.send(b"now");
    assert_eq!(
        run.finish(|| plan(&counts, false)),
        Played::Ended(Ok(b"now".to_vec()))
    );
    assert_eq!(counts.read(), [1, 1, 0]);
    insta::assert_snapshot!(run.trace(), @"one two wait(go, 1000 ms)");
    assert_eq!(run.statuses(), ["half-way"]);
}

#[test]
fn what_is_rolled_back_is_undone_and_what_is_committed_is_not() {
    let (counts, mut run) = (Counts::default(), Run::default());
    assert_eq!(
        run.finish(|| plan(&counts, true)),
        Played::Ended(Ok(Vec::new()))
    );
    assert_eq!(counts.read(), [1, 1, 1]);
    insta::assert_snapshot!(run.trace(), @"one two undo-two");
}

#[test]
fn a_run_that_is_cancelled_undoes_what_is_open_newest_first() {
    let (counts, mut run) = (Counts::default(), Run::default());
    run.play(1, || plan(&counts, false));
    run.cancel();
    assert_eq!(run.finish(|| plan(&counts, false)), Played::RolledBack);
    insta::assert_snapshot!(run.trace(), @"one undo-two undo-outer");
    assert_eq!(run.finish(|| plan(&counts, false)), Played::RolledBack);
    assert_eq!(counts.read(), [1, 0, 1], "nothing is undone twice");
}

#[test]
fn a_step_whose_answer_is_lost_has_happened_once_and_is_undone() {
    let (counts, mut run) = (Counts::default(), Run::default());
    run.play(1, || plan(&counts, false));
    run.cancel_midway();
    for _ in 0..2 {
        assert_eq!(run.finish(|| plan(&counts, false)), Played::RolledBack);
    }
    assert_eq!(counts.read(), [1, 1, 1]);
    insta::assert_snapshot!(run.trace(), @"one two undo-two undo-outer");
}

#[test]
fn an_undo_that_is_refused_parks_the_run() {
    let parked = Run::default().finish(|| {
        Scope::new("one").register("back", || Err("no way back".to_owned()));
    });
    assert_eq!(parked, Played::Parked("back: no way back".to_owned()));
}

#[test]
fn a_plan_that_does_something_else_when_played_again_is_noticed() {
    let mut run = Run::default();
    run.play(1, || step("one", || ()));
    let other = panic::catch_unwind(AssertUnwindSafe(|| run.finish(|| step("two", || ()))));
    assert!(other.is_err());
}

proptest::proptest! {
    #[test]
    fn whatever_is_registered_and_not_committed_is_undone_once_newest_first(
        inner in proptest::collection::vec(proptest::bool::ANY, 0..20),
        committed in proptest::bool::ANY,
    ) {
        let mut run = Run::default();
        let played = run.finish(|| {
            let scopes = [Scope::new("outer"), Scope::new("inner")];
            for (number, inner) in inner.iter().enumerate() {
                scopes[usize::from(*inner)].register(&number.to_string(), || Ok(()));
            }
            let [_outer, inner] = scopes;
            if committed {
                inner.commit();
            }
        });
        proptest::prop_assert_eq!(played, Played::Ended(()));
        let undone: Vec<String> = (0..inner.len())
            .rev()
            .filter(|number| !(inner[*number] && committed))
            .map(|number| format!("undo-{number}"))
            .collect();
        proptest::prop_assert_eq!(run.trace(), undone.join(" "));
    }
}
