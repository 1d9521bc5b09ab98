use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use skald_core::{
    call::{Call, CallError, DynCall, Reply, Request},
    manifest::ComponentId,
    run::Run,
    store::Store,
    unit::Mode,
};
use tokio::time::{Instant, sleep};

use super::{Config, Mesh, Target};
use crate::world::{Guest, Model, function, id, increment, outcome, trapped, within};

const SECOND: Duration = Duration::from_secs(1);

fn mesh<E: Run>(engine: &Arc<E>, model: &Arc<Model>) -> Mesh<E> {
    let store: Arc<dyn Store> = Arc::clone(model) as Arc<dyn Store>;
    let config = Config {
        mode: Mode::Held,
        deadline: SECOND * 5,
        ..Config::default()
    };
    let target = Target {
        id: id(),
        config,
        store,
    };
    Mesh::build(vec![target], engine)
}

/// The requests that reached the guest.
async fn reached(requests: Vec<Request>) -> Vec<Request> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let guest = Guest::new(move |request, unit| {
        notes.lock().push(request);
        async move { (unit, Ok(Reply::Handled)) }
    });
    let mesh = mesh(&guest, &Model::new());
    for request in requests {
        mesh.call(&request).await.unwrap();
    }
    let mut seen = seen.lock();
    std::mem::take(&mut seen)
}

#[tokio::test]
async fn a_component_that_is_not_there_is_named() {
    let guest = Guest::new(|_, unit| async { (unit, Ok(Reply::Handled)) });
    let mut request = function();
    request.target = ComponentId::from("stok");
    let result = mesh(&guest, &Model::new()).call(&request).await;
    assert!(matches!(result, Err(CallError::NoSuchComponent(name)) if name.as_str() == "stok"));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_the_earlier_of_the_callers_and_the_targets() {
    let now = Instant::now().into_std();
    let seen = reached(vec![
        function(),
        within(function(), SECOND),
        within(function(), SECOND * 60),
    ])
    .await;
    let left: Vec<_> = seen
        .iter()
        .map(|request| request.context.deadline.unwrap() - now)
        .collect();
    assert_eq!(left, [SECOND * 5, SECOND, SECOND * 5]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_too_late_is_not_made() {
    let guest = Guest::new(|_, _| async { unreachable!("nobody waits for this") });
    let request = within(function(), SECOND);
    sleep(SECOND).await;
    let result = mesh(&guest, &Model::new()).call(&request).await;
    assert!(matches!(result, Err(CallError::TimedOut(Duration::ZERO))));
}

#[tokio::test]
async fn a_call_is_a_new_span_of_its_callers_trace() {
    let seen = reached(vec![function(), function()]).await;
    let traces: Vec<_> = seen.iter().map(|request| request.context.trace).collect();
    assert!(
        traces
            .iter()
            .all(|trace| trace.trace_id == 7 && trace.span_id != 8 && trace.span_id != 0)
    );
    assert_ne!(traces[0].span_id, traces[1].span_id);
}

#[tokio::test(start_paused = true)]
async fn all_policies_work_together() {
    let runs = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&runs);
    let guest = Guest::new(move |_, mut unit| {
        let run = count.fetch_add(1, Ordering::Relaxed);
        async move {
            increment(&mut unit, "apples").await;
            let result = (run >= 2).then_some(Reply::Handled).ok_or_else(trapped);
            (unit, result)
        }
    });
    let model = Model::new();
    let mesh: Arc<dyn DynCall> = Arc::new(mesh(&guest, &model));
    assert_eq!(outcome(&mesh.call_boxed(function()).await), "handled");
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    assert_eq!(
        model.number("apples"),
        1,
        "two attempts trapped and left nothing behind"
    );
}
