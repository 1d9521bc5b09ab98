//! Answers that do not come: of steps, of undo entries, and of the journal.

use std::time::Duration;

use skald_core::saga::{Verb, journal::Standing};
use tokio::time::timeout;

use super::{Calm, Options, pairs};
use crate::{
    Failure, expect,
    ledger::{Fault, Plan},
    program::{Fate, Node, guarded, scope},
    shapes::{self, Shape},
    shelf::Trouble,
    story,
    world::{Host, SAGA, World},
};

/// Each step of each shape goes wrong in each way that is tried again.
pub(super) fn steps(options: &Options) -> Result<(), Failure> {
    steps_in(options, shapes::all(), 1)
}

/// The same in these shapes, and so many of these where time is short.
pub(super) fn steps_in(options: &Options, shapes: Vec<Shape>, every: usize) -> Result<(), Failure> {
    let faults = [
        Fault::Before,
        Fault::Halfway,
        Fault::After,
        Fault::Hang,
        Fault::Trap,
        Fault::Busy,
        Fault::Slow(3_000),
        Fault::Panic,
    ];
    for shape in shapes {
        let calm = Calm::of(shape)?;
        for (fault, step) in options.some(every, pairs(faults, calm.steps(false))) {
            let shape = calm.shape.clone().faulty(step, [fault, fault]);
            let what = || format!("shape: {}, {fault:?} at step {step}", shape.name);
            options.play(what, || {
                calm.compare(&story::play(&World::new(&shape), &shape)?)
            })?;
        }
    }
    Ok(())
}

/// Each append goes wrong in each way, once and several times.
pub(super) fn appends(options: &Options) -> Result<(), Failure> {
    appends_in(options, shapes::all(), 1)
}

/// The same in these shapes, and so many of these where time is short.
pub(super) fn appends_in(
    options: &Options,
    shapes: Vec<Shape>,
    every: usize,
) -> Result<(), Failure> {
    let troubles = [
        Trouble::Lost,
        Trouble::Unavailable,
        Trouble::Full,
        Trouble::Unreadable,
    ];
    for shape in shapes {
        let calm = Calm::of(shape)?;
        let appends = 1..=calm.world.shelf.appends();
        let all = pairs(appends, pairs(troubles, [1, 3, 20]));
        for (append, (trouble, length)) in options.some(every, all) {
            let what = || {
                format!(
                    "shape: {}, {trouble:?} at append {append}, {length} times",
                    calm.shape.name
                )
            };
            options.play(what, || {
                let world = World::new(&calm.shape);
                world
                    .shelf
                    .trouble((append..append + length).map(|at| (at, trouble)));
                calm.compare(&story::play(&world, &calm.shape)?)
            })?;
        }
    }
    Ok(())
}

/// Whoever asks for the end again and again is not told of it before it is durable.
pub(super) fn waiters(options: &Options) -> Result<(), Failure> {
    for shape in shapes::all() {
        let calm = Calm::of(shape)?;
        let last = calm.world.shelf.appends();
        for (append, trouble) in pairs(1..=last, [Trouble::Unavailable, Trouble::Lost]) {
            let what = || format!("shape: {}, {trouble:?} at append {append}", calm.shape.name);
            let troubles = (append..append + 3).map(|at| (at, trouble));
            options.play(what, || {
                let world = World::new(&calm.shape);
                world.shelf.trouble(troubles);
                let ending = story::play_with(&world, &calm.shape, told_in_time)?;
                calm.compare(&ending)
            })?;
        }
    }
    Ok(())
}

async fn told_in_time(host: &Host) -> Result<(), Failure> {
    let run = story::start(host, SAGA, "key").await?;
    // For a while: a run may sleep for a day.
    for _ in 0..100 {
        // Those who gave up waiting must not be waited for.
        let asked = timeout(Duration::from_millis(200), host.sagas.end_of(&run)).await;
        if matches!(asked, Ok(Ok(_))) {
            let mut all = host.shelf.summaries().into_iter();
            let is_durable = all.all(|one| one.standing.is_end());
            return expect(is_durable, || {
                "I4 ack is durable: an end is told that is in no journal".to_owned()
            });
        }
    }
    Ok(())
}

/// Two steps, and a third that is refused.
fn undone() -> Shape {
    let body = [guarded(1), guarded(2), guarded(3)].concat();
    Shape::new("undone", [scope(body, Fate::Commit), Node::Call(4)]).refused(3)
}

/// Undo entries that fail a few times are done; those that fail for ever wait for a person, and nothing is lost.
pub(super) fn undos(options: &Options) -> Result<(), Failure> {
    let calm = Calm::of(undone())?;
    let faults = [Fault::Before, Fault::After, Fault::Hang, Fault::Trap];
    for (fault, (step, times)) in pairs(faults, pairs(1..=3, [1, 5])) {
        let mut shape = undone();
        shape.plan.undo(step, vec![fault; times]);
        let what = || format!("undo of step {step}, {times} times {fault:?}");
        options.play(what, || {
            calm.compare(&story::play(&World::new(&shape), &shape)?)
        })?;
    }
    let verbs = [Verb::Retry, Verb::Skip { answer: None }, Verb::Fail];
    let endless = faults.into_iter().chain([Fault::Refuse]);
    for (fault, (step, verb)) in pairs(endless, pairs(1..=3, verbs)) {
        let what = || {
            format!(
                "undo of step {step}, {fault:?} for ever, then {}",
                verb.name()
            )
        };
        options.play(what, || for_ever(step, fault, &verb))?;
    }
    Ok(())
}

/// It waits for a person with all that is left to undo; then the person acts, on another host.
fn for_ever(step: u32, fault: Fault, verb: &Verb) -> Result<(), Failure> {
    let mut shape = undone();
    shape.plan.always(step, true, fault);
    let world = World::new(&shape);
    let ending = story::play(&world, &shape)?;
    expect(ending.standing == Standing::Parked, || {
        format!("the run is {:?}", ending.standing)
    })?;
    // Entries are undone newest first, and each one that is left waits behind this one.
    let is_before_effect = matches!(fault, Fault::Before | Fault::Refuse);
    let expected = if is_before_effect { step } else { step - 1 };
    let is_left = |one: &u32| !ending.effects.contains(&(*one, true));
    let left = (1..=3).filter(is_left).count();
    expect(u32::try_from(left) == Ok(expected), || {
        format!("{left} entries are left to undo, and not {expected}")
    })?;
    let mut plan = Plan::default();
    plan.refuse(3);
    world.ledger.replan(plan);
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let acted = host.act(&host.run()?, verb.clone()).await;
        acted.map_err(|error| Failure::new(error.to_string()))?;
        host.quiet().await
    })?;
    lived.unwrap_or(Ok(()))?;
    world.check()?;
    let standing = story::ending(&world)?.standing;
    let is_failed = *verb == Verb::Fail;
    let expected = if is_failed {
        Standing::Failed
    } else {
        Standing::RolledBack
    };
    expect(standing == expected, || {
        format!("after it, the run is {standing:?}")
    })
}
