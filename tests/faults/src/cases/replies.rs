//! Answers that do not come: of steps, of undo entries, and of the journal.

use skald_core::saga::{Verb, journal::Standing};

use super::Options;
use crate::{
    Failure, expect,
    ledger::{Fault, Plan},
    program::{Fate, Node, guarded, scope},
    shapes::{self, Shape},
    shelf::Trouble,
    story,
    world::{Host, World},
};

/// Each step of each shape goes wrong in each way that is tried again.
pub(super) fn steps(options: &Options) -> Result<u64, Failure> {
    let faults = [
        Fault::Before,
        Fault::After,
        Fault::Hang,
        Fault::Trap,
        Fault::Busy,
        Fault::Slow(3_000),
        Fault::Panic,
    ];
    let mut worlds = 0;
    for shape in shapes::all() {
        let (expected, _) = story::undisturbed(&shape)?;
        for fault in faults {
            for step in 1..=5 {
                let shape = shape.clone().faulty(step, [fault, fault]);
                let world = World::new(&shape);
                let named = |failure: Failure| {
                    failure.note(format!("shape: {}, {fault:?} at step {step}", shape.name))
                };
                let ending = story::play(&world, &shape).map_err(named)?;
                story::same(&shape, &ending, &expected).map_err(named)?;
                worlds += 1;
                (options.progress)(worlds);
            }
        }
    }
    Ok(worlds)
}

/// Each append goes wrong in each way, once and several times.
pub(super) fn appends(options: &Options) -> Result<u64, Failure> {
    let troubles = [Trouble::Lost, Trouble::Unavailable, Trouble::Full, Trouble::Unreadable];
    let mut worlds = 0;
    for shape in shapes::all() {
        let (expected, calm) = story::undisturbed(&shape)?;
        for trouble in troubles {
            for append in 1..=calm.shelf.appends() {
                for length in [1, 3] {
                    let world = World::new(&shape);
                    world.shelf.trouble((append..append + length).map(|at| (at, trouble)));
                    let named = |failure: Failure| {
                        let what = format!("{trouble:?} at append {append}, {length} times");
                        failure.note(format!("shape: {}, {what}", shape.name))
                    };
                    let ending = story::play(&world, &shape).map_err(named)?;
                    story::same(&shape, &ending, &expected).map_err(named)?;
                    worlds += 1;
                    (options.progress)(worlds);
                }
            }
        }
    }
    Ok(worlds)
}

/// Two steps, and a third that is refused.
fn undone() -> Shape {
    let body = [guarded(1), guarded(2), guarded(3)].concat();
    Shape::new("undone", [scope(body, Fate::Commit), Node::Call(4)]).refused(3)
}

/// Undo entries that fail a few times are done; those that fail for ever wait for a person, and nothing is lost.
pub(super) fn undos(options: &Options) -> Result<u64, Failure> {
    let (expected, _) = story::undisturbed(&undone())?;
    let mut worlds = 0;
    for fault in [Fault::Before, Fault::After, Fault::Hang, Fault::Trap] {
        for step in 1..=3 {
            for times in [1, 5] {
                let mut shape = undone();
                shape.plan.undo(step, vec![fault; times]);
                let ending = story::play(&World::new(&shape), &shape)?;
                story::same(&shape, &ending, &expected)?;
            }
            endless(step, fault, &Verb::Retry)?;
            endless(step, fault, &Verb::Skip { answer: None })?;
            worlds += 4;
            (options.progress)(worlds);
        }
    }
    for step in 1..=3 {
        endless(step, Fault::Refuse, &Verb::Retry)?;
        endless(step, Fault::Refuse, &Verb::Skip { answer: None })?;
        endless(step, Fault::Refuse, &Verb::Fail)?;
        worlds += 3;
    }
    Ok(worlds)
}

/// It waits for a person with all that is left to undo; then the person acts, on another host.
fn endless(step: u32, fault: Fault, verb: &Verb) -> Result<(), Failure> {
    let mut shape = undone();
    shape.plan.always(step, true, fault);
    let world = World::new(&shape);
    let named = |failure: Failure| {
        failure.note(format!("undo of step {step}, {fault:?} for ever, then {}", verb.name()))
    };
    let ending = story::play(&world, &shape).map_err(named)?;
    expect(ending.standing == Standing::Parked, || {
        format!("undo {step} fails for ever, and the run is {:?}", ending.standing)
    })?;
    let is_before_effect = matches!(fault, Fault::Before | Fault::Refuse);
    let left = (1..=step).filter(|one| {
        let is_called = ending.effects.contains(&(*one, true));
        !is_called
    });
    let expected = if is_before_effect { step } else { step - 1 };
    expect(left.count() == expected as usize, || {
        "what is left to undo is not what it was".to_owned()
    })?;
    let mut plan = Plan::default();
    plan.refuse(3);
    world.ledger.replan(plan);
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let run = host.shelf.summaries().into_iter().map(|one| one.run).next();
        let run = run.ok_or_else(|| Failure::new("the run is gone"))?;
        let acted = host.act(&run, verb.clone()).await;
        acted.map_err(|error| Failure::new(error.to_string()))?;
        host.quiet().await
    })?;
    lived.unwrap_or(Ok(())).map_err(named)?;
    world.check().map_err(named)?;
    let after = story::ending(&world)?;
    let expected = if *verb == Verb::Fail { Standing::Failed } else { Standing::RolledBack };
    expect(after.standing == expected, || {
        format!("after {} it is {:?}", verb.name(), after.standing)
    })
    .map_err(named)
}
