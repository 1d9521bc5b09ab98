//! Builds the rooms and connects them: the only place that knows more than one.

use std::{path::Path, sync::Arc, time::Duration};

use skald_core::{
    call::DynCall,
    manifest::{ByteSize, Component, ComponentId},
    node::{Health, Node, Served},
};
use skald_engine::{Compiled, Engine, EngineError, LinkProblem, Spec};
use skald_events::{Deliveries, Retention};
use skald_gateway::Gateway;
use skald_mesh::Mesh;
use skald_saga::{Road, Sagas};
use skald_telemetry::{clock, tasks::Tasks};
use tokio::sync::watch;

use crate::{
    application::Application,
    bell::{Bell, Rung},
    coordinator,
    data::{self, Data},
    guard::FileGuard,
    lifecycle::Failure,
    members::Members,
    present,
    revisions::Revisions,
    settings::Settings,
    wire::Wire,
};

/// How often instances that nobody calls are looked for.
const TRIM: Duration = Duration::from_secs(1);

/// How often old idempotency keys are looked for.
const SWEEP: Duration = Duration::from_secs(3_600);

/// How often old events are looked for.
const RETAIN: Duration = Duration::from_secs(60);

/// A host whose rooms are connected and not yet open to the public.
pub(crate) struct Host {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) data: Data,
    pub(crate) members: Arc<Members>,
    pub(crate) deliveries: Deliveries,
    /// Where the application has sagas.
    pub(crate) sagas: Option<Sagas>,
    pub(crate) mesh: Arc<Mesh<Engine>>,
    /// The road between components.
    pub(crate) calls: Arc<dyn DynCall>,
    /// The way in for other nodes, where there is one.
    pub(crate) wire: Option<Wire>,
}

