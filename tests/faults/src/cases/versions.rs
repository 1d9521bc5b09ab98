//! Code that changes, runs that are forgotten and begun again, and steps that must not be sent twice.

use skald_core::saga::{
    Parked, Verb,
    desk::{Desk as _, DeskError, Upgrade},
    journal::Standing,
    policy::{Class, Policy},
};

use super::Options;
use crate::{
    Failure, expect, invariants,
    ledger::Fault,
    program::{Fate, Node, Program, guarded, scope},
    shapes::Shape,
    story,
    world::{Host, SAGA, World, by, policies},
};

fn waiting() -> Node {
    Node::Wait {
        signal: "go".to_owned(),
        timeout: None,
    }
}

fn first() -> Program {
    let body = [guarded(1).to_vec(), guarded(2).to_vec(), vec![waiting()]].concat();
    vec![scope(body, Fate::Commit), Node::Call(3)]
}

/// Another revision is tried against the journal, and taken where it fits; a revision that is gone parks its runs.
pub(super) fn upgrades(options: &Options) -> Result<u64, Failure> {
    let longer = [first(), vec![Node::Call(4)]].concat();
    let other = |steps: [u32; 2]| {
        let body = [guarded(steps[0]).to_vec(), guarded(steps[1]).to_vec(), vec![waiting()]];
        vec![scope(body.concat(), Fate::Commit), Node::Call(3)]
    };
    let short = vec![scope(guarded(1), Fate::Commit), waiting()];
    let cases = [(longer, true), (other([2, 1]), false), (short, false), (vec![], false)];
    let mut worlds = 0;
    for (program, fits) in cases {
        for (is_gone, is_restarted) in [(false, false), (true, true), (false, true)] {
            let named = |failure: Failure| {
                failure.note(format!("fits: {fits}, gone: {is_gone}, restarted: {is_restarted}"))
            };
            upgrade(&program, fits, (is_gone, is_restarted)).map_err(named)?;
            worlds += 1;
            (options.progress)(worlds);
        }
    }
    Ok(worlds)
}

fn upgrade(program: &Program, fits: bool, (is_gone, is_restarted): (bool, bool)) -> Result<(), Failure> {
    let shape = Shape::new("first", first());
    let world = World::new(&shape);
    let life = async |host: &Host| {
        host.recover().await?;
        let run = story::start(host, SAGA, "key").await?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        if world.actors.plays(&run).len() > 1 || !is_restarted {
            renewed(host, &world, program, fits).await?;
            story::signal(host, &run, "go").await?;
            host.quiet().await?;
        }
        host.stop().await
    };
    if is_restarted {
        world.live(life)?.unwrap_or(Ok(()))?;
    }
    if is_gone {
        world.actors.forget(SAGA, "r1");
    }
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let run = story::start(host, SAGA, "key").await?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        if is_gone {
            let is_parked = host.shelf.summaries().iter().all(|one| one.standing == Standing::Parked);
            expect(is_parked, || "a run without its revision is not parked".to_owned())?;
        }
        renewed(host, &world, program, fits).await?;
        story::signal(host, &run, "go").await?;
        if is_gone && !fits {
            // Undoing needs no code.
            let acted = host.act(&run, Verb::Rollback).await;
            acted.map_err(|error| Failure::new(error.to_string()))?;
        }
        host.quiet().await?;
        host.stop().await
    })?;
    lived.unwrap_or(Ok(())).map_err(|failure| failure.note(story::stories(&world)))?;
    let ending = story::ending(&world)?;
    let expected = if is_gone && !fits { Standing::RolledBack } else { Standing::Completed };
    expect(ending.standing == expected, || format!("it is {:?}", ending.standing))?;
    let has_new = ending.effects.contains(&(4, false));
    expect(has_new == fits, || format!("the new step was done: {has_new}"))
}

async fn renewed(host: &Host, world: &World, program: &Program, fits: bool) -> Result<(), Failure> {
    let run = host.run()?;
    world.actors.learn(SAGA, "r2", program.clone());
    for mode in [Upgrade::Rehearse, Upgrade::Apply] {
        let requests = world.ledger.requests();
        let renewed = host.sagas.upgrade(&run, mode, by("upgrade")).await;
        let is_right = match &renewed {
            Ok(revision) => fits && revision == "r2",
            Err(DeskError::Refused(why)) => !fits && why.contains("r2"),
            Err(_) => false,
        };
        expect(is_right, || format!("an upgrade was answered with {renewed:?}"))?;
        expect(mode == Upgrade::Apply || world.ledger.requests() == requests, || {
            "a rehearsal has called something".to_owned()
        })?;
    }
    Ok(())
}

