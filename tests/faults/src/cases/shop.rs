//! The same faults against the shop's own sagas, whose books have to agree after each.

mod files;
mod trial;
mod trials;

use skald_core::saga::{Verb, journal::Standing};

use super::{Calm, Options, crashes, messages, pairs, people, replies, times};
use crate::{
    Failure, expect,
    ledger::{Fault, Plan},
    program::{Breakage, Node, Program},
    shapes::Shape,
    shop, story,
    world::{Host, World},
};

pub(super) use self::{
    files::files,
    trials::{chance, races},
};

/// All shapes; where time is short, without the one that waits for two weeks.
fn all(options: &Options) -> Vec<Shape> {
    let is_short = |shape: &Shape| !options.is_quick || !shape.name.ends_with("nobody decides");
    shop::all().into_iter().filter(is_short).collect()
}

/// All shapes; where time is short, one of each saga.
fn most(options: &Options) -> Vec<Shape> {
    if options.is_quick {
        shop::few()
    } else {
        shop::all()
    }
}

/// Once, at every place.
pub(super) fn crashes(options: &Options) -> Result<(), Failure> {
    crashes::once_in(options, all(options), 11)
}

/// At two places, as many pairs as there is time for.
pub(super) fn crashes_twice(options: &Options) -> Result<(), Failure> {
    let one_in = if options.is_quick { 400 } else { 8 };
    crashes::twice_in(options, shop::few(), one_in)
}

/// Everything several times.
pub(super) fn doubled(options: &Options) -> Result<(), Failure> {
    messages::doubled_in(options, shop::all())
}

/// Steps and undo entries that fail a few times.
pub(super) fn replies(options: &Options) -> Result<(), Failure> {
    replies::steps_in(options, all(options), 7)?;
    let faults = [
        Fault::Before,
        Fault::Halfway,
        Fault::After,
        Fault::Hang,
        Fault::Trap,
    ];
    for shape in all(options) {
        let calm = Calm::of(shape)?;
        let undos = pairs(calm.steps(true), [1, 5]);
        for (fault, (step, times)) in options.some(7, pairs(faults, undos)) {
            let mut shape = calm.shape.clone();
            shape.plan.undo(step, vec![fault; times]);
            let what = || {
                let name = &shape.name;
                format!("shape: {name}, undo of step {step}, {times} times {fault:?}")
            };
            options.play(what, || {
                calm.compare(&story::play(&World::new(&shape), &shape)?)
            })?;
        }
    }
    Ok(())
}

/// Undo entries that fail for ever, and once they are mended a person tries again on another host.
pub(super) fn undo_fails(options: &Options) -> Result<(), Failure> {
    let faults = [
        Fault::Before,
        Fault::Halfway,
        Fault::After,
        Fault::Hang,
        Fault::Trap,
        Fault::Refuse,
    ];
    for shape in all(options) {
        let calm = Calm::of(shape)?;
        for (step, fault) in options.some(5, pairs(calm.steps(true), faults)) {
            let mut shape = calm.shape.clone();
            shape.plan.always(step, true, fault);
            let what = || format!("shape: {}, undo of step {step}, {fault:?}", shape.name);
            options.play(what, || mended(&calm, &shape))?;
        }
    }
    Ok(())
}

fn mended(calm: &Calm, shape: &Shape) -> Result<(), Failure> {
    let world = World::new(shape);
    let ending = story::play(&world, shape)?;
    expect(ending.standing == Standing::Parked, || {
        format!("the run is {:?}", ending.standing)
    })?;
    let plan: Plan = calm.shape.plan.clone();
    world.ledger.replan(plan);
    retried(&world)?;
    let standing = story::ending(&world)?.standing;
    expect(standing == calm.ending.standing, || {
        format!("after it, the run is {standing:?}")
    })
}

/// Somebody tries again what waits for a person.
fn retried(world: &World) -> Result<(), Failure> {
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        for one in host.shelf.summaries() {
            if one.standing == Standing::Parked {
                let acted = host.act(&one.run, Verb::Retry).await;
                acted.map_err(|error| Failure::new(error.to_string()))?;
            }
        }
        host.quiet().await?;
        host.stop().await
    })?;
    let told = |failure: Failure| failure.note(story::stories(world));
    lived.unwrap_or(Ok(())).map_err(told)?;
    world.check()
}

/// Each append.
pub(super) fn journal(options: &Options) -> Result<(), Failure> {
    replies::appends_in(options, most(options), 5)
}

/// Before each question of a plan: a few times, and for ever, until somebody rolls the run back.
pub(super) fn code(options: &Options) -> Result<(), Failure> {
    let how = [Breakage::Trap, Breakage::Spin, Breakage::Memory];
    for shape in begun_once(most(options)) {
        let calm = Calm::of(shape)?;
        // No plan asks for more than it is seen to: a command, and its end.
        let places = 0..=calm.ending.seen.len();
        for (at, (how, times)) in options.some(3, pairs(places, pairs(how, [2, 0]))) {
            let mut shape = calm.shape.clone();
            shape.program = broken(&shape.program, (at, how, times));
            let what = || format!("shape: {}, {how:?} at {at}, {times} times", shape.name);
            options.play(what, || super::code::broken_plan(&calm, &shape, times))?;
        }
    }
    Ok(())
}

/// Those that people may stop. Whoever begins a checkout of an order that stands once more, and stops that, cancels the order
/// and keeps its money: what ends the order cannot tell it from one whose confirmation was not heard of.
fn begun_once(shapes: Vec<Shape>) -> Vec<Shape> {
    let is_first = |shape: &Shape| !shape.name.ends_with("confirmed before");
    shapes.into_iter().filter(is_first).collect()
}

/// The plan, broken before so many questions.
fn broken(program: &[Node], at: (usize, Breakage, u32)) -> Program {
    let with = |node: &Node| match node {
        Node::Shop { part, .. } => Node::Shop {
            part: part.clone(),
            breaks: Some(at),
        },
        other => other.clone(),
    };
    program.iter().map(with).collect()
}

/// Cancelled at every place, and every other verb.
pub(super) fn verbs(options: &Options) -> Result<(), Failure> {
    people::cancel_in(options, begun_once(all(options)), 23)?;
    people::verbs_in(options, begun_once(most(options)), 17)
}

/// Clocks, instances and hosts.
pub(super) fn times(options: &Options) -> Result<(), Failure> {
    times::jumps_in(options, most(options), 11)?;
    times::eviction_in(options, all(options))?;
    times::two_owners_in(options, most(options), 13)
}
