//! Messages that come more than once.

use skald_core::saga::Input;
use skald_saga::StartError;

use super::{Calm, Options};
use crate::{
    Failure, expect,
    ledger::Fault,
    shapes::{self, Shape},
    story,
    world::{Host, SAGA, World, start},
};

/// Every start and signal three times, every request twice at once; and all again after the end.
pub(super) fn doubled(options: &Options) -> Result<(), Failure> {
    doubled_in(options, shapes::all())
}

/// The same in these shapes.
pub(super) fn doubled_in(options: &Options, shapes: Vec<Shape>) -> Result<(), Failure> {
    for shape in shapes {
        let calm = Calm::of(shape)?;
        options.play(|| calm.shape.name.clone(), || thrice(&calm))?;
    }
    Ok(())
}

fn thrice(calm: &Calm) -> Result<(), Failure> {
    let mut shape = calm.shape.clone();
    for step in calm.steps(false) {
        shape.plan.add(step, false, Fault::Double);
    }
    for step in calm.steps(true) {
        shape.plan.add(step, true, Fault::Double);
    }
    let world = World::new(&shape);
    let ending = story::play_with(&world, &shape, async |host| {
        story::send(host, &shape).await?;
        story::send(host, &shape).await.map(|_| ())
    })?;
    calm.compare(&ending)?;
    let before = world.ledger.effects();
    calm.compare(&story::play(&world, &shape)?)?;
    expect(world.ledger.effects() == before, || {
        "late messages had an effect".to_owned()
    })
}

/// One run for a key, whatever comes with it.
pub(super) fn start_keys(options: &Options) -> Result<(), Failure> {
    for shape in shapes::small() {
        options.play(|| shape.name.clone(), || begun_once(&shape))?;
    }
    Ok(())
}

fn begun_once(shape: &Shape) -> Result<(), Failure> {
    let world = World::new(shape);
    let lived = world.live(async |host: &Host| {
        let same = || host.start(SAGA, "key");
        let (one, two, other) = tokio::join!(same(), same(), another(host));
        let run = one.map_err(|error| Failure::new(error.to_string()))?;
        let is_one = two.is_ok_and(|two| two == run);
        expect(is_one, || "two runs have begun".to_owned())?;
        is_conflict(&other)?;
        host.quiet().await?;
        is_conflict(&another(host).await)
    })?;
    lived.unwrap_or(Ok(()))?;
    world.check()?;
    let runs = world.shelf.summaries().len();
    expect(runs == 1, || format!("there are {runs} runs"))
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
