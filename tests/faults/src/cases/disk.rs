//! Journals in real files: hosts that die, files that are cut or changed, and disks without room.

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use skald_core::{
    saga::{
        RunId,
        desk::Desk as _,
        journal::{Filter, Journal, Standing},
    },
    store::StoreError,
};
use skald_saga::StartError;

use super::{Calm, Options};
use crate::{
    Failure, expect,
    files::Files,
    ledger::Effect,
    program::{Fate, Node, guarded, scope},
    shapes::Shape,
    story,
    world::{Host, Promises, SAGA, World},
};

const FILE: &str = "skald.db";
const LOG: &str = "skald.db-wal";

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by value")]
fn failed(error: impl ToString) -> Failure {
    Failure::new(error.to_string())
}

fn shape() -> Shape {
    let body = [guarded(1), guarded(2)].concat();
    Shape::new(
        "files",
        [scope(body, Fate::Commit), Node::Sleep(1_000), Node::Call(3)],
    )
}

/// A world on the files in a folder, which are as its memory has them.
fn world(folder: &Path, max_bytes: Option<u64>) -> Result<(World, Arc<Files>), Failure> {
    let opened = Mutex::new(Err(Failure::new("it is not opened")));
    let mut world = World::bare(|shelf| {
        *opened.lock() = Files::open(folder, max_bytes, shelf).map(Arc::new);
        Arc::clone(shelf) as Arc<dyn Journal>
    });
    let files = opened.into_inner()?;
    files.copy()?;
    world.journal = Arc::clone(&files) as Arc<dyn Journal>;
    let shape = shape();
    world.actors.learn(SAGA, "r1", shape.program);
    // The runs of a folder that was used before were begun by hosts of smaller epochs.
    world.begin_at_epoch(100);
    Ok((world, files))
}

/// The host dies at every place, its files are cut at every byte of what it wrote last, and the next one goes on.
pub(super) fn torn(options: &Options) -> Result<(), Failure> {
    let calm = Calm::of(shape())?;
    let (places, cuts) = if options.is_quick { (13, 601) } else { (3, 97) };
    for place in calm.places().skip(2).step_by(places) {
        let dead = tempfile::tempdir().map_err(failed)?;
        let effects = die(dead.path(), place)?;
        let length = fs::read(dead.path().join(LOG)).map_err(failed)?.len();
        // The last page of the log, which says that what is before it is whole.
        let all = length.saturating_sub(4_200)..=length;
        for cut in all.rev().step_by(cuts) {
            let what = || format!("dies at {place}, log cut at {cut} of {length}");
            options.play(what, || cut_at(dead.path(), cut, effects.clone()))?;
        }
    }
    Ok(())
}

fn cut_at(dead: &Path, cut: usize, effects: Vec<Effect>) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(failed)?;
    fs::copy(dead.join(FILE), folder.path().join(FILE)).map_err(failed)?;
    let mut log = fs::read(dead.join(LOG)).map_err(failed)?;
    log.truncate(cut);
    fs::write(folder.path().join(LOG), log).map_err(failed)?;
    goes_on(folder.path(), effects)
}

fn die(folder: &Path, place: u64) -> Result<Vec<Effect>, Failure> {
    let (world, files) = world(folder, None)?;
    world.points.die_at([place]);
    world.live(async |host: &Host| {
        let sent = story::send(host, &shape()).await;
        sent.and(host.quiet().await)
    })?;
    // What a death leaves is a copy of the files as they are now; closing them would tidy up.
    let left = folder.with_extension("left");
    fs::create_dir_all(&left).map_err(failed)?;
    for name in [FILE, LOG] {
        fs::copy(folder.join(name), left.join(name)).map_err(failed)?;
    }
    let effects = world.ledger.effects();
    drop((world, files));
    for name in [FILE, LOG] {
        fs::copy(left.join(name), folder.join(name)).map_err(failed)?;
    }
    fs::remove_dir_all(&left).map_err(failed)?;
    Ok(effects)
}

fn goes_on(folder: &Path, effects: Vec<Effect>) -> Result<(), Failure> {
    let (world, files) = world(folder, None)?;
    world.ledger.remember(effects);
    let ending = story::play(&world, &shape())?;
    files.close();
    expect(ending.standing == Standing::Completed, || {
        format!("it is {:?}", ending.standing)
    })
}

