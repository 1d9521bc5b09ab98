//! Hosts that die.

use super::Options;
use crate::{
    Failure,
    dice::Dice,
    shapes::{self, Shape},
    story::{self, Ending},
    world::World,
};

/// Once, at every place.
pub(super) fn once(options: &Options) -> Result<u64, Failure> {
    let mut worlds = 0;
    for shape in shapes::all() {
        let (expected, calm) = story::undisturbed(&shape)?;
        for place in 1..=calm.points.past() {
            die(&shape, &expected, &[place])?;
            worlds += 1;
            (options.progress)(worlds);
        }
    }
    Ok(worlds)
}

/// At every two places; a few of them where time is short.
pub(super) fn twice(options: &Options) -> Result<u64, Failure> {
    let mut dice = Dice::new(options.seed);
    let mut worlds = 0;
    for shape in shapes::small() {
        let (expected, calm) = story::undisturbed(&shape)?;
        let most = calm.points.past();
        for first in 1..=most {
            // What the second host does takes as long again at most.
            for second in first + 1..=first + most {
                if options.is_quick && !dice.one_in(16) {
                    continue;
                }
                die(&shape, &expected, &[first, second])?;
                worlds += 1;
                (options.progress)(worlds);
            }
        }
    }
    Ok(worlds)
}

fn die(shape: &Shape, expected: &Ending, places: &[u64]) -> Result<(), Failure> {
    let world = World::new(shape);
    world.points.die_at(places.iter().copied());
    let played = story::play(&world, shape);
    let compared = played.and_then(|ending| {
        let same = story::same(shape, &ending, expected);
        same.map_err(|failure| failure.note(story::stories(&world)))
    });
    compared.map_err(|failure| {
        let names: Vec<String> = places
            .iter()
            .map(|place| format!("{place} ({})", world.points.name(*place)))
            .collect();
        failure.note(format!("shape: {}, dies at {}", shape.name, names.join(", ")))
    })
}
