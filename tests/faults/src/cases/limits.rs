//! What is too large, too long, or too many.

use std::time::Duration;

use skald_core::saga::{
    Input, Verb,
    desk::{Desk as _, DeskError, Signal},
    journal::Standing,
};
use skald_saga::StartError;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::Options;
use crate::{
    Failure, expect,
    program::{Breakage, Fate, Node, guarded, scope},
    shapes::Shape,
    story,
    world::{Host, SAGA, World, start},
};

/// Payloads and histories over their limits stop one run, and no other.
pub(super) fn sizes(options: &Options) -> Result<(), Failure> {
    options.play(String::new, too_long)
}

fn too_long() -> Result<(), Failure> {
    let calls = guarded(1).into_iter().chain((10..40).map(Node::Call));
    let long = Shape::new("long", [scope(calls, Fate::Commit)]);
    let mut world = World::new(&long);
    world.config.history = 30;
    let parked = story::play(&world, &long)?.standing;
    expect(parked == Standing::Parked, || format!("it is {parked:?}"))?;
    let lived = world.live(async |host: &Host| {
        too_large(host).await?;
        acted(host, Verb::Retry).await?;
        let parked = host.shelf.summaries().into_iter();
        let mut still = parked.map(|one| one.standing);
        expect(still.all(|one| one == Standing::Parked), || {
            "a full journal goes on".to_owned()
        })?;
        acted(host, Verb::Rollback).await
    })?;
    lived.unwrap_or(Ok(()))?;
    world.check()?;
    let standing = story::ending(&world)?.standing;
    expect(standing == Standing::RolledBack, || {
        format!("it is {standing:?}")
    })
}

/// Signals for a full journal, signals that are too large, and starts that are, are refused.
async fn too_large(host: &Host) -> Result<(), Failure> {
    let run = host.run()?;
    let signal = |size: usize| Signal {
        id: size.to_string(),
        name: "go".to_owned(),
        payload: vec![0; size].into(),
    };
    for size in [1, 2 << 20] {
        let signalled = host.sagas.signal(&run, signal(size)).await;
        expect(matches!(signalled, Err(DeskError::Invalid(_))), || {
            format!("a signal of {size} bytes was answered with {signalled:?}")
        })?;
    }
    let mut large = start(SAGA, "large");
    large.input = Input::Message(vec![0; 2 << 20]);
    let begun = host.sagas.start(large).await;
    expect(matches!(begun, Err(StartError::TooLarge { .. })), || {
        format!("a large start was answered with {begun:?}")
    })
}

async fn acted(host: &Host, verb: Verb) -> Result<(), Failure> {
    let run = host.run()?;
    let acted = host.act(&run, verb).await;
    acted.map_err(|error| Failure::new(error.to_string()))?;
    host.quiet().await
}

/// Thousands of starts at once, with four places for instances.
pub(super) fn crowd(options: &Options) -> Result<(), Failure> {
    let count = if options.is_quick { 500 } else { 2_000 };
    options.play(|| format!("{count} starts"), || crowded(count))
}

fn crowded(count: usize) -> Result<(), Failure> {
    let body = [
        scope(guarded(1), Fate::Commit),
        Node::Sleep(60_000),
        Node::Call(2),
    ];
    let mut world = World::new(&Shape::new("crowd", body));
    world.config.live = 4;
    let lived = world.live(async |host: &Host| {
        let mut starts = JoinSet::new();
        for number in 0..count {
            let (sagas, start) = (host.sagas.clone(), start(SAGA, &number.to_string()));
            starts.spawn(async move { sagas.start(start).await.is_ok() });
        }
        let begun = starts.join_all().await;
        expect(begun.into_iter().all(|is_begun| is_begun), || {
            "a start was refused".to_owned()
        })?;
        host.quiet().await?;
        host.stop().await
    })?;
    lived.unwrap_or(Ok(()))?;
    world.check()?;
    let all = world.shelf.summaries();
    let is_done = all.iter().all(|one| one.standing == Standing::Completed);
    expect(is_done && all.len() == count, || {
        "not all runs are completed".to_owned()
    })?;
    let most = world.actors.most_playing();
    expect(most <= 4, || format!("{most} instances were there at once"))
}

/// I11: poisoned runs, which compute for ever, crash and crash, do not delay the others beyond their share.
pub(super) fn poison(options: &Options) -> Result<(), Failure> {
    for how in [Breakage::Trap, Breakage::Spin, Breakage::Memory] {
        options.play(|| format!("{how:?}"), || poisoned(how))?;
    }
    Ok(())
}

fn poisoned(how: Breakage) -> Result<(), Failure> {
    let healthy = Shape::new("healthy", [Node::Call(1), Node::Call(2)]);
    let mut world = World::new(&healthy);
    world.config.live = 4;
    let poisoned = Shape::new("poisoned", [Node::Call(1), Node::Break(how, 0)]);
    world.learn("poison", &poisoned);
    let lived = world.live(async |host: &Host| {
        for number in 0..3 {
            story::start(host, "poison", &number.to_string()).await?;
        }
        let from = Instant::now();
        for number in 0..50 {
            let run = story::start(host, SAGA, &number.to_string()).await?;
            let end = timeout(Duration::from_secs(60), host.sagas.end_of(&run)).await;
            expect(matches!(end, Ok(Ok(_))), || {
                "I11 isolation: a run is held up".to_owned()
            })?;
        }
        let taken = from.elapsed();
        expect(taken < Duration::from_secs(2), || {
            format!("I11 isolation: fifty runs beside three poisoned ones took {taken:?}")
        })?;
        host.quiet().await
    })?;
    lived.unwrap_or(Ok(()))?;
    world.check()
}