/// An ended run is forgotten while messages of it are still about; a run that goes on is kept.
pub(super) fn purge(options: &Options) -> Result<u64, Failure> {
    let shape = Shape::new("line", [Node::Call(1), Node::Sleep(1_000), Node::Start(2)]);
    let (_, calm) = story::undisturbed(&shape)?;
    let most = calm.points.past();
    for place in 1..=most {
        let world = World::new(&shape);
        world.points.poke_at([place]);
        let lived = world.live(async |host: &Host| {
            let run = story::start(host, SAGA, "key");
            let purged = async {
                host.points.poke().await;
                let run = skald_core::saga::RunId::of(&SAGA.into(), "key");
                let has_ended = host.shelf.summaries().iter().any(|one| one.standing.is_end());
                let purged = host.sagas.purge(&run).await;
                expect(purged.is_ok() == has_ended, || format!("a purge was answered with {purged:?}"))
            };
            let (run, purged) = tokio::join!(run, purged);
            purged.and(run.map(|_| ()))?;
            host.quiet().await?;
            let left: Vec<_> = host.shelf.summaries().into_iter().map(|one| one.run).collect();
            for run in left {
                host.sagas.purge(&run).await.map_err(|error| Failure::new(error.to_string()))?;
            }
            tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
            host.stop().await
        })?;
        lived.unwrap_or(Ok(())).map_err(|failure| failure.note(format!("purged at {place}")))?;
        expect(world.shelf.summaries().is_empty(), || "a purged run is back".to_owned())?;
        (options.progress)(place);
    }
    Ok(most)
}

/// An ended run is begun again from each of its commands.
pub(super) fn rerun(options: &Options) -> Result<u64, Failure> {
    let mut worlds = 0;
    for shape in crate::shapes::all() {
        let (_, world) = story::undisturbed(&shape)?;
        let lived = world.live(async |host: &Host| {
            let run = host.run()?;
            let commands = told(&world, &run)?.state.commands();
            for from in 0..=commands + 1 {
                let again = host.sagas.rerun(&run, from, by("rerun")).await;
                match again {
                    Ok(again) => {
                        for name in &shape.signals {
                            story::signal(host, &again, name).await?;
                        }
                    }
                    Err(DeskError::Invalid(_)) => {}
                    Err(error) => return Err(Failure::new(format!("from {from}: {error}"))),
                }
            }
            host.quiet().await?;
            host.stop().await?;
            Ok(u64::from(commands))
        })?;
        worlds += lived.unwrap_or(Ok(0)).map_err(|failure| failure.note(&shape.name))?;
        let parked = world.shelf.summaries().into_iter().find(|one| !one.standing.is_end());
        expect(parked.is_none(), || format!("{}: {parked:?}", shape.name))?;
        let unknown = world.ledger.violations();
        expect(unknown.is_empty(), || format!("{}: {}", shape.name, unknown.join("; ")))?;
        (options.progress)(worlds);
    }
    Ok(worlds)
}

fn told(world: &World, run: &skald_core::saga::RunId) -> Result<invariants::Told, Failure> {
    invariants::tell(world, run, Standing::Running, String::new())
}

/// Steps whose callees do not know keys are sent once, whatever happens; then a person decides.
pub(super) fn write_once(options: &Options) -> Result<u64, Failure> {
    let mut shape = Shape::new("once", [Node::Call(1), Node::Call(2)]);
    shape.plan.forgetful = [1, 2].into();
    let (_, calm) = story::undisturbed(&shape)?;
    let mut worlds = 0;
    for place in 1..=calm.points.past() {
        once(&shape, Some(place)).map_err(|failure| failure.note(format!("dies at {place}")))?;
        worlds += 1;
        (options.progress)(worlds);
    }
    for fault in [Fault::Before, Fault::After, Fault::Hang, Fault::Trap, Fault::Busy, Fault::Panic] {
        for step in 1..=2 {
            let faulty = shape.clone().faulty(step, [fault]);
            let is_unknown = once(&faulty, None).map_err(|failure| failure.note(format!("{fault:?} at {step}")))?;
            expect(is_unknown == (fault != Fault::Busy), || {
                format!("after {fault:?} it is parked: {is_unknown}")
            })?;
            worlds += 1;
        }
    }
    Ok(worlds)
}

/// Says whether it was parked for not knowing. The person who looks says that it is done.
fn once(shape: &Shape, death: Option<u64>) -> Result<bool, Failure> {
    let mut world = World::new(shape);
    let policy = Policy {
        class: Class::WriteOnce,
        ..Policy::default()
    };
    world.config.sagas.insert(SAGA.into(), policies(policy));
    world.points.die_at(death);
    let ending = story::play(&world, shape)?;
    let run = skald_core::saga::RunId::of(&SAGA.into(), "key");
    let reason = told(&world, &run)?.state.parked().map(|(reason, _)| reason.clone());
    let is_unknown = matches!(reason, Some(Parked::StepUnknown { .. }));
    expect(is_unknown == (ending.standing == Standing::Parked), || format!("it is parked: {reason:?}"))?;
    if is_unknown {
        let lived = world.live(async |host: &Host| {
            let acted = host.act(&run, Verb::Skip { answer: None }).await;
            acted.map_err(|error| Failure::new(error.to_string()))?;
            host.quiet().await
        })?;
        lived.unwrap_or(Ok(()))?;
    }
    world.check()?;
    let standing = story::ending(&world)?.standing;
    expect(standing == Standing::Completed, || format!("it is {standing:?}"))?;
    Ok(is_unknown)
}
