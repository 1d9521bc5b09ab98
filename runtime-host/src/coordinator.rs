//! The coordinator of the application's sagas, and what it inherits from nodes that have died.

use std::{sync::Arc, time::Duration};

use skald_core::{
    saga::{journal::Journal, owners::Owners, play::Play},
    store::StoreError,
};
use skald_engine::Engine;
use skald_saga::{Config, Sagas};
use skald_telemetry::tasks::Tasks;

use crate::{application::Application, guard::FileGuard, members::Members, revisions::Revisions};

/// How long after a store that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The application's sagas, each with how its steps are tried.
fn policies(application: &Application) -> Config {
    let components = application.app.components.iter();
    let sagas = components.filter_map(|(id, component)| {
        let is_here = application.served.contains(id);
        let saga = component.settings.saga.as_ref().filter(|_| is_here)?;
        Some((id.clone(), saga.policies.clone()))
    });
    Config {
        sagas: sagas.collect(),
        ..Config::default()
    }
}

/// A coordinator over the application's data; none where it has no sagas.
pub(crate) fn coordinate(
    application: &Application,
    engine: &Arc<Engine>,
    (journal, guard): (&Arc<dyn Journal>, Option<FileGuard>),
    members: &Arc<Members>,
    tasks: &Tasks,
) -> Option<Sagas> {
    let mut config = policies(application);
    if config.sagas.is_empty() {
        return None;
    }
    if let Some(guard) = guard {
        config.guard = Arc::new(guard);
    }
    config.epoch = members.epoch();
    config.owners = Arc::clone(members) as Arc<dyn Owners>;
    let play: Arc<dyn Play> = Arc::clone(engine) as Arc<dyn Play>;
    let sagas = Sagas::new(config, Arc::clone(journal), play, tasks);
    let time = sagas.clone().keep_time(tasks.shutdown());
    tasks.spawn("timers of sagas", time);
    Some(sagas)
}

/// Takes up the runs of nodes that have died, each time that what is whose to do may have changed.
pub(crate) fn inherit(
    sagas: &Sagas,
    journal: &Arc<dyn Journal>,
    revisions: Revisions,
    members: &Arc<Members>,
    tasks: &Tasks,
) {
    let heir = Heir {
        sagas: sagas.clone(),
        journal: Arc::clone(journal),
        revisions,
        members: Arc::clone(members),
    };
    let (mut changes, shutdown) = (members.changes(), tasks.shutdown());
    tasks.spawn("runs of nodes that have died", async move {
        loop {
            tokio::select! {
                biased;
                () = shutdown.wait() => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
            tokio::select! {
                biased;
                () = shutdown.wait() => return,
                () = heir.take_up() => (),
            }
        }
    });
}

/// What it takes to carry on what others began.
struct Heir {
    sagas: Sagas,
    journal: Arc<dyn Journal>,
    revisions: Revisions,
    members: Arc<Members>,
}

// === impl Heir ===

impl Heir {
    /// Until it has.
    async fn take_up(&self) {
        while let Err(error) = self.try_to().await {
            tracing::warn!(%error, "the runs of other nodes cannot be seen; it is tried again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The code comes first: a run whose code is not there is parked. Last, others are told that they can rely on what the
    /// store has of this node's runs.
    async fn try_to(&self) -> Result<(), StoreError> {
        let life = self.journal.life();
        self.revisions.revive().await?;
        self.sagas.recover().await?;
        self.sagas.verify().await?;
        self.members.vouch(life).await
    }
}
