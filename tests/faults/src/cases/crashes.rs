//! Hosts that die.

use super::{Calm, Options};
use crate::{
    Failure,
    dice::Dice,
    shapes::{self, Shape},
    story,
    world::World,
};

/// Once, at every place.
pub(super) fn once(options: &Options) -> Result<(), Failure> {
    once_in(options, shapes::all(), 1)
}

/// The same in these shapes, at every so-manieth place where time is short.
pub(super) fn once_in(options: &Options, shapes: Vec<Shape>, every: usize) -> Result<(), Failure> {
    for shape in shapes {
        let calm = Calm::of(shape)?;
        for place in options.some(every, calm.places()) {
            options.play(String::new, || die(&calm, &[place]))?;
        }
    }
    Ok(())
}

/// At every two places; a few of them where time is short.
pub(super) fn twice(options: &Options) -> Result<(), Failure> {
    twice_in(
        options,
        shapes::small(),
        if options.is_quick { 8 } else { 1 },
    )
}

/// The same in these shapes, at one in so many pairs of places.
pub(super) fn twice_in(options: &Options, shapes: Vec<Shape>, one_in: u64) -> Result<(), Failure> {
    let mut dice = Dice::new(options.seed);
    for shape in shapes {
        let calm = Calm::of(shape)?;
        let most = calm.world.points.past();
        // What the second host does takes as long again at most.
        for (first, more) in super::pairs(calm.places(), 1..=most) {
            if dice.one_in(one_in) {
                options.play(String::new, || die(&calm, &[first, first + more]))?;
            }
        }
    }
    Ok(())
}

fn die(calm: &Calm, places: &[u64]) -> Result<(), Failure> {
    let world = World::new(&calm.shape);
    world.points.die_at(places.iter().copied());
    let played = story::play(&world, &calm.shape);
    let compared = played.and_then(|ending| {
        let same = calm.compare(&ending);
        same.map_err(|failure| failure.note(story::stories(&world)))
    });
    let name = |place: &u64| format!("{place} ({})", world.points.name(*place));
    compared.map_err(|failure| {
        let names: Vec<String> = places.iter().map(name).collect();
        failure.note(format!(
            "shape: {}, dies at {}",
            calm.shape.name,
            names.join(", ")
        ))
    })
}
