//! The code of sagas, kept for as long as a run needs it: in the data directory, and where nodes share their data also
//! there, so that a node which takes a run over has its code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use skald_core::{
    manifest::ComponentId,
    saga::{
        journal::{self, Journal, Standing, Summary},
        play::Play,
    },
    store::{Change, CommitError, Key, Store, StoreError},
};
use skald_engine::{Engine, Spec};
use skald_telemetry::clock;

use crate::files::{self, Lasting};

/// The folder of the data in which the code of sagas is kept, each file named by its digest.
const FOLDER: &str = "revisions";

/// The host's own store for code that nodes share.
const LABEL: &str = "$revisions";

/// So many names of shared code are looked at; code that is not among them is only written once more.
const MOST: usize = 10_000;

/// The code of sagas.
pub(crate) struct Revisions {
    engine: Arc<Engine>,
    journal: Arc<dyn Journal>,
    folder: PathBuf,
    /// Where nodes share it, if they do.
    shared: Option<Arc<dyn Store>>,
}

// === impl Revisions ===

impl Revisions {
    pub(crate) fn new(
        engine: &Arc<Engine>,
        journal: &Arc<dyn Journal>,
        data: &Path,
        shared: Option<Arc<dyn Store>>,
    ) -> Self {
        Self {
            engine: Arc::clone(engine),
            journal: Arc::clone(journal),
            folder: data.join(FOLDER),
            shared,
        }
    }

    /// Keeps the code of today's sagas, makes that of unfinished runs ready, and forgets code that no run needs.
    ///
    /// A run whose code is not there any more is parked when it is played, so that nothing here keeps the host from
    /// starting.
    pub(crate) async fn revise(&self, specs: &[Spec]) -> Result<(), StoreError> {
        let current = self.current(specs);
        if let Err(error) = self.keep(specs, &current).await {
            let folder = self.folder.display();
            tracing::warn!(%error, %folder, "the code of sagas could not be kept: after an upgrade, runs that began before it would be parked");
        }
        let mut needed: BTreeSet<_> = current.into_keys().collect();
        needed.extend(self.revive().await?);
        forget(&self.folder, &needed);
        Ok(())
    }

    /// Makes the code of all unfinished runs ready that is not. Answers which code that is.
    pub(crate) async fn revive(&self) -> Result<BTreeSet<String>, StoreError> {
        let unfinished = self.unfinished().await?;
        for (component, revision) in &unfinished {
            if self.engine.current(component).as_ref() == Some(revision) {
                continue;
            }
            let wasm = self.file(revision);
            if let Err(error) = self.fetch(revision, &wasm).await {
                tracing::warn!(%component, revision, %error, "the code of runs cannot be fetched");
            }
            let (engine, revived) = (Arc::clone(&self.engine), revision.clone());
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
                Err(error) => {
                    tracing::error!(%component, revision, %error, "the compiler broke off");
                }
            }
        }
        Ok(unfinished
            .into_iter()
            .map(|(_, revision)| revision)
            .collect())
    }

    /// The revisions that new runs begin with.
    fn current(&self, specs: &[Spec]) -> BTreeMap<String, ComponentId> {
        let sagas = specs.iter().filter(|spec| spec.saga);
        sagas
            .filter_map(|spec| Some((self.engine.current(&spec.id)?, spec.id.clone())))
            .collect()
    }

    async fn keep(
        &self,
        specs: &[Spec],
        revisions: &BTreeMap<String, ComponentId>,
    ) -> Result<(), StoreError> {
        let shared = self.shared_names().await?;
        for (revision, component) in revisions {
            let Some(spec) = specs.iter().find(|spec| spec.id == *component) else {
                continue;
            };
            let file = self.file(revision);
            let is_shared = shared.as_ref().is_none_or(|names| names.contains(revision));
            if is_shared && file.exists() {
                continue;
            }
            let code = fs::read(&spec.source).map_err(|error| unavailable(&error))?;
            if !file.exists() {
                write(&file, &code).map_err(|error| unavailable(&error))?;
            }
            if !is_shared {
                self.share(revision, code.into()).await?;
            }
        }
        Ok(())
    }

    /// The code that nodes share already, where they do.
    async fn shared_names(&self) -> Result<Option<BTreeSet<String>>, StoreError> {
        let Some(shared) = &self.shared else {
            return Ok(None);
        };
        let mut view = shared.snapshot().await?;
        let names = view.keys(&Arc::from(LABEL), None, MOST).await?;
        Ok(Some(names.iter().map(ToString::to_string).collect()))
    }

    /// Gives other nodes the code.
    async fn share(&self, revision: &str, code: Bytes) -> Result<(), StoreError> {
        let Some(shared) = &self.shared else {
            return Ok(());
        };
        let change = Change {
            writes: vec![(key(revision), Some(code))],
            ..Change::default()
        };
        match shared.commit(change, clock::now()).await {
            Err(CommitError::Store(error)) => Err(error),
            // Another node was quicker, which is as good.
            Ok(()) | Err(CommitError::Conflict(_) | CommitError::AlreadyHandled(_)) => Ok(()),
        }
    }

    /// Takes from other nodes what is not here.
    async fn fetch(&self, revision: &str, file: &Path) -> Result<(), StoreError> {
        let Some(shared) = self.shared.as_ref().filter(|_| !file.exists()) else {
            return Ok(());
        };
        let found = shared.snapshot().await?.get(&key(revision)).await?;
        match found.value {
            Some(code) => write(file, &code).map_err(|error| unavailable(&error)),
            None => Ok(()),
        }
    }

    /// Which code the runs that have not ended need.
    async fn unfinished(&self) -> Result<BTreeSet<(ComponentId, String)>, StoreError> {
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
        journal::each(&*self.journal, unfinished.collect(), note).await?;
        Ok(found)
    }

    fn file(&self, revision: &str) -> PathBuf {
        self.folder.join(format!("{revision}.wasm"))
    }
}

fn key(revision: &str) -> Key {
    Key {
        store: Arc::from(LABEL),
        name: Arc::from(revision),
    }
}

fn unavailable(error: &io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// Writes code to its file.
fn write(file: &Path, code: &[u8]) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    files::replace(file, code, Lasting::Machine)
}

/// Deletes code that neither a run nor a new start needs.
fn forget(folder: &Path, needed: &BTreeSet<String>) {
    let Ok(files) = fs::read_dir(folder) else {
        return;
    };
    let is_needed = |path: &PathBuf| {
        let name = path.file_stem().and_then(|stem| stem.to_str());
        name.is_some_and(|revision| needed.contains(revision))
    };
    for path in files.flatten().map(|file| file.path()) {
        if !is_needed(&path) && fs::remove_file(&path).is_ok() {
            tracing::info!(file = %path.display(), "code that no run needs any more is forgotten");
        }
    }
}
