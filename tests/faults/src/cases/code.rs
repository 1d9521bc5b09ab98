//! Code that goes wrong.

use skald_core::saga::{Verb, journal::Standing};

use super::Options;
use crate::{
    Failure, expect,
    program::{Breakage, Node, Program},
    shapes::{self, Shape},
    story,
    world::{Host, World},
};

const BREAKAGES: [Breakage; 3] = [Breakage::Trap, Breakage::Spin, Breakage::Memory];

/// Before each command: a few times, and for ever.
pub(super) fn breaks(options: &Options) -> Result<u64, Failure> {
    let mut worlds = 0;
    for shape in shapes::all() {
        let (expected, _) = story::undisturbed(&shape)?;
        for program in broken_everywhere(&shape.program) {
            for (how, times) in BREAKAGES.into_iter().flat_map(|how| [(how, 2), (how, 0)]) {
                let mut shape = shape.clone();
                shape.program = program(Node::Break(how, times));
                let named = |failure: Failure| {
                    failure.note(format!("shape: {}, {:?}", shape.name, shape.program))
                };
                if times == 0 {
                    for_ever(&shape).map_err(named)?;
                } else {
                    let ending = story::play(&World::new(&shape), &shape).map_err(named)?;
                    let same = ending.standing == expected.standing
                        && (!shape.is_steady || ending.effects == expected.effects);
                    expect(same, || format!("it came out as {ending:?}")).map_err(named)?;
                }
                worlds += 1;
                (options.progress)(worlds);
            }
        }
    }
    Ok(worlds)
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
        let run = host.shelf.summaries().into_iter().map(|one| one.run).next();
        let run = run.ok_or_else(|| Failure::new("the run is gone"))?;
        let acted = host.act(&run, Verb::Rollback).await;
        acted.map_err(|error| Failure::new(error.to_string()))?;
        host.quiet().await
    })?;
    lived.unwrap_or(Ok(())).map_err(|failure| failure.note(story::stories(&world)))?;
    world.check()?;
    let standing = story::ending(&world)?.standing;
    expect(standing == Standing::RolledBack, || format!("it is {standing:?}"))
}

/// The program with something before each of its nodes, and at its end.
fn broken_everywhere(program: &Program) -> Vec<impl Fn(Node) -> Program> {
    let places = 0..=program.len();
    places
        .map(|at| {
            let program = program.clone();
            move |node: Node| {
                let (before, after) = program.split_at(at);
                [before, &[node], after].concat()
            }
        })
        .collect()
}
