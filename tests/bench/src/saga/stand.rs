//! The rooms that sagas need, connected as the host connects them, on data that is given.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use skald_core::{
    call::DynCall,
    manifest::{App, Component, ComponentId},
    saga::{End, Input, RunId, journal::Journal, play::Play},
    store::Store,
    value::Value,
};
use skald_mesh::Mesh;
use skald_saga::{Begun, Config, Road, Sagas, Start};
use skald_store::Embedded;
use skald_telemetry::tasks::Tasks;

use super::watched::Watched;
use crate::rooms;

/// The saga `bench` and the component `shelf`, connected.
pub(super) struct Stand {
    pub(super) sagas: Sagas,
    pub(super) store: Embedded,
    pub(super) journal: Arc<Watched>,
    pub(super) play: Arc<dyn Play>,
    tasks: Tasks,
    _calls: Arc<dyn DynCall>,
}

/// What a run is asked: a function of the saga, and its arguments.
pub(super) struct Asked(pub(super) &'static str, pub(super) Vec<Value>);

// === impl Stand ===

impl Stand {
    /// On the data in a folder. Instances of code that waits are let go after `idle`. Needs a runtime around it.
    pub(super) fn connect(data: &Path, epoch: u64, idle: Duration) -> Result<Self> {
        let manifest = e2e::places::guest("saga-bench");
        let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
        let app = App::parse(&text, &manifest.display().to_string())
            .map_err(|problems| anyhow!("{problems}"))?;
        let folder = manifest.parent().context("a manifest lies in a folder")?;
        let engine = Arc::new(rooms::deployed(&app, folder)?);
        let store = Embedded::open(skald_store::Config::new(data))?;
        let port: Arc<dyn Store> = Arc::new(store.clone());
        let target = |component| rooms::target(component, &port);
        let targets = app.components.values().map(target).collect();
        let mesh: Arc<dyn DynCall> = Arc::new(Mesh::build(targets, &engine));
        let journal = Arc::new(Watched::new(store.clone()));
        let play: Arc<dyn Play> = Arc::clone(&engine) as Arc<dyn Play>;
        let tasks = Tasks::new();
        let sagas = Sagas::new(
            config(&app, epoch, idle),
            Arc::clone(&journal) as Arc<dyn Journal>,
            Arc::clone(&play),
            &tasks,
        );
        let time = sagas.clone().keep_time(tasks.shutdown());
        tasks.spawn("timers of sagas", time);
        let calls: Arc<dyn DynCall> = Arc::new(Road::new(sagas.clone(), mesh));
        sagas.connect(Arc::downgrade(&calls));
        engine.connect(Arc::downgrade(&calls));
        rooms::trim(engine, &tasks);
        Ok(Self {
            sagas,
            store,
            journal,
            play,
            tasks,
            _calls: calls,
        })
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

fn config(app: &App, epoch: u64, idle: Duration) -> Config {
    let policies = |component: &Component| {
        let saga = component.settings.saga.as_ref()?;
        Some((component.id.clone(), saga.policies.clone()))
    };
    Config {
        sagas: app.components.values().filter_map(policies).collect(),
        epoch,
        idle,
        ..Config::default()
    }
}

/// Begins a run; durable when it answers.
pub(super) async fn begin(sagas: &Sagas, key: String, asked: Asked) -> Result<RunId> {
    let Asked(name, arguments) = asked;
    let start = Start {
        component: ComponentId::from("bench"),
        key,
        subject: String::new(),
        input: Input::Function {
            interface: "bench:saga/api@1.0.0".to_owned(),
            name: name.to_owned(),
            arguments,
        },
        trace: String::new(),
        principal: None,
    };
    match sagas.start(start).await? {
        Begun::New(run) => Ok(run),
        Begun::Before(run) => Err(anyhow!("{run} was begun before")),
    }
}

/// Waits until a run has completed all its steps.
pub(super) async fn complete(sagas: &Sagas, run: &RunId, steps: u32) -> Result<()> {
    match sagas.end_of(run).await? {
        End::Completed {
            answer: Some(Value::U32(good)),
        } if good == steps => Ok(()),
        other => Err(anyhow!("{run} did not complete {steps} steps: {other:?}")),
    }
}