/// Compiles all components; the ones not in the cache take a while, so that people see how far it is.
pub(crate) fn compile(specs: &[Spec], cache: &Path) -> Result<(Engine, Vec<Compiled>), Failure> {
    let config = skald_engine::Config {
        cache: Some(cache.to_owned()),
        ..skald_engine::Config::default()
    };
    let engine = Engine::start(config)?;
    let progress = present::compiling(specs.len());
    let mut compiled = Vec::with_capacity(specs.len());
    let mut failures = Vec::new();
    for spec in specs {
        progress.set_message(spec.id.to_string());
        match engine.compile(spec.clone()) {
            Ok(one) => compiled.push(one),
            Err(error) => failures.push(error.to_string()),
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    if failures.is_empty() {
        Ok((engine, compiled))
    } else {
        Err(Failure::Components(failures.join("\n")))
    }
}

/// Triggers whose component has no handler for them.
pub(crate) fn unhandled(application: &Application, compiled: &[Compiled]) -> Vec<LinkProblem> {
    let find = |id: &ComponentId| compiled.iter().find(|one| one.id() == id);
    let problem = |id: &ComponentId, what: &str, fix: &str| LinkProblem {
        component: id.clone(),
        what: what.to_owned(),
        fix: fix.to_owned(),
    };
    let mut problems = Vec::new();
    for id in present::routed(&application.app) {
        if find(id).is_some_and(|one| !one.handles_http()) {
            problems.push(problem(
                id,
                "has a route but exports no wasi:http/handler@0.3",
                "export it (spin-sdk: #[http_service]), or remove the route",
            ));
        }
    }
    for id in application.subscriptions.keys() {
        if find(id).is_some_and(|one| !one.handles_messages()) {
            problems.push(problem(
                id,
                "has a redis trigger but exports no spin:redis/inbound-redis@3.0.0",
                "export it (spin-sdk: #[redis_subscriber]), or remove the trigger",
            ));
        }
    }
    problems
}

/// Meets all imports, and tells of triggers without handlers in the same breath.
pub(crate) fn deploy(
    application: &Application,
    engine: &Engine,
    compiled: Vec<Compiled>,
) -> Result<Vec<LinkProblem>, Failure> {
    let mut problems = unhandled(application, &compiled);
    match engine.deploy(compiled) {
        Ok(unused) if problems.is_empty() => Ok(unused),
        Ok(_) => Err(EngineError::Link(problems).into()),
        Err(EngineError::Link(mut unmet)) => {
            problems.append(&mut unmet);
            Err(EngineError::Link(problems).into())
        }
        Err(other) => Err(other.into()),
    }
}

/// Connects the rooms. Deliveries run from here on.
pub(crate) async fn connect(
    application: &Application,
    engine: Engine,
    settings: &Settings,
    ready: watch::Receiver<bool>,
    tasks: &Tasks,
) -> Result<Host, Failure> {
    let bell = Arc::new(Bell::default());
    let data = Data::open(settings, application, Arc::clone(&bell), tasks).await?;
    let engine = Arc::new(engine);
    let wire = match &settings.wire {
        Some(wire) => Some(Wire::open(wire, application, tasks).await?),
        None => None,
    };
    let address = wire.as_ref().map(|wire| wire.address().to_string());
    let members = join(application, &engine, (&data, &settings.data), address).await?;
    let mut mesh = Mesh::build(targets(application, &data), &engine);
    if let Some(wire) = &wire {
        let road: Arc<dyn DynCall> = Arc::clone(&wire.peers) as Arc<dyn DynCall>;
        mesh = mesh.with_away(&road, away(application));
        wire.follow(&members, tasks);
    }
    let mesh = Arc::new(mesh);
    let guard = guard(&data, &settings.data)?;
    let journal = (&data.journal, guard);
    let sagas = coordinator::coordinate(application, &engine, journal, &members, tasks);
    let mut calls: Arc<dyn DynCall> = Arc::clone(&mesh) as Arc<dyn DynCall>;
    if let Some(sagas) = &sagas {
        let revisions = revisions(application, &engine, &data, &settings.data).await?;
        calls = Arc::new(Road::new(sagas.clone(), calls));
        sagas.connect(Arc::downgrade(&calls));
        coordinator::inherit(sagas, &data.journal, revisions, &members, tasks);
    }
    engine.connect(Arc::downgrade(&calls));
    let deliveries = deliveries(application, &data, &calls, &members, tasks);
    ring(bell, deliveries.clone(), &members, tasks);
    keep_house(application, (&engine, &mesh, &data), tasks);
    Ok(Host {
        gateway: gateway(application, ready, &calls)?,
        data,
        members,
        deliveries,
        sagas,
        mesh,
        calls,
        wire,
    })
}

fn gateway(
    application: &Application,
    ready: watch::Receiver<bool>,
    calls: &Arc<dyn DynCall>,
) -> Result<Arc<Gateway>, Failure> {
    let config = skald_gateway::Config::of(&application.app, ready)
        .map_err(|error| Failure::Manifest(error.to_string()))?;
    Ok(Arc::new(Gateway::new(config, Arc::clone(calls))))
}

/// What remembers how long journals were, where another than this node could lose them.
fn guard(data: &Data, directory: &Path) -> Result<Option<FileGuard>, Failure> {
    let guard = data.is_shared().then(|| FileGuard::open(directory));
    Ok(guard.transpose()?)
}

/// The code that runs need, kept and made ready.
async fn revisions(
    application: &Application,
    engine: &Arc<Engine>,
    data: &Data,
    directory: &Path,
) -> Result<Revisions, Failure> {
    let shared = data.is_shared().then(|| data.host());
    let revisions = Revisions::new(engine, &data.journal, directory, shared);
    revisions.revise(&application.specs).await?;
    Ok(revisions)
}

/// What has to be done now and then.
fn keep_house(
    application: &Application,
    (engine, mesh, data): (&Arc<Engine>, &Arc<Mesh<Engine>>, &Data),
    tasks: &Tasks,
) {
    trim(Arc::clone(engine), tasks);
    sweep(Arc::clone(mesh), tasks);
    retain(application, data, tasks);
}

/// Says to the other nodes that this one is there, and what it serves.
async fn join(
    application: &Application,
    engine: &Engine,
    (data, directory): (&Data, &Path),
    address: Option<String>,
) -> Result<Arc<Members>, Failure> {
    let served = |id: &ComponentId| Served {
        component: id.as_str().to_owned(),
        revision: engine.revision(id).unwrap_or_default().to_owned(),
    };
    let me = Node {
        id: data::node(directory)?,
        address,
        admin: None,
        components: application.served.iter().map(served).collect(),
        load: 0,
        health: Health::Starting,
        epochs: Vec::new(),
        started_at: clock::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let members = Members::join(Arc::clone(&data.nodes), me).await?;
    Ok(Arc::new(members))
}

fn targets(application: &Application, data: &Data) -> Vec<skald_mesh::Target> {
    let target = |(id, component): (&ComponentId, &Component)| skald_mesh::Target {
        id: id.clone(),
        config: skald_mesh::Config::of(&component.settings),
        store: data.of(id),
    };
    let is_here = |(id, _): &(&ComponentId, &Component)| application.served.contains(*id);
    let components = application.app.components.iter();
    components.filter(is_here).map(target).collect()
}

/// What other nodes serve.
fn away(application: &Application) -> Vec<(ComponentId, skald_mesh::Config)> {
    let is_away = |(id, _): &(&ComponentId, &Component)| !application.served.contains(*id);
    let config = |(id, component): (&ComponentId, &Component)| {
        (id.clone(), skald_mesh::Config::of(&component.settings))
    };
    let components = application.app.components.iter();
    components.filter(is_away).map(config).collect()
}

fn deliveries(
    application: &Application,
    data: &Data,
    calls: &Arc<dyn DynCall>,
    members: &Arc<Members>,
    tasks: &Tasks,
) -> Deliveries {
    let settings = &application.app.settings.events;
    let config = skald_events::Config {
        concurrency: settings.concurrency,
        attempts: settings.attempts,
        backoff: settings.backoff,
        max_backoff: settings.max_backoff,
        window: skald_events::Config::WINDOW,
    };
    let members = Arc::clone(members);
    let deliveries = Deliveries::new(
        config,
        application.interests(),
        (Arc::clone(&data.log), Arc::clone(calls)),
        Arc::new(move |book| members.is_mine(book)),
        tasks,
    );
    let run = deliveries.clone().run(tasks.shutdown());
    tasks.spawn("deliveries", run);
    deliveries
}

/// Wakes the deliveries after each commit that published something, and has them look again when nodes come or go.
fn ring(bell: Arc<Bell>, deliveries: Deliveries, members: &Arc<Members>, tasks: &Tasks) {
    let (shutdown, mut changes) = (tasks.shutdown(), members.changes());
    let members = Arc::clone(members);
    tasks.spawn("wake-up of deliveries", async move {
        loop {
            tokio::select! {
                biased;
                () = shutdown.wait() => return,
                rung = bell.heard() => match rung {
                    Rung::News(published) => deliveries.wake_for(&published),
                    Rung::Anything => deliveries.wake(),
                    Rung::Anew => {
                        deliveries.wake();
                        // Runs that another server shows as they were before are looked at again.
                        members.stir();
                    }
                    Rung::Nothing => {}
                },
                changed = changes.changed() => if changed.is_err() { return } else { deliveries.rouse() },
            }
        }
    });
}

/// Forgets answers to idempotency keys that are too old to be given again.
fn sweep(mesh: Arc<Mesh<Engine>>, tasks: &Tasks) {
    let shutdown = tasks.shutdown();
    tasks.spawn("sweep of idempotency keys", async move {
        loop {
            tokio::select! {
                biased;
                () = shutdown.wait() => return,
                () = tokio::time::sleep(SWEEP) => (),
            }
            match mesh.sweep().await {
                Ok(deleted) => tracing::debug!(deleted, "old idempotency keys are forgotten"),
                // Nothing is lost: the next sweep finds them again.
                Err(error) => tracing::warn!(%error, "old idempotency keys could not be deleted"),
            }
        }
    });
}

/// Lets go of events that are old, or too many, and that every subscriber has handled.
fn retain(application: &Application, data: &Data, tasks: &Tasks) {
    let settings = &application.app.settings.events;
    let retention = Retention {
        age: settings.retention,
        bytes: settings.retention_size.map(ByteSize::as_u64),
    };
    if retention.is_endless() {
        return;
    }
    let (data, interests, shutdown) = (data.clone(), application.interests(), tasks.shutdown());
    tasks.spawn("retention of events", async move {
        loop {
            tokio::select! {
                biased;
                () = shutdown.wait() => return,
                () = tokio::time::sleep(RETAIN) => (),
            }
            let trimmed = retention.trim(&*data.archive, &*data.log, &interests, clock::now());
            match trimmed.await {
                Ok(0) => {}
                Ok(events) => tracing::info!(events, "old events are let go"),
                // Nothing is lost: the next time finds them again.
                Err(error) => tracing::warn!(%error, "old events could not be let go"),
            }
        }
    });
}

/// Lets go of instances that nobody calls.
fn trim(engine: Arc<Engine>, tasks: &Tasks) {
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
