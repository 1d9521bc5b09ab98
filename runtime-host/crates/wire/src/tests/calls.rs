use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use skald_core::{
    call::{Call, CallError, Input, Reply, Request},
    context::{Cause, IdempotencyKey, Once, Principal, StepKey},
    manifest::ComponentId,
    value::Value,
};

use super::world::{Node, capture, config, paid, peers, receipt};

#[tokio::test]
async fn a_function_of_another_node_answers_as_if_it_were_here() {
    let node = Node::start(config(), paid).await;
    let peers = peers(config(), vec![node.peer("b")]);
    let reply = peers.call(&capture()).await.unwrap();
    assert!(matches!(reply, Reply::Value(Some(value)) if value == receipt()));
    let seen = node.components.seen.lock().pop().unwrap();
    let Input::Function(function) = seen.input else {
        panic!("it is a function");
    };
    assert_eq!(
        (&*function.interface, &*function.name),
        ("shop:payments/api@1.0.0", "capture")
    );
    assert_eq!(
        function.arguments,
        [Value::String("o-1".to_owned()), Value::U64(1_999)]
    );
    node.stop().await;
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_a_function_may_return_nothing() {
    let refusal = Value::Result(Err(Some(Box::new(Value::Variant("gone".to_owned(), None)))));
    let answer = refusal.clone();
    let node = Node::start(config(), move |request| match &request.input {
        Input::Function(function) if &*function.name == "ping" => Ok(Reply::Value(None)),
        _ => Ok(Reply::Value(Some(answer.clone()))),
    })
    .await;
    let peers = peers(config(), vec![node.peer("b")]);
    let reply = peers.call(&capture()).await.unwrap();
    assert!(matches!(reply, Reply::Value(Some(value)) if value == refusal));
    let mut ping = capture();
    if let Input::Function(function) = &mut ping.input {
        function.name = "ping".into();
        function.arguments.clear();
    }
    assert!(matches!(
        peers.call(&ping).await.unwrap(),
        Reply::Value(None)
    ));
    // Without arguments it is another function than the one that has some.
    let mut wrong = capture();
    if let Input::Function(function) = &mut wrong.input {
        function.arguments.clear();
    }
    assert!(matches!(
        peers.call(&wrong).await,
        Err(CallError::Engine(_))
    ));
}

#[tokio::test]
async fn the_context_of_a_call_goes_with_it() {
    let node = Node::start(config(), paid).await;
    let peers = peers(config(), vec![node.peer("b")]);
    let deadline = tokio::time::Instant::now().into_std() + Duration::from_secs(30);
    let mut request = capture();
    request.context.principal = Some(Principal("Åda Lovelace".into()));
    request.context.deadline = Some(deadline);
    request.context.cause = Cause::Saga("run 1".into());
    request.context.once = Some(Once::Step(Arc::new(StepKey {
        run: "run 1".to_owned(),
        key: "k/2".to_owned(),
        undo: true,
        life: None,
    })));
    peers.call(&request).await.unwrap();
    let seen = node.components.seen.lock().pop().unwrap().context;
    assert_eq!(seen.principal, request.context.principal);
    assert_eq!(seen.trace, request.context.trace);
    assert_eq!(seen.cause, request.context.cause);
    assert_eq!(seen.once, request.context.once);
    assert!(seen.deadline.unwrap().abs_diff(deadline) < Duration::from_secs(5));
}

trait Difference {
    fn abs_diff(self, other: Self) -> Duration;
}

impl Difference for std::time::Instant {
    fn abs_diff(self, other: Self) -> Duration {
        self.max(other) - self.min(other)
    }
}

#[tokio::test]
async fn http_requests_and_messages_go_to_other_nodes_too() {
    let node = Node::start(config(), |request| match &request.input {
        Input::Http(request) => {
            let body = format!("{} {}", request.method(), request.uri());
            let mut response = http::Response::new(Bytes::from(body));
            *response.status_mut() = http::StatusCode::CREATED;
            let values = request.headers().get_all("x-many").iter().cloned();
            for value in values {
                response.headers_mut().append("x-many", value);
            }
            Ok(Reply::Http(response))
        }
        _ => Ok(Reply::Handled),
    })
    .await;
    let peers = peers(config(), vec![node.peer("b")]);
    let request = http::Request::put("/cart?x=%20")
        .header("x-many", "1")
        .header("x-many", &b"\xff"[..])
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    let mut call = capture();
    call.input = Input::Http(request);
    call.context.once = Some(Once::Key(IdempotencyKey {
        scope: "PUT /cart k ada".to_owned(),
        fingerprint: "f".to_owned(),
    }));
    let Reply::Http(response) = peers.call(&call).await.unwrap() else {
        panic!("it was HTTP");
    };
    assert_eq!(
        (response.status().as_u16(), &**response.body()),
        (201, &b"PUT /cart?x=%20"[..])
    );
    let many: Vec<_> = response
        .headers()
        .get_all("x-many")
        .iter()
        .map(|v| v.as_bytes().to_vec())
        .collect();
    assert_eq!(many, [b"1".to_vec(), vec![0xff]]);
    assert_eq!(
        node.components.seen.lock().pop().unwrap().context.once,
        call.context.once
    );
    let mut call = capture();
    call.input = Input::Message(Bytes::from_static(b"{\"id\":1}"));
    assert!(matches!(peers.call(&call).await.unwrap(), Reply::Handled));
}

#[tokio::test]
async fn errors_of_another_node_are_the_same_here() {
    let node = Node::start(config(), |_| Err(CallError::Conflict { attempts: 32 })).await;
    let peers = peers(config(), vec![node.peer("b")]);
    let error = peers.call(&capture()).await.unwrap_err();
    assert!(
        matches!(error, CallError::Conflict { attempts: 32 }),
        "{error:?}"
    );
}

#[tokio::test]
async fn who_is_not_there_is_told_so() {
    let node = Node::start(config(), paid).await;
    let peers = peers(config(), vec![node.peer("b")]);
    let mut call = capture();
    call.input = Input::Message(Bytes::new());
    call.target = ComponentId::from("orders");
    assert!(matches!(
        peers.call(&call).await,
        Err(CallError::NoSuchComponent(_))
    ));
    // The registry says that the node serves it, and the node says that it does not.
    let mut both = node.peer("b");
    both.components.insert(ComponentId::from("orders"));
    peers.set(vec![both]);
    assert!(matches!(
        peers.call(&call).await,
        Err(CallError::NoSuchComponent(_))
    ));
    assert!(peers.has(&ComponentId::from("orders")));
    let mut unknown = capture();
    if let Input::Function(function) = &mut unknown.input {
        function.name = "nothing".into();
    }
    assert!(matches!(
        peers.call(&unknown).await,
        Err(CallError::NoSuchExport { .. })
    ));
    assert_eq!(node.components.seen.lock().len(), 0);
}

#[tokio::test]
async fn a_component_that_no_node_serves_just_now_may_come_back() {
    let peers = peers(config(), Vec::new());
    let error = peers.call(&capture()).await.unwrap_err();
    assert!(matches!(error, CallError::Broken { .. }), "{error:?}");
    assert!(!peers.has(&ComponentId::from("payments")));
    let node = Node::start(config(), paid).await;
    peers.set(vec![node.peer("b")]);
    peers.call(&capture()).await.unwrap();
}

#[tokio::test]
async fn several_nodes_share_the_calls() {
    let (a, b) = (
        Node::start(config(), paid).await,
        Node::start(config(), paid).await,
    );
    let peers = Arc::new(peers(config(), vec![a.peer("a"), b.peer("b")]));
    // All at once: one after the other would all go to whichever node is a little quicker. How calls are divided is
    // tested where time is not the machine's.
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let peers = Arc::clone(&peers);
        calls.spawn(async move { peers.call(&capture()).await.unwrap() });
    }
    calls.join_all().await;
    let counts = [&a, &b].map(|node| node.components.seen.lock().len());
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[tokio::test]
async fn messages_of_many_calls_at_once_do_not_mix() {
    let node = Node::start(config(), |request: &Request| {
        let Input::Http(request) = &request.input else {
            panic!("it is HTTP");
        };
        Ok(Reply::Http(http::Response::new(request.body().clone())))
    })
    .await;
    let peers = Arc::new(peers(config(), vec![node.peer("b")]));
    let tasks = skald_telemetry::tasks::Tasks::new();
    for number in 0..100_usize {
        let peers = Arc::clone(&peers);
        tasks.spawn("call", async move {
            let body = Bytes::from(vec![u8::try_from(number).unwrap(); number * 5_000]);
            let mut call = capture();
            call.input = Input::Http(http::Request::new(body.clone()));
            let reply = peers.call(&call).await.unwrap();
            assert!(matches!(reply, Reply::Http(response) if *response.body() == body));
        });
    }
    assert_eq!(
        tasks.drain(Duration::from_secs(30)).await,
        skald_telemetry::tasks::Drained::default()
    );
}
