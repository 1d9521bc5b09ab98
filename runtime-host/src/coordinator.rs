//! The coordinator of the application's sagas, and the code that their runs began with.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use skald_core::{
    manifest::{App, ComponentId},
    saga::{
        journal::{self, Journal, Standing, Summary},
        play::Play,
    },
    store::{Change, CommitError, Key, Store, StoreError, Subject},
};
use skald_engine::{Engine, Spec};
use skald_saga::{Config, Sagas};
use skald_store::Embedded;
use skald_telemetry::{clock, tasks::Tasks};

/// The folder of the data in which the code of sagas is kept, each file named by its digest.
const REVISIONS: &str = "revisions";

/// The application's sagas, each with how its steps are tried.
fn policies(app: &App) -> Config {
    let sagas = app.components.iter().filter_map(|(id, component)| {
        let saga = component.settings.saga.as_ref()?;
        Some((id.clone(), saga.policies.clone()))
    });
    Config {
        sagas: sagas.collect(),
        ..Config::default()
    }
}

/// A coordinator over the application's data; none where it has no sagas.
pub(crate) async fn coordinate(
    app: &App,
    engine: &Arc<Engine>,
    store: &Embedded,
    tasks: &Tasks,
) -> Result<Option<Sagas>, StoreError> {
    let mut config = policies(app);
    if config.sagas.is_empty() {
        return Ok(None);
    }
    config.epoch = next_epoch(store).await?;
    let journal: Arc<dyn Journal> = Arc::new(store.clone());
    let play: Arc<dyn Play> = Arc::clone(engine) as Arc<dyn Play>;
    let sagas = Sagas::new(config, journal, play, tasks);
    let time = sagas.clone().keep_time(tasks.shutdown());
    tasks.spawn("timers of sagas", time);
    Ok(Some(sagas))
}

/// The number of this start: what an earlier start still has in hand is refused by the journals.
async fn next_epoch(store: &Embedded) -> Result<u64, StoreError> {
    let key = Key {
        store: Arc::from("$host"),
        name: Arc::from("epoch"),
    };
    loop {
        let seen = store.snapshot().await?.get(&key).await?;
        let last = match seen.value.as_deref() {
            None => 0,
            Some(bytes) => <[u8; 8]>::try_from(bytes)
                .map(u64::from_le_bytes)
                .map_err(|_| StoreError::Corrupt("the number of the last start".to_owned()))?,
        };
        let next = last.saturating_add(1);
        let bytes = Bytes::copy_from_slice(&next.to_le_bytes());
        let change = Change {
            reads: vec![(Subject::Key(key.clone()), seen.version)],
            writes: vec![(key.clone(), Some(bytes))],
            ..Change::default()
        };
        match store.commit(change, clock::now()).await {
            Ok(()) => return Ok(next),
            Err(CommitError::Conflict(_) | CommitError::AlreadyHandled(_)) => {}
            Err(CommitError::Store(error)) => return Err(error),
        }
    }
}

/// Keeps the code of today's sagas, makes that of unfinished runs ready, and forgets code that no run needs.
///
/// A run whose code is not there any more is parked when it is played, so that nothing here keeps the host from starting.
pub(crate) async fn revise(
    specs: &[Spec],
    engine: &Arc<Engine>,
    store: &Embedded,
    data: &Path,
) -> Result<(), StoreError> {
    let folder = data.join(REVISIONS);
    let mut needed = current(specs, engine);
    if let Err(error) = keep(specs, &needed, &folder) {
        tracing::warn!(%error, folder = %folder.display(), "the code of sagas could not be kept: after an upgrade, runs that began before it would be parked");
    }
    for (component, revision) in unfinished(store).await? {
        if needed.contains_key(&revision) {
            continue;
        }
        let wasm = folder.join(format!("{revision}.wasm"));
        needed.insert(revision.clone(), component.clone());
        let (engine, revived) = (Arc::clone(engine), revision.clone());
        let id = component.clone();
        let revived =
            tokio::task::spawn_blocking(move || engine.revive(&id, &revived, &wasm)).await;
        match revived {
            Ok(Ok(())) => {
                tracing::info!(%component, revision, "runs of another revision go on with it");
            }
            Ok(Err(error)) => {
                tracing::warn!(%component, revision, %error, "runs of this revision cannot go on and will be parked");
            }
            Err(error) => tracing::error!(%component, revision, %error, "the compiler broke off"),
        }
    }
    forget(&folder, &needed);
    Ok(())
}

/// The revisions that new runs begin with.
fn current(specs: &[Spec], engine: &Engine) -> BTreeMap<String, ComponentId> {
    let sagas = specs.iter().filter(|spec| spec.saga);
    sagas
        .filter_map(|spec| Some((engine.current(&spec.id)?, spec.id.clone())))
        .collect()
}

/// Writes the code of each revision that is not there, so that it is there whole or not at all.
fn keep(
    specs: &[Spec],
    revisions: &BTreeMap<String, ComponentId>,
    folder: &Path,
) -> io::Result<()> {
    if revisions.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    for (revision, component) in revisions {
        let place = folder.join(format!("{revision}.wasm"));
        let source = specs.iter().find(|spec| spec.id == *component);
        let Some(source) = source.filter(|_| !place.exists()) else {
            continue;
        };
        let part = folder.join(format!("{revision}.part"));
        fs::copy(&source.source, &part)?;
        fs::File::open(&part)?.sync_all()?;
        fs::rename(&part, &place)?;
    }
    fs::File::open(folder)?.sync_all()
}

/// Which code the runs that have not ended need.
async fn unfinished(store: &Embedded) -> Result<BTreeSet<(ComponentId, String)>, StoreError> {
    let unfinished = Standing::ALL
        .into_iter()
        .filter(|standing| !standing.is_end());
    let mut found = BTreeSet::new();
    let note = |run: &Summary| {
        found.insert((
            ComponentId::from(run.component.as_str()),
            run.revision.clone(),
        ));
    };
    journal::each(store, unfinished.collect(), note).await?;
    Ok(found)
}

/// Deletes code that neither a run nor a new start needs.
fn forget(folder: &Path, needed: &BTreeMap<String, ComponentId>) {
    let Ok(files) = fs::read_dir(folder) else {
        return;
    };
    let is_needed = |path: &PathBuf| {
        let name = path.file_stem().and_then(|stem| stem.to_str());
        name.is_some_and(|revision| needed.contains_key(revision))
    };
    for path in files.flatten().map(|file| file.path()) {
        if !is_needed(&path) && fs::remove_file(&path).is_ok() {
            tracing::info!(file = %path.display(), "code that no run needs any more is forgotten");
        }
    }
}
