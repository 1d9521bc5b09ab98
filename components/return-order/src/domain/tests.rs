//! Each decision, none at all, and every moment at which somebody may cancel the run.

use std::{cell::Cell, rc::Rc};

use sdk::saga::rehearsal::{Played, Run, step};

use super::*;

/// Services that do nothing; each look at the clock finds it a day later. The host notes those looks, as it does here.
#[derive(Default)]
struct Calm(Rc<Cell<u64>>);

impl Services for Calm {
    fn now(&self) -> u64 {
        step("now", || {
            self.0.set(self.0.get() + 1);
            self.0.get() * PATIENCE_MILLIS / 14
        })
    }

    fn refund(&self, _: &str) -> Result<(), Refusal> {
        step("refund", || Ok(()))
    }

    fn release(&self, _: &str) -> Result<(), Refusal> {
        step("release", || Ok(()))
    }

    fn finish(&self, _: &str) -> Result<(), Refusal> {
        step("finish", || Ok(()))
    }

    fn refuse(&self, _: &str, reason: &str) -> Result<(), Refusal> {
        step(&format!("refuse({reason})"), || Ok(()))
    }

    fn register_refusal(&self, scope: &Scope, _: &str) {
        scope.register("refuse", || Ok(()));
    }
}

fn plan(services: &Calm) -> Result<Outcome, Refusal> {
    run(services, "ord_1", "too small")
}

/// The steps after which it is known how the return ends, without the looks at the clock.
fn after(signals: &[&str]) -> String {
    let (services, mut run) = (Calm::default(), Run::default());
    for signal in signals {
        assert!(matches!(run.finish(|| plan(&services)), Played::Waits(_)));
        match *signal {
            "" => run.time_out(),
            payload => run.send(payload.as_bytes()),
        }
    }
    let Played::Ended(Ok(_)) = run.finish(|| plan(&services)) else {
        panic!("the run does not end: {}", run.trace());
    };
    run.trace().replace("now ", "")
}

#[test]
fn a_return_ends_as_somebody_decides_or_as_nobody_does() {
    let no = r#"{"approved":false,"note":"It was worn."}"#;
    let yes = r#"{"approved":true}"#;
    let lines = [
        after(&[yes]),
        after(&[no]),
        after(&[""]),
        after(&["yes, please", "{}", yes]),
        after(&["yes, please", ""]),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    wait(decision, 1209600000 ms) refund release finish
    wait(decision, 1209600000 ms) refuse(It was worn.)
    wait(decision, 1209600000 ms) refuse(Nobody decided in time.)
    wait(decision, 1209600000 ms) wait(decision, 1123200000 ms) wait(decision, 1036800000 ms) refund release finish
    wait(decision, 1209600000 ms) wait(decision, 1123200000 ms) refuse(Nobody decided in time.)
    ");
}

#[test]
fn a_decision_that_cannot_be_read_is_told_to_people() {
    let (services, mut run) = (Calm::default(), Run::default());
    run.send(b"yes");
    run.finish(|| plan(&services));
    insta::assert_snapshot!(run.statuses().join("\n"), @r"
    Waiting for approval. Reason: too small
    Waiting for approval; the last decision could not be read (expected value at line 1 column 1). Reason: too small
    ");
}

#[test]
fn a_decision_that_comes_early_is_taken() {
    let (services, mut run) = (Calm::default(), Run::default());
    run.send(br#"{"approved":true}"#);
    assert_eq!(
        run.finish(|| plan(&services)),
        Played::Ended(Ok(Outcome::Returned))
    );
}

#[test]
fn a_run_that_is_cancelled_while_it_waits_refuses_the_return() {
    let (services, mut run) = (Calm::default(), Run::default());
    assert!(matches!(run.finish(|| plan(&services)), Played::Waits(_)));
    run.cancel();
    assert_eq!(run.finish(|| plan(&services)), Played::RolledBack);
    insta::assert_snapshot!(run.trace(), @"now undo-refuse");
}

#[test]
fn a_run_that_is_cancelled_refuses_the_return_until_somebody_has_agreed_and_undoes_nothing_after_that()
 {
    let mut lines = Vec::new();
    for steps in 0..5 {
        let (services, mut run) = (Calm::default(), Run::default());
        run.send(br#"{"approved":true}"#);
        run.play(steps, || plan(&services));
        run.cancel();
        assert_eq!(run.finish(|| plan(&services)), Played::RolledBack);
        lines.push(run.trace());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    undo-refuse
    now undo-refuse
    now wait(decision, 1209600000 ms)
    now wait(decision, 1209600000 ms) refund
    now wait(decision, 1209600000 ms) refund release
    ");
}
