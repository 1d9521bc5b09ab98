//! People who act, at any time.

use std::time::Duration;

use skald_core::{
    saga::{RunId, Verb, desk::DeskError, journal::Standing},
    value::Value,
};
use tokio::time::timeout;

use super::{Calm, Options, pairs};
use crate::{
    Failure, expect,
    ledger::{Fault, Plan},
    program::{Breakage, Fate, Node, guarded, scope},
    shapes::{self, Shape},
    story,
    world::{Host, PATIENCE, SAGA, World},
};

/// No verb takes longer to be answered.
const ANSWER: Duration = Duration::from_secs(60);

/// Cancelled at every place, once and twice.
pub(super) fn cancel(options: &Options) -> Result<(), Failure> {
    cancel_in(options, shapes::all(), 2)
}

/// The same in these shapes, at every so-manieth place where time is short.
pub(super) fn cancel_in(
    options: &Options,
    shapes: Vec<Shape>,
    every: usize,
) -> Result<(), Failure> {
    for shape in shapes {
        let calm = Calm::of(shape)?;
        for (place, times) in pairs(options.some(every, calm.places()), [1, 2]) {
            let verbs = vec![Verb::Cancel; times];
            options.play(
                || told(&calm, place, &verbs),
                || judge(&calm, place, &verbs),
            )?;
        }
    }
    Ok(())
}

/// Every verb at every place of small shapes is answered or refused.
pub(super) fn verbs(options: &Options) -> Result<(), Failure> {
    verbs_in(options, shapes::small(), 1)
}

/// The same in these shapes, at every so-manieth place where time is short.
pub(super) fn verbs_in(options: &Options, shapes: Vec<Shape>, every: usize) -> Result<(), Failure> {
    let skip = Verb::Skip { answer: None };
    let verbs = [Verb::Retry, skip, Verb::Fail, Verb::Rollback];
    for shape in shapes {
        let calm = Calm::of(shape)?;
        for (place, verb) in pairs(options.some(every, calm.places()), verbs.clone()) {
            let verbs = [verb];
            options.play(
                || told(&calm, place, &verbs),
                || judge(&calm, place, &verbs),
            )?;
        }
    }
    Ok(())
}

fn told(calm: &Calm, place: u64, verbs: &[Verb]) -> String {
    let names: Vec<&str> = verbs.iter().map(Verb::name).collect();
    format!(
        "shape: {}, {} at {place}",
        calm.shape.name,
        names.join(" and ")
    )
}

/// What was done shows in where the run stands, and what was refused does not.
fn judge(calm: &Calm, place: u64, verbs: &[Verb]) -> Result<(), Failure> {
    let (standing, is_done) = acted(&calm.shape, place, verbs)?;
    let expected = match verbs.first() {
        Some(Verb::Fail) if is_done => Standing::Failed,
        Some(Verb::Rollback | Verb::Cancel) if is_done => Standing::RolledBack,
        _ => calm.ending.standing,
    };
    expect(standing == expected, || {
        format!("done: {is_done}, and the run is {standing:?}")
    })
}

/// Somebody acts at this place. Where the run stands in the end, and whether the first act was done.
fn acted(shape: &Shape, place: u64, verbs: &[Verb]) -> Result<(Standing, bool), Failure> {
    let world = World::new(shape);
    world.points.poke_at([place]);
    let done = parking_lot::Mutex::new(false);
    let ending = story::play_with(&world, shape, async |host: &Host| {
        let poked = timeout(PATIENCE, host.points.poke()).await;
        poked.map_err(|_| Failure::new("the place is never come to"))?;
        let run = RunId::of(&SAGA.into(), "key");
        for verb in verbs {
            let is_done = answered(host, &run, verb).await?;
            *done.lock() |= is_done;
        }
        Ok(())
    })?;
    story::begin_again(&world, shape)?;
    Ok((ending.standing, done.into_inner()))
}

