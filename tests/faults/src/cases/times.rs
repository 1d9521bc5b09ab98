//! Clocks that jump, instances that are put away, and hosts that pause.

use std::{cell::Cell, time::Duration};

use skald_core::saga::RunId;
use tokio::time::timeout;

use super::{Calm, Options, pairs};
use crate::{
    Failure, expect,
    ledger::Fault,
    shapes::{self, Shape},
    story::{self, Ending},
    world::{Host, PATIENCE, SAGA, World},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// The clock jumps an hour on or back at every place, and later the host dies.
pub(super) fn jumps(options: &Options) -> Result<(), Failure> {
    jumps_in(options, shapes::all(), 5)
}

/// The same in these shapes, at every so-manieth place where time is short.
pub(super) fn jumps_in(options: &Options, shapes: Vec<Shape>, every: usize) -> Result<(), Failure> {
    for shape in shapes {
        let calm = Calm::of(shape)?;
        for (place, (is_back, death)) in pairs(
            options.some(every, calm.places()),
            pairs([false, true], [None, Some(4)]),
        ) {
            let what = || format!("shape: {}, back: {is_back}, at {place}", calm.shape.name);
            options.play(what, || {
                let world = World::new(&calm.shape);
                world.points.die_at(death.map(|later| place + later));
                calm.compare(&jumped(&world, &calm.shape, (place, is_back))?)
            })?;
        }
    }
    Ok(())
}

fn jumped(world: &World, shape: &Shape, (place, is_back): (u64, bool)) -> Result<Ending, Failure> {
    world.points.poke_at([place]);
    let has_jumped = Cell::new(false);
    story::play_with(world, shape, async |host: &Host| {
        if has_jumped.get() {
            return Ok(());
        }
        let poked = timeout(PATIENCE, host.points.poke()).await;
        poked.map_err(|_| Failure::new("the place is never come to"))?;
        has_jumped.set(true);
        world.clock.jump(HOUR, is_back);
        Ok(())
    })
}

/// Instances go as soon as they wait, and come back where they were.
pub(super) fn eviction(options: &Options) -> Result<(), Failure> {
    eviction_in(options, shapes::all())
}

/// The same in these shapes.
pub(super) fn eviction_in(options: &Options, shapes: Vec<Shape>) -> Result<(), Failure> {
    let idles = [0, 1, 1_000].map(Duration::from_millis);
    for shape in shapes {
        let slow = |shape: Shape, step| shape.faulty(step, [Fault::Slow(3_000)]);
        let steps = Calm::of(shape.clone())?.steps(false);
        let calm = Calm::of(steps.into_iter().fold(shape, slow))?;
        for idle in idles {
            let what = || format!("shape: {}, {idle:?}", calm.shape.name);
            options.play(what, || evicted(&calm, idle))?;
        }
    }
    Ok(())
}

fn evicted(calm: &Calm, idle: Duration) -> Result<(), Failure> {
    let mut world = World::new(&calm.shape);
    world.config.idle = idle;
    calm.compare(&story::play(&world, &calm.shape)?)?;
    let run = RunId::of(&SAGA.into(), "key");
    let plays = |world: &World| world.actors.plays(&run).len();
    expect(plays(&world) >= plays(&calm.world), || {
        "no instance was put away".to_owned()
    })
}

/// A host whose runs are taken over. What the first one refuses from then on, its client sends to the other.
fn overtaken(world: &World, shape: &Shape) -> Result<Ending, Failure> {
    let lived = world.live(async |host: &Host| {
        let beside = async {
            let poked = timeout(PATIENCE, host.points.poke()).await;
            poked.map_err(|_| Failure::new("the place is never come to"))?;
            let other = world.another_host();
            other.recover().await?;
            story::send(&other, shape).await?;
            other.quiet().await?;
            other.stop().await
        };
        let (_, besides) = tokio::join!(story::send(host, shape), beside);
        besides?;
        host.quiet().await?;
        host.stop().await
    })?;
    let told = |failure: Failure| failure.note(story::stories(world));
    lived.unwrap_or(Ok(())).map_err(told)?;
    world.check()?;
    story::ending(world)
}

/// A second host begins while the first goes on, at every place.
pub(super) fn two_owners(options: &Options) -> Result<(), Failure> {
    // A call of the first host may be under way for longer than it owns the run.
    let is_quick_enough = |shape: &Shape| shape.name != "err with steps out";
    let shapes = shapes::all().into_iter().filter(is_quick_enough);
    two_owners_in(options, shapes.collect(), 5)
}

/// The same in these shapes, at every so-manieth place where time is short.
pub(super) fn two_owners_in(
    options: &Options,
    shapes: Vec<Shape>,
    every: usize,
) -> Result<(), Failure> {
    for (shape, faults) in pairs(shapes, [0, 5]) {
        let calm = Calm::of(shape.faulty(1, vec![Fault::Before; faults]))?;
        for place in options.some(every, calm.places()) {
            let what = || format!("shape: {}, a second host at {place}", calm.shape.name);
            options.play(what, || owned_twice(&calm, place))?;
        }
    }
    Ok(())
}

/// What is sent is sent once more at most.
fn owned_twice(calm: &Calm, place: u64) -> Result<(), Failure> {
    let world = World::new(&calm.shape);
    world.ledger.expect_two_hosts();
    world.points.poke_at([place]);
    let mut ending = overtaken(&world, &calm.shape)?;
    // Either host may have played the end.
    ending.seen.clone_from(&calm.ending.seen);
    calm.compare(&ending)?;
    let (sent, most) = (
        world.ledger.most_of_a_key(),
        calm.world.ledger.most_of_a_key() + 1,
    );
    expect(sent <= most, || {
        format!("a step was sent {sent} times, and not {most}")
    })
}
