//! Code that changes, runs that are forgotten and begun again, and steps that must not be sent twice.

use std::time::Duration;

use skald_core::saga::{
    Parked, RunId, Verb,
    desk::{Desk as _, DeskError, Upgrade},
    journal::Standing,
    policy::{Class, Policy},
};
use tokio::time::sleep;

use super::{Calm, Options, pairs};
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
pub(super) fn upgrades(options: &Options) -> Result<(), Failure> {
    let longer = [first(), vec![Node::Call(4)]].concat();
    let other = [guarded(2), guarded(1)].concat();
    let other = vec![scope(other, Fate::Commit), waiting()];
    let short = vec![scope(guarded(1), Fate::Commit), waiting()];
    let programs = [
        (longer, true),
        (other, false),
        (short, false),
        (vec![], false),
    ];
    let lives = [(false, false), (true, true), (false, true)];
    for ((program, fits), (is_gone, is_restarted)) in pairs(programs, lives) {
        let what = || format!("fits: {fits}, gone: {is_gone}, restarted: {is_restarted}");
        options.play(what, || {
            let world = World::new(&Shape::new("first", first()));
            if is_restarted {
                world.live(asleep)?.unwrap_or(Ok(()))?;
            }
            if is_gone {
                world.actors.forget(SAGA, "r1");
            }
            upgraded(&world, &program, (fits, is_gone))
        })?;
    }
    Ok(())
}

/// Comes as far as the wait.
async fn asleep(host: &Host) -> Result<(), Failure> {
    host.recover().await?;
    story::start(host, SAGA, "key").await?;
    sleep(Duration::from_secs(1)).await;
    host.stop().await
}

fn upgraded(
    world: &World,
    program: &Program,
    (fits, is_gone): (bool, bool),
) -> Result<(), Failure> {
    let is_lost = is_gone && !fits;
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let run = story::start(host, SAGA, "key").await?;
        sleep(Duration::from_secs(1)).await;
        if is_gone {
            story::signal(host, &run, "go").await?;
            host.quiet().await?;
            all_are_parked(host)?;
        }
        renewed(host, world, program, fits).await?;
        story::signal(host, &run, "go").await?;
        if is_lost {
            // Undoing needs no code.
            let acted = host.act(&run, Verb::Rollback).await;
            acted.map_err(|error| Failure::new(error.to_string()))?;
        }
        host.quiet().await?;
        host.stop().await
    })?;
    let told = |failure: Failure| failure.note(story::stories(world));
    lived.unwrap_or(Ok(())).map_err(told)?;
    let ending = story::ending(world)?;
    let expected = if is_lost {
        Standing::RolledBack
    } else {
        Standing::Completed
    };
    expect(ending.standing == expected, || {
        format!("it is {:?}", ending.standing)
    })?;
    let has_new = ending.effects.contains(&(4, false));
    expect(has_new == fits, || {
        format!("the new step was done: {has_new}")
    })
}

fn all_are_parked(host: &Host) -> Result<(), Failure> {
    let all = host.shelf.summaries();
    let is_parked = all.iter().all(|one| one.standing == Standing::Parked);
    expect(is_parked, || {
        "a run without its revision is not parked".to_owned()
    })
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
        expect(is_right, || {
            format!("an upgrade was answered with {renewed:?}")
        })?;
        expect(
            mode == Upgrade::Apply || world.ledger.requests() == requests,
            || "a rehearsal has called something".to_owned(),
        )?;
    }
    Ok(())
}

/// An ended run is forgotten while messages of it are still about; a run that goes on is kept.
pub(super) fn purge(options: &Options) -> Result<(), Failure> {
    let program = [Node::Call(1), Node::Sleep(1_000), Node::Start(2)];
    let calm = Calm::of(Shape::new("line", program))?;
    for place in calm.places() {
        options.play(
            || format!("purged at {place}"),
            || purged_at(&calm.shape, place),
        )?;
    }
    Ok(())
}