/// A verb is done or refused, before long.
async fn answered(host: &Host, run: &RunId, verb: &Verb) -> Result<bool, Failure> {
    match timeout(ANSWER, host.act(run, verb.clone())).await {
        Err(_) => Err(Failure::new(format!("{} is not answered", verb.name()))),
        Ok(Ok(())) => Ok(true),
        Ok(Err(DeskError::Refused(_) | DeskError::NoSuchRun(_))) => Ok(false),
        Ok(Err(error)) => Err(Failure::new(format!("{}: {error}", verb.name()))),
    }
}

/// Shapes that park, each for another reason.
fn parked() -> [Shape; 6] {
    let calls = [guarded(1).to_vec(), guarded(2).to_vec()].concat();
    let program = |middle: Node| {
        let body = [calls.clone(), vec![middle]].concat();
        [scope(body, Fate::Commit), Node::Call(5)]
    };
    let mut failed = Shape::new("step failed", program(Node::Call(3)));
    failed.plan.always(3, false, Fault::Before);
    let mut lost = Shape::new("step lost", program(Node::Call(3)));
    lost.plan.always(3, false, Fault::After);
    let mut large = Shape::new("answer too large", program(Node::Call(3)));
    large.plan.always(3, false, Fault::Large(2 << 20));
    let mut undo = Shape::new("undo failed", program(Node::Refuse));
    undo.plan.always(1, true, Fault::Before);
    let crashed = Shape::new("crashed", program(Node::Break(Breakage::Trap, 5)));
    let command = Shape::new("command too large", program(Node::Large(3, 2 << 20)));
    [failed, lost, large, undo, crashed, command]
}

/// Every two verbs on runs that are parked, for each reason, whether or not its cause is mended.
pub(super) fn repairs(options: &Options) -> Result<(), Failure> {
    let answer = Value::Result(Ok(Some(Box::new(Value::U32(7)))));
    let skip = Verb::Skip {
        answer: Some(answer),
    };
    let verbs = [Verb::Retry, skip, Verb::Fail, Verb::Rollback, Verb::Cancel];
    let both = pairs(verbs.clone(), verbs);
    for (shape, ((first, second), is_mended)) in pairs(parked(), pairs(both, [false, true])) {
        let what = || {
            let verbs = format!("{} and {}", first.name(), second.name());
            format!("shape: {}, {verbs}, mended: {is_mended}", shape.name)
        };
        let plan = is_mended.then(Plan::default);
        options.play(what, || repair(&shape, plan, [&first, &second]))?;
    }
    Ok(())
}

fn repair(shape: &Shape, plan: Option<Plan>, verbs: [&Verb; 2]) -> Result<(), Failure> {
    let world = World::new(shape);
    let parked = story::play(&world, shape)?;
    expect(parked.standing == Standing::Parked, || {
        format!("it is {:?}", parked.standing)
    })?;
    let is_mended = plan.is_some();
    if let Some(plan) = plan {
        world.ledger.replan(plan);
    }
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let run = host.run()?;
        for verb in verbs {
            answered(host, &run, verb).await?;
            host.quiet().await?;
        }
        let view = skald_core::saga::desk::Desk::show(&host.sagas, &run).await;
        let view = view.map_err(|error| Failure::new(error.to_string()))?;
        expect(!view.why.is_empty(), || "nothing is said of why".to_owned())?;
        if is_mended {
            // Whatever it waits for now, going back is always a way.
            answered(host, &run, &Verb::Rollback).await?;
            answered(host, &run, &Verb::Retry).await?;
            host.quiet().await?;
        }
        host.stop().await
    })?;
    lived
        .unwrap_or(Ok(()))
        .map_err(|failure| failure.note(story::stories(&world)))?;
    world.check()?;
    let standing = story::ending(&world)?.standing;
    expect(!is_mended || standing.is_end(), || {
        format!("nothing ends it: {}", story::stories(&world))
    })
}
