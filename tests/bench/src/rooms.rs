//! The rooms of the host, connected in this process as the host connects them; only the public's door is left open.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow, ensure};
use skald_core::{
    call::DynCall,
    manifest::{App, Component, DependencyTarget, Isolation},
    store::Store,
};
use skald_engine::{Compiled, Engine, Service, Spec};
use skald_gateway::Gateway;
use skald_mesh::Mesh;
use skald_store::Embedded;
use skald_telemetry::tasks::Tasks;
use tempfile::TempDir;
use tokio::sync::watch;

/// How often instances that nobody calls are looked for; the host's own pace.
const TRIM: Duration = Duration::from_secs(1);

/// The rooms of one application.
pub(crate) struct Rooms {
    /// The way of all calls.
    pub(crate) calls: Arc<dyn DynCall>,
    pub(crate) gateway: Arc<Gateway>,
    /// Owns what runs beside calls.
    pub(crate) tasks: Tasks,
    _ready: watch::Sender<bool>,
    _data: TempDir,
}

// === impl Rooms ===

impl Rooms {
    /// Reads `manifest`, lets `change` alter what it says, and connects the rooms. Needs a runtime around it.
    pub(crate) fn connect(manifest: &Path, change: impl Fn(&mut Component)) -> Result<Self> {
        let text = fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
        let mut app = App::parse(&text, &manifest.display().to_string())
            .map_err(|problems| anyhow!("{problems}"))?;
        app.components.values_mut().for_each(&change);
        let engine = Arc::new(deployed(
            &app,
            manifest.parent().context("a manifest lies in a folder")?,
        )?);
        let data = tempfile::tempdir()?;
        let store: Arc<dyn Store> =
            Arc::new(Embedded::open(skald_store::Config::new(data.path()))?);
        let mesh = Arc::new(Mesh::build(
            app.components
                .values()
                .map(|component| target(component, &store))
                .collect(),
            &engine,
        ));
        let calls: Arc<dyn DynCall> = mesh;
        engine.connect(Arc::downgrade(&calls));
        let tasks = Tasks::new();
        trim(engine, &tasks);
        let (ready, is_ready) = watch::channel(true);
        let gateway = Gateway::new(
            skald_gateway::Config::of(&app, is_ready)?,
            Arc::clone(&calls),
        );
        Ok(Self {
            calls,
            gateway: Arc::new(gateway),
            tasks,
            _ready: ready,
            _data: data,
        })
    }
}

/// The components of an application, compiled and linked.
pub(crate) fn deployed(app: &App, folder: &Path) -> Result<Engine> {
    let engine = Engine::start(skald_engine::Config::default())?;
    let compiled: Vec<Compiled> = app
        .components
        .values()
        .map(|component| engine.compile(spec(component, folder)))
        .collect::<Result<_, _>>()?;
    let unused = engine.deploy(compiled)?;
    ensure!(unused.is_empty(), "a manifest grants what nobody uses");
    Ok(engine)
}

fn spec(component: &Component, folder: &Path) -> Spec {
    let service = |dependency: &skald_core::manifest::Dependency| match &dependency.target {
        DependencyTarget::Component { id, .. } => Some(Service {
            import: dependency.name.to_string(),
            target: id.clone(),
        }),
        DependencyTarget::Path { .. } => None,
    };
    Spec {
        id: component.id.clone(),
        source: folder.join(&component.source),
        isolation: match component.settings.isolation {
            Isolation::Instance => skald_engine::Isolation::Instance,
            Isolation::Call => skald_engine::Isolation::Call,
        },
        saga: component.settings.saga.is_some(),
        memory: component.settings.memory.as_usize(),
        stores: component
            .key_value_stores
            .iter()
            .map(|label| Arc::from(label.as_str()))
            .collect(),
        // The components that are measured have no variables and nobody outside to talk to.
        outbound: Vec::new(),
        variables: Default::default(),
        environment: Vec::new(),
        services: component.dependencies.iter().filter_map(service).collect(),
        event_address: None,
    }
}

pub(crate) fn target(component: &Component, store: &Arc<dyn Store>) -> skald_mesh::Target {
    skald_mesh::Target {
        id: component.id.clone(),
        config: skald_mesh::Config::of(&component.settings),
        store: Arc::clone(store),
    }
}

pub(crate) fn trim(engine: Arc<Engine>, tasks: &Tasks) {
    let shutdown = tasks.shutdown();
    tasks.spawn("trimming of instances", async move {
        loop {
            tokio::select! {
                biased;
                () = shutdown.wait() => return,
                () = tokio::time::sleep(TRIM) => engine.trim(),
            }
        }
    });
}
