//! Journals that a bad disk has changed.

use bytes::Bytes;
use skald_core::saga::{
    RunId, Verb,
    desk::{Desk as _, DeskError},
    journal::{Filter, Standing},
};

use super::Options;
use crate::{
    Failure, expect,
    shapes::Shape,
    program::Node,
    story,
    world::{Host, SAGA, World},
};

/// The last entry is cut at every byte, and every bit of it is turned over.
pub(super) fn entries(options: &Options) -> Result<u64, Failure> {
    let mut worlds = 0;
    let shape = Shape::new("line", [Node::Call(1), Node::Call(2), Node::Call(3)]);
    let (_, calm) = story::undisturbed(&shape)?;
    for place in (4..calm.points.past()).step_by(7) {
        let length = last(&cut_short(&shape, place)?)?.1.len();
        let step = if options.is_quick { 11 } else { 1 };
        for at in (0..length).step_by(step) {
            damaged(&shape, place, |bytes| bytes.slice(..at))?;
            worlds += 1;
        }
        for bit in (0..length * 8).step_by(step * 3) {
            damaged(&shape, place, |bytes| {
                let mut bytes = bytes.to_vec();
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
                bytes.into()
            })?;
            worlds += 1;
            (options.progress)(worlds);
        }
    }
    Ok(worlds)
}

/// A run whose host died.
fn cut_short(shape: &Shape, place: u64) -> Result<World, Failure> {
    let world = World::new(shape);
    world.points.die_at([place]);
    let lived = world.live(async |host: &Host| {
        let sent = story::send(host, shape).await;
        sent.and(host.quiet().await)
    })?;
    expect(lived.is_none(), || "the host did not die".to_owned())?;
    Ok(world)
}

fn last(world: &World) -> Result<(RunId, Bytes), Failure> {
    let run = RunId::of(&SAGA.into(), "key");
    let last = world.shelf.bytes(&run).pop();
    last.map(|last| (run, last)).ok_or_else(|| Failure::new("there is no journal"))
}

fn damaged(
    shape: &Shape,
    place: u64,
    change: impl FnOnce(&Bytes) -> Bytes,
) -> Result<(), Failure> {
    let world = cut_short(shape, place)?;
    let (run, whole) = last(&world)?;
    world.shelf.damage(&run, change);
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let other = story::start(host, SAGA, "other").await?;
        let end = host.sagas.end_of(&other).await;
        end.map_err(|error| Failure::new(format!("another run does not end: {error}")))?;
        parked(host, &run).await?;
        let begun = host.start(SAGA, "key").await;
        expect(begun.is_ok_and(|begun| begun == run), || "it was begun again".to_owned())?;
        host.stop().await
    })?;
    lived.unwrap_or(Ok(()))?;
    // As it was: nothing was done to it, and it goes on.
    world.shelf.damage(&run, |_| whole);
    let ending = story::play(&world, shape)?;
    expect(ending.standing == Standing::Completed, || format!("it is {:?}", ending.standing))
}

/// The list has it among those that wait for a person, with the place of the damage; nothing can be done to it.
async fn parked(host: &Host, run: &RunId) -> Result<(), Failure> {
    let filter = Filter {
        standings: vec![Standing::Parked],
        limit: 10,
        ..Filter::default()
    };
    let list = host.sagas.list(&filter).await.unwrap_or_default();
    let is_it = |one: &skald_core::saga::journal::Summary| {
        one.run == *run && one.note.contains("damaged") && one.note.contains("byte")
    };
    expect(list.len() == 1 && list.iter().all(is_it), || {
        format!("the list of parked runs is {list:?}")
    })?;
    let acted = host.act(run, Verb::Retry).await;
    expect(matches!(acted, Err(DeskError::Damaged(_))), || {
        format!("retry was answered with {acted:?}")
    })?;
    let shown = host.sagas.show(run).await;
    expect(matches!(shown, Err(DeskError::Damaged(_))), || "it is shown".to_owned())
}
