//! What is too large, too long, or too many.

use std::time::Duration;

use skald_core::saga::{
    Input, Verb,
    desk::{Desk as _, DeskError, Signal},
    journal::Standing,
};
use skald_saga::StartError;
use tokio::time::{Instant, timeout};

use super::Options;
use crate::{
    Failure, expect,
    program::{Breakage, Fate, Node, guarded, scope},
    shapes::Shape,
    story,
    world::{Host, SAGA, World, start},
};

/// Payloads and histories over their limits stop one run, and no other.
pub(super) fn sizes(options: &Options) -> Result<u64, Failure> {
    let calls = (10..40).map(Node::Call);
    let long = Shape::new("long", [scope(guarded(1).into_iter().chain(calls), Fate::Commit)]);
    let mut world = World::new(&long);
    world.config.history = 30;
    let ending = story::play(&world, &long)?;
    expect(ending.standing == Standing::Parked, || format!("it is {:?}", ending.standing))?;
    let lived = world.live(async |host: &Host| {
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
        })?;
        acted(host, Verb::Retry).await?;
        let parked = host.shelf.summaries().into_iter().all(|one| one.standing == Standing::Parked);
        expect(parked, || "a full journal goes on".to_owned())?;
        acted(host, Verb::Rollback).await
    })?;
    lived.unwrap_or(Ok(()))?;
    world.check()?;
    (options.progress)(1);
    let ending = story::ending(&world)?;
    expect(ending.standing == Standing::RolledBack, || format!("it is {:?}", ending.standing))?;
    Ok(1)
}

async fn acted(host: &Host, verb: Verb) -> Result<(), Failure> {
    let run = host.run()?;
    let acted = host.act(&run, verb).await;
    acted.map_err(|error| Failure::new(error.to_string()))?;
    host.quiet().await
}

/// Thousands of starts at once, with four places for instances.
pub(super) fn crowd(options: &Options) -> Result<u64, Failure> {
    let shape = Shape::new("crowd", [scope(guarded(1), Fate::Commit), Node::Sleep(60_000), Node::Call(2)]);
    let mut world = World::new(&shape);
    world.config.live = 4;
    let count = if options.is_quick { 500 } else { 2_000 };
    let lived = world.live(async |host: &Host| {
        let mut starts = tokio::task::JoinSet::new();
        for number in 0..count {
            let sagas = host.sagas.clone();
            starts.spawn(async move { sagas.start(start(SAGA, &number.to_string())).await.is_ok() });
        }
        let begun = starts.join_all().await;
        expect(begun.into_iter().all(|is_begun| is_begun), || "a start was refused".to_owned())?;
        host.quiet().await?;
        host.stop().await
    })?;
    lived.unwrap_or(Ok(()))?;
    world.check()?;
    let all = world.shelf.summaries();
    let is_done = all.iter().all(|one| one.standing == Standing::Completed);
    expect(is_done && all.len() == count, || "not all runs are completed".to_owned())?;
    let most = world.actors.most_playing();
    expect(most <= 4, || format!("{most} instances were there at once"))?;
    Ok(1)
}

/// I11: poisoned runs, which compute for ever, crash and crash, do not delay the others beyond their share.
pub(super) fn poison(options: &Options) -> Result<u64, Failure> {
    let healthy = Shape::new("healthy", [Node::Call(1), Node::Call(2)]);
    let mut worlds = 0;
    for how in [Breakage::Trap, Breakage::Spin, Breakage::Memory] {
        let mut world = World::new(&healthy);
        world.config.live = 4;
        let poisoned = Shape::new("poisoned", [Node::Call(1), Node::Break(how, 0)]);
        world.learn("poison", &poisoned);
        let lived = world.live(async |host: &Host| {
            let poison = (0..3).map(|number| number.to_string());
            let mut begun = Vec::new();
            for key in poison {
                begun.push(story::start(host, "poison", &key).await?);
            }
            let from = Instant::now();
            for number in 0..50 {
                let run = story::start(host, SAGA, &number.to_string()).await?;
                let end = timeout(Duration::from_secs(60), host.sagas.end_of(&run)).await;
                expect(matches!(end, Ok(Ok(_))), || "I11 isolation: a run is held up".to_owned())?;
            }
            let taken = from.elapsed();
            expect(taken < Duration::from_secs(2), || {
                format!("I11 isolation: fifty runs beside three poisoned ones took {taken:?}")
            })?;
            host.quiet().await
        })?;
        lived.unwrap_or(Ok(())).map_err(|failure| failure.note(format!("{how:?}")))?;
        world.check()?;
        worlds += 1;
        (options.progress)(worlds);
    }
    Ok(worlds)
}