/// Bits of an entry turn over in the file: only its run stops.
pub(super) fn rotten(options: &Options) -> Result<(), Failure> {
    let good = tempfile::tempdir().map_err(failed)?;
    let entry = leave(good.path(), 14)?;
    let whole = fs::read(good.path().join(FILE)).map_err(failed)?;
    let at = whole
        .windows(entry.len())
        .position(|bytes| bytes == &entry[..]);
    let at = at.ok_or_else(|| failed("the entry is not in the file"))?;
    let step = if options.is_quick { 41 } else { 5 };
    for byte in (at..at + entry.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes
            .iter_mut()
            .skip(byte)
            .take(1)
            .for_each(|byte| *byte ^= 0x10);
        options.play(|| format!("byte {byte}"), || only_one_stops(&bytes))?;
    }
    Ok(())
}

/// Dies at this place, and leaves tidy files; answers with the last entry.
fn leave(folder: &Path, place: u64) -> Result<Bytes, Failure> {
    let (world, files) = world(folder, None)?;
    world.points.die_at([place]);
    world.live(async |host: &Host| {
        let sent = story::send(host, &shape()).await;
        sent.and(host.quiet().await)
    })?;
    files.close();
    let run = RunId::of(&SAGA.into(), "key");
    let last = world.shelf.bytes(&run).pop();
    last.ok_or_else(|| failed("there is no journal"))
}

fn only_one_stops(bytes: &[u8]) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(failed)?;
    fs::write(folder.path().join(FILE), bytes).map_err(failed)?;
    let (world, _files) = world(folder.path(), None)?;
    let run = RunId::of(&SAGA.into(), "key");
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let other = story::start(host, SAGA, "other").await?;
        host.sagas.end_of(&other).await.map_err(failed)?;
        let filter = Filter {
            standings: vec![Standing::Parked],
            limit: 10,
            ..Filter::default()
        };
        let list = host.sagas.list(&filter).await.map_err(failed)?;
        let is_it = list.len() == 1
            && list
                .iter()
                .all(|one| one.run == run && one.note.contains("damaged"));
        expect(is_it, || format!("the list of parked runs is {list:?}"))?;
        host.stop().await
    })?;
    lived.unwrap_or(Ok(()))
}

/// No room is left while runs are at work; then there is.
pub(super) fn full(options: &Options) -> Result<(), Failure> {
    options.play(String::new, || {
        let folder = tempfile::tempdir().map_err(failed)?;
        let (begun, before, promises) = fill(folder.path())?;
        let (world, files) = world(folder.path(), None)?;
        *world.promises.lock() = promises;
        world.ledger.remember(before);
        let lived = world.live(async |host: &Host| {
            host.recover().await?;
            host.quiet().await?;
            host.stop().await
        })?;
        lived.unwrap_or(Ok(()))?;
        files.close();
        world.check()?;
        let all = world.shelf.summaries();
        expect(all.len() >= begun, || {
            format!("{} of {begun} runs are there", all.len())
        })?;
        let is_done = all.iter().all(|one| one.standing == Standing::Completed);
        expect(is_done, || {
            "a run is not completed after there is room again".to_owned()
        })
    })
}

/// Begins runs until there is no room; says how many have begun, what was done, and what was promised.
fn fill(folder: &Path) -> Result<(usize, Vec<Effect>, Promises), Failure> {
    let (world, files) = world(folder, Some(400 << 10))?;
    let lived = world.live(async |host: &Host| {
        for number in 0..10_000 {
            match host.start(SAGA, &number.to_string()).await {
                Ok(_) => {}
                Err(StartError::Store(StoreError::Full(_))) => return Ok(number),
                Err(error) => return Err(failed(error)),
            }
        }
        Err(failed("the disk is never full"))
    })?;
    files.close();
    let begun = lived.unwrap_or(Ok(0))?;
    expect(begun > 10, || format!("only {begun} runs have begun"))?;
    let promises = world.promises.lock().clone();
    Ok((begun, world.ledger.effects(), promises))
}
