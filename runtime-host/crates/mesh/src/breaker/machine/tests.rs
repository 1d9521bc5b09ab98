use std::time::Duration;

use proptest::{collection::vec, prelude::*};

use super::{Admission, Config, Machine, Outcome, Ticket, Turn};

const SECOND: Duration = Duration::from_secs(1);

fn machine() -> Machine {
    Machine::new(Config::default())
}

fn record(machine: &mut Machine, now: Duration, outcome: Outcome) -> Option<Turn> {
    machine.record(now, Ticket::Ordinary, outcome, || 0.0)
}

/// A machine that opened at time 0, for one second.
fn opened() -> Machine {
    let mut machine = machine();
    for _ in 0..6 {
        assert_eq!(record(&mut machine, Duration::ZERO, Outcome::Failure), None);
    }
    let turn = record(&mut machine, Duration::ZERO, Outcome::Failure);
    assert_eq!(turn, Some(Turn::Opened(SECOND)));
    machine
}

#[test]
fn seven_failures_in_a_row_open_it() {
    let mut machine = opened();
    let rejected = Admission::Reject {
        retry_after: Duration::from_millis(600),
    };
    assert_eq!(machine.admit(Duration::from_millis(400)), rejected);
}

#[test]
fn a_success_starts_the_row_anew() {
    let mut machine = machine();
    // More successes than failures by far, or the ratio would open it.
    for _ in 0..40 {
        record(&mut machine, Duration::ZERO, Outcome::Success);
    }
    for _ in 0..6 {
        record(&mut machine, SECOND, Outcome::Failure);
    }
    record(&mut machine, SECOND, Outcome::Success);
    assert_eq!(record(&mut machine, SECOND, Outcome::Failure), None);
}

#[test]
fn too_few_successes_among_twenty_calls_open_it() {
    let mut machine = machine();
    let outcomes = [Outcome::Success, Outcome::Success, Outcome::Failure];
    let turns: Vec<_> = outcomes
        .into_iter()
        .cycle()
        .take(21)
        .map(|outcome| record(&mut machine, SECOND, outcome))
        .collect();
    assert_eq!(turns.iter().position(Option::is_some), Some(20));
}

#[test]
fn failures_of_long_ago_do_not_count() {
    let mut machine = machine();
    for second in 0..200 {
        let outcome = if second % 3 == 0 {
            Outcome::Failure
        } else {
            Outcome::Success
        };
        assert_eq!(record(&mut machine, SECOND * second, outcome), None);
    }
}

#[test]
fn ends_that_say_nothing_change_nothing() {
    let mut machine = machine();
    for _ in 0..1_000 {
        assert_eq!(record(&mut machine, SECOND, Outcome::Unknown), None);
    }
    assert_eq!(machine.admit(SECOND), Admission::Pass(Ticket::Ordinary));
}

#[test]
fn one_probe_at_a_time_is_let_through_after_the_pause() {
    let mut machine = opened();
    assert_eq!(machine.admit(SECOND), Admission::Pass(Ticket::Probe));
    assert_eq!(
        machine.admit(SECOND),
        Admission::Reject {
            retry_after: SECOND
        }
    );
    // Calls from before the opening say nothing about the probe.
    assert_eq!(record(&mut machine, SECOND, Outcome::Success), None);
    assert_eq!(
        machine.admit(SECOND),
        Admission::Reject {
            retry_after: SECOND
        }
    );
    let turn = machine.record(SECOND, Ticket::Probe, Outcome::Success, || 0.0);
    assert_eq!(turn, Some(Turn::Closed));
    assert_eq!(machine.admit(SECOND), Admission::Pass(Ticket::Ordinary));
}

#[test]
fn each_failed_probe_doubles_the_pause_up_to_a_minute_and_chance_lengthens_it() {
    let mut machine = opened();
    let mut now = SECOND;
    let mut pauses = Vec::new();
    for round in 0..8 {
        assert_eq!(machine.admit(now), Admission::Pass(Ticket::Probe));
        let outcome = if round % 2 == 0 {
            Outcome::Failure
        } else {
            Outcome::Unknown
        };
        let Some(Turn::Opened(pause)) = machine.record(now, Ticket::Probe, outcome, || 0.0) else {
            panic!("a failed probe opens the breaker again");
        };
        pauses.push(pause.as_secs());
        now += pause;
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);

    machine.admit(now);
    let turn = machine.record(now, Ticket::Probe, Outcome::Failure, || 1.0);
    assert_eq!(turn, Some(Turn::Opened(SECOND * 90)));
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Admit,
    /// The nth of the running calls ends.
    End(usize, Outcome, f64),
}

fn steps() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        Just(Outcome::Success),
        Just(Outcome::Failure),
        Just(Outcome::Unknown)
    ];
    prop_oneof![
        1 => (0_u64..30_000).prop_map(Step::Wait),
        3 => Just(Step::Admit),
        3 => (0_usize..8, outcome, 0.0..1.0).prop_map(|(nth, outcome, chance)| Step::End(nth, outcome, chance)),
    ]
}

proptest! {
    #[test]
    fn it_is_never_stuck_and_never_has_two_probes(steps in vec(steps(), 0..400)) {
        let mut machine = machine();
        let mut now = Duration::ZERO;
        let mut running = Vec::new();
        for step in steps {
            match step {
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Admit => if let Admission::Pass(ticket) = machine.admit(now) {
                    running.push(ticket);
                },
                Step::End(nth, outcome, chance) => if nth < running.len() {
                    let ticket = running.swap_remove(nth);
                    machine.record(now, ticket, outcome, || chance);
                },
            }
            prop_assert!(running.iter().filter(|ticket| **ticket == Ticket::Probe).count() <= 1);
        }
        // Whatever happened: once all calls have ended, however badly, and time has passed, a call passes.
        for ticket in running {
            machine.record(now, ticket, Outcome::Unknown, || 1.0);
        }
        let later = now + Duration::from_secs(90);
        prop_assert!(matches!(machine.admit(later), Admission::Pass(_)));
    }
}
