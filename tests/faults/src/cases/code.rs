//! Code that goes wrong.

use skald_core::saga::{Verb, journal::Standing};

use super::{Calm, Options, pairs};
use crate::{
    Failure, expect,
    program::{Breakage, Node, Program},
    shapes::{self, Shape},
    story,
    world::{Host, World},
};

const BREAKAGES: [Breakage; 3] = [Breakage::Trap, Breakage::Spin, Breakage::Memory];

/// Before each command: a few times, and for ever.
pub(super) fn breaks(options: &Options) -> Result<(), Failure> {
    for shape in shapes::all() {
        let calm = Calm::of(shape)?;
        let places = 0..=calm.shape.program.len();
        for (at, (how, times)) in pairs(places, pairs(BREAKAGES, [2, 0])) {
            let mut shape = calm.shape.clone();
            shape.program = broken(&shape.program, at, Node::Break(how, times));
            let what = || format!("shape: {}, {:?}", shape.name, shape.program);
            options.play(what, || match times {
                0 => for_ever(&shape),
                _ => for_a_while(&calm, &shape),
            })?;
        }
    }
    Ok(())
}

/// What runs the code panics before each command, and takes the run's task with it.
pub(super) fn panics(options: &Options) -> Result<(), Failure> {
    for shape in shapes::all() {
        let calm = Calm::of(shape)?;
        for at in 0..=calm.shape.program.len() {
            let mut shape = calm.shape.clone();
            shape.program = broken(&shape.program, at, Node::Break(Breakage::Panic, 2));
            let what = || format!("shape: {}, at {at}", shape.name);
            options.play(what, || panicked(&calm, &shape))?;
        }
    }
    Ok(())
}

/// A plan that goes wrong so often, or for ever where that is 0.
pub(super) fn broken_plan(calm: &Calm, shape: &Shape, times: u32) -> Result<(), Failure> {
    match times {
        0 => for_ever(shape),
        _ => for_a_while(calm, shape),
    }
}

fn panicked(calm: &Calm, shape: &Shape) -> Result<(), Failure> {
    let world = World::new(shape);
    let lived = world.live(async |host: &Host| {
        story::send(host, shape).await?;
        host.quiet().await
    })?;
    let told = |failure: Failure| failure.note(story::stories(&world));
    lived.unwrap_or(Ok(())).map_err(told)?;
    world.check()?;
    let standing = story::ending(&world)?.standing;
    expect(standing == calm.ending.standing, || {
        format!("the run is {standing:?}")
    })
}

/// It comes out as if it had not been.
fn for_a_while(calm: &Calm, shape: &Shape) -> Result<(), Failure> {
    let ending = story::play(&World::new(shape), shape)?;
    let is_same = ending.standing == calm.ending.standing
        && (!shape.is_steady || ending.effects == calm.ending.effects);
    expect(is_same, || format!("it came out as {ending:?}"))
}

/// It is parked, and rolled back by a person.
fn for_ever(shape: &Shape) -> Result<(), Failure> {
    let world = World::new(shape);
    let ending = story::play(&world, shape)?;
    if ending.standing.is_end() {
        // What comes before the breakage ends the program.
        return Ok(());
    }
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let acted = host.act(&host.run()?, Verb::Rollback).await;
        acted.map_err(|error| Failure::new(error.to_string()))?;
        host.quiet().await
    })?;
    let told = |failure: Failure| failure.note(story::stories(&world));
    lived.unwrap_or(Ok(())).map_err(told)?;
    world.check()?;
    let standing = story::ending(&world)?.standing;
    expect(standing == Standing::RolledBack, || {
        format!("it is {standing:?}")
    })
}

/// The program with this before one of its nodes, or at its end.
fn broken(program: &Program, at: usize, node: Node) -> Program {
    let (before, after) = program.split_at(at);
    [before, &[node], after].concat()
}
