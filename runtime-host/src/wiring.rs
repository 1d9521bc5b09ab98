//! Builds the rooms and connects them: the only place that knows more than one.

use std::{path::Path, sync::Arc, time::Duration};

use skald_core::{
    call::DynCall,
    event::EventLog,
    manifest::{App, ComponentId},
    store::Store,
};
use skald_engine::{Compiled, Engine, EngineError, LinkProblem, Spec};
use skald_events::{Delivery, Handle, Subscriber};
use skald_gateway::Gateway;
use skald_mesh::Mesh;
use skald_saga::{Road, Sagas};
use skald_store::Embedded;
use skald_telemetry::tasks::Tasks;
use tokio::sync::watch;

use crate::{application::Application, coordinator, lifecycle::Failure, present};

/// How often instances that nobody calls are looked for.
const TRIM: Duration = Duration::from_secs(1);

/// How often old idempotency keys are looked for.
const SWEEP: Duration = Duration::from_secs(3_600);

/// A host whose rooms are connected and not yet open to the public.
pub(crate) struct Host {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) store: Embedded,
    pub(crate) handles: Vec<Handle>,
    /// Where the application has sagas.
    pub(crate) sagas: Option<Sagas>,
    /// Keeps the road between components alive.
    _calls: Arc<dyn DynCall>,
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
    data: &Path,
    ready: watch::Receiver<bool>,
    tasks: &Tasks,
) -> Result<Host, Failure> {
    let (woken, wake) = watch::channel(());
    let mut config = skald_store::Config::new(data);
    config.on_events = Arc::new(move || {
        woken.send_replace(());
    });
    let store = Embedded::open(config)?;
    let engine = Arc::new(engine);
    let port: Arc<dyn Store> = Arc::new(store.clone());
    let mesh = Arc::new(Mesh::build(targets(&application.app), &engine, &port));
    let sagas = coordinator::coordinate(&application.app, &engine, &store, tasks).await?;
    let mut calls: Arc<dyn DynCall> = Arc::clone(&mesh) as Arc<dyn DynCall>;
    if let Some(sagas) = &sagas {
        coordinator::revise(&application.specs, &engine, &store, data).await?;
        calls = Arc::new(Road::new(sagas.clone(), calls));
        sagas.connect(Arc::downgrade(&calls));
    }
    engine.connect(Arc::downgrade(&calls));
    let handles = deliveries(application, &store, &calls, tasks);
    ring(wake, handles.clone(), tasks);
    trim(Arc::clone(&engine), tasks);
    sweep(Arc::clone(&mesh), tasks);
    let gateway = skald_gateway::Config::of(&application.app, ready)
        .map_err(|error| Failure::Manifest(error.to_string()))?;
    Ok(Host {
        gateway: Arc::new(Gateway::new(gateway, Arc::clone(&calls))),
        store,
        handles,
        sagas,
        _calls: calls,
    })
}

fn targets(app: &App) -> Vec<skald_mesh::Target> {
    let target =
        |(id, component): (&ComponentId, &skald_core::manifest::Component)| skald_mesh::Target {
            id: id.clone(),
            config: skald_mesh::Config::of(&component.settings),
        };
    app.components.iter().map(target).collect()
}

fn deliveries(
    application: &Application,
    store: &Embedded,
    calls: &Arc<dyn DynCall>,
    tasks: &Tasks,
) -> Vec<Handle> {
    let log: Arc<dyn EventLog> = Arc::new(store.clone());
    let settings = &application.app.settings.events;
    let config = skald_events::Config {
        concurrency: settings.concurrency,
        attempts: settings.attempts,
        backoff: settings.backoff,
        max_backoff: settings.max_backoff,
        window: skald_events::Config::WINDOW,
    };
    let start = |(group, topics): (&ComponentId, &Vec<Arc<str>>)| {
        let subscriber = Subscriber {
            group: group.clone(),
            topics: topics.clone(),
        };
        let (delivery, handle) = Delivery::new(
            config.clone(),
            subscriber,
            Arc::clone(&log),
            Arc::clone(calls),
        );
        tasks.spawn(
            format!("delivery to {}", group.as_str()),
            delivery.run(tasks.shutdown()),
        );
        handle
    };
    application.subscriptions.iter().map(start).collect()
}

/// Wakes the deliveries after each commit that published something.
fn ring(mut wake: watch::Receiver<()>, handles: Vec<Handle>, tasks: &Tasks) {
    let shutdown = tasks.shutdown();
    tasks.spawn("wake-up of deliveries", async move {
        loop {
            tokio::select! {
                biased;
                () = shutdown.wait() => return,
                changed = wake.changed() => if changed.is_err() { return },
            }
            for handle in &handles {
                handle.wake();
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
