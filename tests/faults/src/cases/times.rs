//! Clocks that jump, instances that are put away, and hosts that pause.

use std::time::Duration;

use tokio::time::timeout;

use super::Options;
use crate::{
    Failure, expect,
    ledger::Fault,
    shapes, story,
    world::{Host, PATIENCE, World},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// The clock jumps an hour on or back at every place, and later the host dies.
pub(super) fn jumps(options: &Options) -> Result<u64, Failure> {
    let mut worlds = 0;
    for shape in shapes::all() {
        let (expected, calm) = story::undisturbed(&shape)?;
        for place in 1..=calm.points.past() {
            for (is_back, death) in [(false, 0), (true, 0), (false, 4), (true, 4)] {
                let world = World::new(&shape);
                world.points.poke_at([place]);
                world.points.die_at((death > 0).then_some(place + death));
                let named = |failure: Failure| {
                    let what = if is_back { "back" } else { "on" };
                    failure.note(format!("shape: {}, an hour {what} at {place}", shape.name))
                };
                let has_jumped = parking_lot::Mutex::new(false);
                let played = story::play_with(&world, &shape, async |host: &Host| {
                    if *has_jumped.lock() {
                        return Ok(());
                    }
                    let poked = timeout(PATIENCE, host.points.poke()).await;
                    poked.map_err(|_| Failure::new("the place is never come to"))?;
                    *has_jumped.lock() = true;
                    world.clock.jump(HOUR, is_back);
                    Ok(())
                });
                let ending = played.map_err(named)?;
                story::same(&shape, &ending, &expected).map_err(named)?;
                worlds += 1;
                (options.progress)(worlds);
            }
        }
    }
    Ok(worlds)
}

/// Instances go as soon as they wait, and come back where they were.
pub(super) fn eviction(options: &Options) -> Result<u64, Failure> {
    let mut worlds = 0;
    for shape in shapes::all() {
        let slow = (1..=5).fold(shape.clone(), |shape, step| {
            shape.faulty(step, [Fault::Slow(3_000)])
        });
        let (expected, calm) = story::undisturbed(&slow)?;
        for idle in [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(1)] {
            let mut world = World::new(&slow);
            world.config.idle = idle;
            let named = |failure: Failure| failure.note(format!("shape: {}, {idle:?}", shape.name));
            let ending = story::play(&world, &slow).map_err(named)?;
            story::same(&slow, &ending, &expected).map_err(named)?;
            let plays = |world: &World| world.shelf.summaries().iter().map(|one| world.actors.plays(&one.run).len()).sum::<usize>();
            expect(plays(&world) >= plays(&calm), || "no instance was put away".to_owned())
                .map_err(named)?;
            worlds += 1;
            (options.progress)(worlds);
        }
    }
    Ok(worlds)
}

/// A second host begins while the first goes on, at every place.
pub(super) fn two_owners(options: &Options) -> Result<u64, Failure> {
    let mut worlds = 0;
    let is_quick_enough = |shape: &shapes::Shape| shape.name != "err with steps out";
    for shape in shapes::all().into_iter().filter(is_quick_enough) {
        for faults in [vec![], vec![Fault::Before; 5]] {
            // Pauses between attempts, so that the first host is waiting while the second one works.
            let shape = match faults.is_empty() {
                true => shape.clone(),
                false => shape.clone().faulty(1, faults),
            };
            let (expected, calm) = story::undisturbed(&shape)?;
            let most = calm.ledger.most_of_a_key() + 1;
            for place in 1..=calm.points.past() {
                let world = World::new(&shape);
                world.points.poke_at([place]);
                let named = |failure: Failure| {
                    failure.note(format!("shape: {}, a second host at {place}", shape.name))
                };
                let played = story::play_with(&world, &shape, async |host: &Host| {
                    let poked = timeout(PATIENCE, host.points.poke()).await;
                    poked.map_err(|_| Failure::new("the place is never come to"))?;
                    let other = world.another_host();
                    other.recover().await?;
                    other.quiet().await?;
                    other.stop().await
                });
                let ending = played.map_err(named)?;
                story::same(&shape, &ending, &expected).map_err(named)?;
                expect(world.ledger.most_of_a_key() <= most, || {
                    format!("a step was sent {} times", world.ledger.most_of_a_key())
                })
                .map_err(named)?;
                worlds += 1;
                (options.progress)(worlds);
            }
        }
    }
    Ok(worlds)
}
