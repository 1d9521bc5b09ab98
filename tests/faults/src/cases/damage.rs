//! Journals that a bad disk has changed.

use bytes::Bytes;
use skald_core::saga::{
    RunId, Verb,
    desk::{Desk as _, DeskError},
    journal::{Filter, Standing},
};

use super::{Calm, Options};
use crate::{
    Failure, expect,
    program::Node,
    shapes::Shape,
    story,
    world::{Host, SAGA, World},
};

/// The last entry is cut at every byte, and every bit of it is turned over.
pub(super) fn entries(options: &Options) -> Result<(), Failure> {
    let shape = Shape::new("line", [Node::Call(1), Node::Call(2), Node::Call(3)]);
    let calm = Calm::of(shape)?;
    let step = if options.is_quick { 11 } else { 1 };
    for place in calm.places().skip(3).step_by(7) {
        let Ok((_, whole)) = last(&cut_short(&calm.shape, place)?) else {
            continue;
        };
        for at in (0..whole.len()).step_by(step) {
            let cut = || damaged(&calm.shape, place, |bytes| bytes.slice(..at));
            options.play(|| format!("dies at {place}, cut at {at}"), cut)?;
        }
        for bit in (0..whole.len() * 8).step_by(step * 3) {
            let turn = || damaged(&calm.shape, place, |bytes| turned(bytes, bit));
            options.play(|| format!("dies at {place}, bit {bit}"), turn)?;
        }
    }
    Ok(())
}

fn turned(bytes: &Bytes, bit: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
    bytes.into()
}

/// A run whose host died.
fn cut_short(shape: &Shape, place: u64) -> Result<World, Failure> {
    let world = World::new(shape);
    world.points.die_at([place]);
    // Nobody is left to say how it went.
    let _ = world.live(async |host: &Host| {
        let sent = story::send(host, shape).await;
        sent.and(host.quiet().await)
    })?;
    Ok(world)
}

fn last(world: &World) -> Result<(RunId, Bytes), Failure> {
    let run = RunId::of(&SAGA.into(), "key");
    let last = world.shelf.bytes(&run).pop();
    last.map(|last| (run, last))
        .ok_or_else(|| Failure::new("there is no journal"))
}

fn damaged(shape: &Shape, place: u64, change: impl FnOnce(&Bytes) -> Bytes) -> Result<(), Failure> {
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
        expect(begun.is_ok_and(|begun| begun == run), || {
            "it was begun again".to_owned()
        })?;
        host.stop().await
    })?;
    lived.unwrap_or(Ok(()))?;
    // As it was: nothing was done to it, and it goes on.
    world.shelf.damage(&run, |_| whole);
    let ending = story::play(&world, shape)?;
    expect(ending.standing == Standing::Completed, || {
        format!("it is {:?}", ending.standing)
    })
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
    expect(matches!(shown, Err(DeskError::Damaged(_))), || {
        "it is shown".to_owned()
    })
}
