//! Where everything durable is: in a file of this machine, or in Redis, where other nodes share it.

mod embedded;

use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
};

use skald_core::{
    event::{EventLog, archive::Archive},
    manifest::{App, ComponentId},
    node::Nodes,
    saga::journal::Journal,
    store::Store,
};
use skald_store::{
    Embedded,
    redis::{self, Doctor, Granted, Notice, Redis, Verdict},
};
use skald_telemetry::{ids, tasks::Tasks};

use self::embedded::Single;
use crate::{
    application::Application,
    bell::Bell,
    files::{self, Lasting},
    lifecycle::Failure,
    settings::Settings,
};

/// The store of the host itself, as a component's name that no component has.
const HOST: &str = "$host";

/// The file of a data directory that names the node.
const NODE: &str = "node";

/// Where everything durable is. Clones are the same.
#[derive(Clone)]
pub(crate) struct Data {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) archive: Arc<dyn Archive>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) nodes: Arc<dyn Nodes>,
    kept: Kept,
}

#[derive(Clone)]
enum Kept {
    Embedded(Embedded, Arc<dyn Store>),
    Redis {
        redis: Redis,
        /// Keeps other processes from being the same node.
        _lock: Arc<File>,
    },
}

// === impl Data ===

impl Data {
    /// Opens what the settings name. The bell is rung at each commit that may have published something.
    pub(crate) async fn open(
        settings: &Settings,
        application: &Application,
        bell: Arc<Bell>,
        tasks: &Tasks,
    ) -> Result<Self, Failure> {
        match &settings.redis {
            None => Self::embedded(&settings.data, bell),
            Some(config) => Self::redis(settings, config, application, bell, tasks).await,
        }
    }

    fn embedded(data: &Path, bell: Arc<Bell>) -> Result<Self, Failure> {
        let mut config = skald_store::Config::new(data);
        config.on_events = Arc::new(move || bell.anything());
        let store = Embedded::open(config)?;
        let port: Arc<dyn Store> = Arc::new(store.clone());
        Ok(Self {
            log: Arc::new(store.clone()),
            archive: Arc::new(store.clone()),
            journal: Arc::new(store.clone()),
            nodes: Arc::new(Single::new(Arc::clone(&port))),
            kept: Kept::Embedded(store, port),
        })
    }

    async fn redis(
        settings: &Settings,
        config: &redis::Config,
        application: &Application,
        bell: Arc<Bell>,
        tasks: &Tasks,
    ) -> Result<Self, Failure> {
        let lock = skald_store::claim(&settings.data)?;
        let mut config = config.clone();
        if config.application.is_empty() {
            config.application.clone_from(&application.app.name);
        }
        config.components = granted(&application.app);
        config.keeps_all = examine(&config, settings.accept_redis_durability).await?;
        let redis = Redis::open(config).await?;
        listen(&redis, application, bell, tasks);
        Ok(Self {
            log: Arc::new(redis.clone()),
            archive: Arc::new(redis.clone()),
            journal: Arc::new(redis.clone()),
            nodes: Arc::new(redis.clone()),
            kept: Kept::Redis {
                redis,
                _lock: Arc::new(lock),
            },
        })
    }

    /// The store that a component's units of work are committed to.
    pub(crate) fn of(&self, component: &ComponentId) -> Arc<dyn Store> {
        match &self.kept {
            Kept::Embedded(_, port) => Arc::clone(port),
            Kept::Redis { redis, .. } => redis.of(component.as_str()),
        }
    }

    /// The store of the host itself.
    pub(crate) fn host(&self) -> Arc<dyn Store> {
        self.of(&ComponentId::from(HOST))
    }

    /// Whether other nodes can share it.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.kept, Kept::Redis { .. })
    }

    /// Writes what is still to be written, and lets go of it.
    pub(crate) async fn close(&self) {
        if let Kept::Embedded(store, _) = &self.kept {
            store.close().await;
        }
    }
}

/// Refuses a Redis that would lose what it has acknowledged, unless that was accepted. Says whether it is one that would not.
async fn examine(config: &redis::Config, is_accepted: bool) -> Result<bool, Failure> {
    let report = Doctor::examine(config).await;
    let is_fit = report.is_usable() && (report.is_durable() || is_accepted);
    let findings = report.findings.iter();
    let found: Vec<_> = findings
        .filter(|finding| finding.verdict != Verdict::Well)
        .map(ToString::to_string)
        .collect();
    if !is_fit {
        return Err(Failure::Unfit(found.join("\n  ")));
    }
    for found in found {
        tracing::warn!("Redis: {found}");
    }
    Ok(report.is_durable())
}

/// What each component is granted, so that what commits together is kept together.
fn granted(app: &App) -> Vec<Granted> {
    let granted = |(id, component): (&ComponentId, &skald_core::manifest::Component)| Granted {
        component: Arc::from(id.as_str()),
        stores: component
            .key_value_stores
            .iter()
            .map(|label| Arc::from(label.as_str()))
            .collect(),
    };
    app.components.iter().map(granted).collect()
}

/// Hears what other nodes and strangers publish.
fn listen(redis: &Redis, application: &Application, bell: Arc<Bell>, tasks: &Tasks) {
    let topics = application.subscriptions.values().flatten().cloned();
    let (mut news, shutdown) = (redis.watch(topics), tasks.shutdown());
    tasks.spawn("news from Redis", async move {
        loop {
            let notice = tokio::select! {
                biased;
                () = shutdown.wait() => return,
                notice = news.next() => notice,
            };
            match notice {
                Notice::Own(published) | Notice::Outside(published) => bell.news(published),
                Notice::Anew => bell.anew(),
            }
        }
    });
}

/// The name of the node that has this directory: made at its first start, and kept, so that a node that is started again
/// takes the place of what it was before.
pub(crate) fn node(directory: &Path) -> io::Result<String> {
    let file = directory.join(NODE);
    match fs::read_to_string(&file) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let name = format!("node_{:016x}", ids::span_id());
    files::replace(&file, format!("{name}\n").as_bytes(), Lasting::Process)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::node;

    #[test]
    fn a_node_keeps_its_name() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = node(one.path()).unwrap();
        assert_eq!(node(one.path()).unwrap(), name);
        assert_ne!(node(other.path()).unwrap(), name);
    }
}
