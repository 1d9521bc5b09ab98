//! Messages that come more than once.

use skald_core::saga::Input;
use skald_saga::StartError;

use super::Options;
use crate::{
    Failure, expect,
    ledger::Fault,
    shapes,
    story,
    world::{Host, SAGA, World, start},
};

/// Every start and signal three times, every request twice at once; and all again after the end.
pub(super) fn doubled(options: &Options) -> Result<u64, Failure> {
    let mut worlds = 0;
    for mut shape in shapes::all() {
        let (expected, _) = story::undisturbed(&shape)?;
        for step in 1..=5 {
            let is_faulty = shape.plan.smaller().len() > 0;
            if !is_faulty {
                shape.plan.forward(step, [Fault::Double]);
                shape.plan.undo(step, [Fault::Double]);
            }
        }
        let world = World::new(&shape);
        let played = story::play_with(&world, &shape, async |host| {
            for _ in 0..2 {
                story::send(host, &shape).await?;
            }
            Ok(())
        });
        let ending = played.map_err(|failure| failure.note(&shape.name))?;
        story::same(&shape, &ending, &expected).map_err(|failure| failure.note(&shape.name))?;
        let before = world.ledger.effects();
        let late = story::play(&world, &shape)?;
        story::same(&shape, &late, &expected).map_err(|failure| failure.note(&shape.name))?;
        expect(world.ledger.effects() == before, || {
            format!("{}: late messages had an effect", shape.name)
        })?;
        worlds += 2;
        (options.progress)(worlds);
    }
    Ok(worlds)
}

/// One run for a key, whatever comes with it.
pub(super) fn start_keys(options: &Options) -> Result<u64, Failure> {
    let shapes = shapes::small();
    for (number, shape) in (0..).zip(&shapes) {
        let world = World::new(shape);
        let lived = world.live(async |host: &Host| {
            let same = || host.start(SAGA, "key");
            let (one, two, other) = tokio::join!(same(), same(), another(host));
            let run = one.map_err(|error| Failure::new(error.to_string()))?;
            expect(two.is_ok_and(|two| two == run), || "two runs have begun".to_owned())?;
            is_conflict(&other)?;
            host.quiet().await?;
            is_conflict(&another(host).await)
        })?;
        lived.unwrap_or(Ok(()))?;
        world.check()?;
        expect(world.shelf.summaries().len() == 1, || {
            format!("{}: there is more than one run", shape.name)
        })?;
        (options.progress)(number + 1);
    }
    Ok(shapes.len() as u64)
}

async fn another(host: &Host) -> Result<skald_saga::Begun, StartError> {
    let mut start = start(SAGA, "key");
    start.input = Input::Message(b"other".to_vec());
    host.sagas.start(start).await
}

fn is_conflict(begun: &Result<skald_saga::Begun, StartError>) -> Result<(), Failure> {
    expect(matches!(begun, Err(StartError::Conflict { .. })), || {
        format!("a key with another input was answered with {begun:?}")
    })
}