fn purged_at(shape: &Shape, place: u64) -> Result<(), Failure> {
    let world = World::new(shape);
    world.points.poke_at([place]);
    let lived = world.live(async |host: &Host| {
        let purged = async {
            host.points.poke().await;
            let mut all = host.shelf.summaries().into_iter();
            let has_ended = all.any(|one| one.standing.is_end());
            let purged = host.sagas.purge(&RunId::of(&SAGA.into(), "key")).await;
            expect(purged.is_ok() == has_ended, || {
                format!("a purge was answered with {purged:?}")
            })
        };
        let (run, purged) = tokio::join!(story::start(host, SAGA, "key"), purged);
        purged.and(run.map(|_| ()))?;
        host.quiet().await?;
        if let Ok(run) = host.run() {
            let purged = host.sagas.purge(&run).await;
            purged.map_err(|error| Failure::new(error.to_string()))?;
        }
        // Whatever was still to wake it does so now.
        sleep(Duration::from_secs(3_600)).await;
        host.stop().await
    })?;
    lived.unwrap_or(Ok(()))?;
    expect(world.shelf.summaries().is_empty(), || {
        "a purged run is back".to_owned()
    })
}

/// An ended run is begun again from each of its commands.
pub(super) fn rerun(options: &Options) -> Result<(), Failure> {
    for shape in crate::shapes::all() {
        let calm = Calm::of(shape)?;
        let run = RunId::of(&SAGA.into(), "key");
        let commands = told(&calm.world, &run)?.state.commands();
        for from in 0..=commands + 1 {
            let what = || format!("shape: {}, from {from}", calm.shape.name);
            options.play(what, || again(&calm, from))?;
        }
    }
    Ok(())
}

/// What can be begun again comes out as it did, and what it had before is not done again.
fn again(calm: &Calm, from: u32) -> Result<(), Failure> {
    let (shape, world) = (&calm.shape, &calm.world);
    let lived = world.live(async |host: &Host| {
        let run = RunId::of(&SAGA.into(), "key");
        let rerun = match host.sagas.rerun(&run, from, by("rerun")).await {
            Ok(rerun) => rerun,
            Err(DeskError::Invalid(_)) => return Ok(()),
            Err(error) => return Err(Failure::new(error.to_string())),
        };
        for name in &shape.signals {
            story::signal(host, &rerun, name).await?;
        }
        let end = host.sagas.end_of(&rerun).await;
        let end = end.map_err(|error| Failure::new(error.to_string()))?;
        let is_completed = matches!(end, skald_core::saga::End::Completed { .. });
        let was_completed = calm.ending.standing == Standing::Completed;
        expect(is_completed == was_completed, || {
            format!("it came out as {end:?}")
        })?;
        host.quiet().await?;
        host.stop().await
    })?;
    lived.unwrap_or(Ok(()))?;
    let wrongs = world.ledger.violations();
    expect(wrongs.is_empty(), || wrongs.join("; "))
}

fn told(world: &World, run: &RunId) -> Result<invariants::Told, Failure> {
    invariants::tell(world, run, Standing::Running, String::new())
}

/// Steps whose callees do not know keys are sent once, whatever happens; then a person decides.
pub(super) fn write_once(options: &Options) -> Result<(), Failure> {
    let mut shape = Shape::new("once", [Node::Call(1), Node::Call(2)]);
    shape.plan.forgetful = [1, 2].into();
    let calm = Calm::of(shape)?;
    for place in calm.places() {
        let what = || format!("dies at {place}");
        options.play(what, || once(&calm.shape, Some(place)).map(|_| ()))?;
    }
    let faults = [
        Fault::Before,
        Fault::After,
        Fault::Hang,
        Fault::Trap,
        Fault::Busy,
        Fault::Panic,
    ];
    for (fault, step) in pairs(faults, [1, 2]) {
        let faulty = calm.shape.clone().faulty(step, [fault]);
        options.play(
            || format!("{fault:?} at {step}"),
            || {
                let is_unknown = once(&faulty, None)?;
                expect(is_unknown == (fault != Fault::Busy), || {
                    format!("it is parked: {is_unknown}")
                })
            },
        )?;
    }
    Ok(())
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
    let run = RunId::of(&SAGA.into(), "key");
    let reason = told(&world, &run)?
        .state
        .parked()
        .map(|(reason, _)| reason.clone());
    let is_unknown = matches!(reason, Some(Parked::StepUnknown { .. }));
    expect(is_unknown == (ending.standing == Standing::Parked), || {
        format!("it is parked: {reason:?}")
    })?;
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
    expect(standing == Standing::Completed, || {
        format!("it is {standing:?}")
    })?;
    Ok(is_unknown)
}
