//! Each answer of each service, and every moment at which somebody may cancel the run. What becomes of the books, also
//! when the checkout is at work, is tested with the rules of all services, in the checkout's `tests/shop`.

use std::{cell::RefCell, rc::Rc};

use sdk::saga::rehearsal::{Played, Run, step};

use super::*;

/// Services that do nothing but answer what they are told to.
struct Answers {
    begin: Result<Standing, Refusal>,
    call_off: Result<(), Refusal>,
    told: Rc<RefCell<Vec<String>>>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            begin: Ok(Standing::Confirmed),
            call_off: Ok(()),
            told: Rc::default(),
        }
    }
}

impl Services for Answers {
    fn begin(&self, _: &str) -> Result<Standing, Refusal> {
        step("begin", || self.begin.clone())
    }

    fn call_off(&self, _: &str) -> Result<(), Refusal> {
        step("call-off", || self.call_off.clone())
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
        self.told.borrow_mut().push(reason.to_owned());
        step("refuse", || Ok(()))
    }

    fn register(&self, scope: &Scope, undo: Undo, _: &str) {
        scope.register(&format!("{undo:?}").to_lowercase(), || Ok(()));
    }
}

fn play(answers: &Answers) -> String {
    let mut run = Run::default();
    let Played::Ended(ended) = run.finish(|| super::run(answers, "ord_1")) else {
        panic!("the run does not end: {}", run.trace());
    };
    let told = answers.told.borrow().join(" ");
    let line = format!("{:?}: {} {told}", ended.unwrap(), run.trace());
    line.trim_end().to_owned()
}

#[test]
fn every_answer_leads_to_an_end() {
    let ended = Refusal::NotOpen("the order has ended: Rejected".to_owned());
    let lines = [
        Answers::default(),
        Answers {
            begin: Ok(Standing::Pending),
            ..Answers::default()
        },
        Answers {
            begin: Err(ended),
            ..Answers::default()
        },
        Answers {
            call_off: Err(Refusal::Shipped),
            ..Answers::default()
        },
        Answers {
            call_off: Err(Refusal::Invalid("no such order".to_owned())),
            ..Answers::default()
        },
    ]
    .map(|answers| play(&answers));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Cancelled: begin call-off refund release finish
    Withdrawn: begin
    NothingToDo(NotOpen("the order has ended: Rejected")): begin
    Refused(Shipped): begin call-off refuse It is on its way already.
    Refused(Invalid("no such order")): begin call-off refuse The order could not be cancelled.
    "#);
}

#[test]
fn a_run_that_is_cancelled_keeps_the_order_until_the_carrier_is_called_off_and_undoes_nothing_after_that()
 {
    let answers = Answers::default();
    let mut lines = Vec::new();
    for steps in 0..5 {
        let mut run = Run::default();
        run.play(steps, || super::run(&answers, "ord_1"));
        run.cancel();
        assert_eq!(
            run.finish(|| super::run(&answers, "ord_1")),
            Played::RolledBack
        );
        lines.push(run.trace());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    undo-refuse
    begin undo-reinstate undo-refuse
    begin call-off
    begin call-off refund
    begin call-off refund release
    ");
}

#[test]
fn people_are_told_where_the_run_is() {
    let mut run = Run::default();
    run.finish(|| super::run(&Answers::default(), "ord_1"));
    insta::assert_snapshot!(run.statuses().join("\n"), @r"
    Finding out how far the order has come
    Calling the carrier off
    Giving the money back
    Putting the goods back
    Cancelled
    ");
}
