//! The shop's sagas with their journals in files.

use std::{fs, path::Path, sync::Arc};

use parking_lot::Mutex;
use skald_core::saga::journal::Journal;
use tempfile::TempDir;

use crate::{
    Failure,
    cases::{Calm, Options},
    files::Files,
    shapes::Shape,
    shop, story,
    world::{Host, World},
};

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by value")]
fn failed(error: impl ToString) -> Failure {
    Failure::new(error.to_string())
}

/// The host dies at every place, and the next one finds what the files have.
pub(in crate::cases) fn files(options: &Options) -> Result<(), Failure> {
    let shapes = if options.is_quick {
        shop::few()
    } else {
        shop::all()
    };
    for shape in shapes {
        let calm = Calm::of(shape)?;
        // A place more for each append: before its file is written.
        let places = 1..=calm.world.points.past() + calm.world.shelf.appends();
        for place in options.some(29, places) {
            let what = || format!("shape: {}, dies at {place}", calm.shape.name);
            options.play(what, || die(&calm, place))?;
        }
    }
    Ok(())
}

fn die(calm: &Calm, place: u64) -> Result<(), Failure> {
    let mut folder = tempfile::tempdir().map_err(failed)?;
    let opened = Mutex::new(Err(Failure::new("it is not opened")));
    let mut world = World::bare(|shelf| {
        *opened.lock() = Files::open(folder.path(), None, shelf).map(Arc::new);
        Arc::clone(shelf) as Arc<dyn Journal>
    });
    world.stage(&calm.shape);
    world.points.die_at([place]);
    let mut files = opened.into_inner()?;
    loop {
        world.journal = Arc::clone(&files) as Arc<dyn Journal>;
        if life(&world, &calm.shape)? {
            break;
        }
        // What a death leaves is a copy of the files as they are now; closing them would tidy up.
        let left = left(folder.path())?;
        world.journal = Arc::clone(&world.shelf) as Arc<dyn Journal>;
        drop(files);
        folder = left;
        files = Files::open(folder.path(), None, &world.shelf).map(Arc::new)?;
        files.copy()?;
    }
    files.close();
    world.check()?;
    let ending = story::ending(&world)?;
    let told = |failure: Failure| failure.note(story::stories(&world));
    calm.compare(&ending).map_err(told)
}

/// Whether the host lived to the end.
fn life(world: &World, shape: &Shape) -> Result<bool, Failure> {
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        story::send(host, shape).await?;
        host.quiet().await?;
        host.stop().await
    })?;
    let told = |failure: Failure| failure.note(story::stories(world));
    lived.map_or(Ok(false), |held| held.map(|()| true).map_err(told))
}

fn left(folder: &Path) -> Result<TempDir, Failure> {
    let left = tempfile::tempdir().map_err(failed)?;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // The index of the log belongs to who had it open, and is made anew.
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), left.path().join(entry.file_name())).map_err(failed)?;
        }
    }
    Ok(left)
}
