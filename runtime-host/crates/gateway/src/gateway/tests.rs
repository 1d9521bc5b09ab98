//! A real server on a free port, asked by a client that writes the bytes itself; components are closures.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Response;
use skald_core::{
    call::CallError,
    context::{Cause, Once},
    manifest::{ByteSize, ComponentId},
    store::StoreError,
};

use crate::{
    failure::{Failure, TokenError},
    testing::{Fake, Signer, TRACE, World, auth},
};

/// An answer with these headers.
fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> Response<Bytes> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::from_static(body.as_bytes())).unwrap()
}

fn call_errors() -> Vec<CallError> {
    let component = ComponentId::from("secret-name");
    let retry_after = Duration::from_millis(2500);
    let text = || "a secret".to_owned();
    vec![
        CallError::NoSuchComponent(component.clone()),
        CallError::NoSuchExport {
            component: component.clone(),
            export: text(),
        },
        CallError::Overloaded {
            component: component.clone(),
            retry_after,
        },
        CallError::Broken {
            component,
            retry_after,
        },
        CallError::TimedOut(Duration::from_secs(10)),
        CallError::Trapped(text()),
        CallError::OverLimit(text()),
        CallError::HandlerFailed(text()),
        CallError::Conflict { attempts: 5 },
        CallError::KeyReused,
        CallError::KeyRunning,
        CallError::Store(StoreError::Full(text())),
        CallError::Engine(text()),
        CallError::ShuttingDown,
    ]
}

#[tokio::test]
async fn a_component_gets_the_request_with_the_headers_of_spin() {
    let world = World::new(Fake::counting()).await;
    let said = world
        .ask("GET /shop/a%20b/c?q=1", &[TRACE, "accept: text/plain"])
        .await;
    insta::assert_snapshot!(said, @"
    HTTP/1.1 200 OK
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 7

    0 bytes
    ");
    let (request, call) = world.fake.last();
    assert_eq!(request.uri(), "http://shop.test/shop/a%20b/c?q=1");
    assert_eq!(
        (call.target.as_str(), &call.context.cause),
        ("shop", &Cause::Request)
    );
    assert!(
        call.context.principal.is_none()
            && call.context.once.is_none()
            && call.context.deadline.is_none()
    );
    assert_eq!(
        request.headers()["traceparent"],
        call.context.trace.to_string().as_str()
    );
    assert!(
        request.headers()["spin-client-addr"]
            .to_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    let mut lines: Vec<String> = request
        .headers()
        .iter()
        .filter(|(name, _)| !["spin-client-addr", "traceparent"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @"
    accept: text/plain
    host: shop.test
    spin-base-path: /
    spin-component-route: /shop
    spin-full-url: http://shop.test/shop/a%20b/c?q=1
    spin-matched-route: /shop/...
    spin-path-info: /a%20b/c
    spin-raw-component-route: /shop/...
    ");
}

#[tokio::test]
async fn parameters_of_a_route_become_headers() {
    let world = World::new(Fake::counting()).await;
    world.ask("GET /users/usr_7/cart", &[]).await;
    let (request, _) = world.fake.last();
    assert_eq!(request.headers()["spin-path-match-user-id"], "usr_7");
    assert_eq!(
        request.headers()["spin-matched-route"],
        "/users/:user_id/cart"
    );
}

#[tokio::test]
async fn what_only_the_host_may_say_is_taken_out() {
    let world = World::new(Fake::counting()).await;
    let spoofed = [
        "Skald-Principal: usr_admin",
        "skald-else: x",
        "spin-full-url: http://evil",
        "spin-client-addr: 1",
    ];
    let hop = [
        "connection: close, x-hop",
        "x-hop: 1",
        "te: trailers",
        "keep-alive: 5",
        "x-kept: 1",
    ];
    world
        .ask("GET /shop/x", &[&spoofed[..], &hop[..]].concat())
        .await;
    let (request, _) = world.fake.last();
    let names: BTreeSet<&str> = request
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    for gone in [
        "skald-principal",
        "skald-else",
        "connection",
        "te",
        "keep-alive",
        "x-hop",
    ] {
        assert!(!names.contains(gone), "{gone}");
    }
    assert!(names.contains("x-kept"));
    assert_eq!(
        request.headers()["spin-full-url"],
        "http://shop.test/shop/x"
    );
    assert_ne!(request.headers()["spin-client-addr"], "1");
}

#[tokio::test]
async fn no_route_is_a_problem() {
    let world = World::new(Fake::counting()).await;
    insta::assert_snapshot!(world.ask("GET /nowhere?token=secret", &[TRACE]).await, @r#"
    HTTP/1.1 404 Not Found
    content-type: application/problem+json
    cache-control: no-store
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 199

    {"type":"https://skald.dev/errors/GW-001","title":"Not found","status":404,"detail":"nothing answers at this path","instance":"/nowhere","code":"GW-001","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
    "#);
    assert!(
        world
            .ask("GET /shop/../about", &[])
            .await
            .contains("GW-011")
    );
    assert!(world.ask("OPTIONS *", &[]).await.contains("GW-011"));
    let bad_host = world
        .send("GET /shop/x HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n")
        .await;
    assert!(bad_host.contains("GW-010"), "{bad_host}");
}

#[tokio::test]
async fn every_failed_call_is_a_problem_without_internals() {
    let mut table = String::new();
    for error in call_errors() {
        let code = error.code();
        let world = World::new(Fake::new(move |_| Err(error.clone()))).await;
        let said = world.ask("GET /shop/x", &[TRACE]).await;
        assert!(!said.contains("secret") && said.contains(code), "{said}");
        let retry = said
            .lines()
            .find(|line| line.starts_with("retry-after"))
            .unwrap_or("-");
        let problem: serde_json::Value =
            serde_json::from_str(said.lines().last().unwrap()).unwrap();
        table.push_str(&format!(
            "{code} {} {} {retry}\n",
            problem["status"], problem["title"]
        ));
    }
    insta::assert_snapshot!(table, @r#"
    CALL-001 502 "Not deployed" -
    CALL-002 502 "Not deployed" -
    CALL-003 503 "Too many requests at once" retry-after: 3
    CALL-004 503 "Service failing" retry-after: 3
    CALL-005 504 "No answer in time" -
    CALL-006 500 "Service stopped" -
    CALL-007 500 "Service over its limit" -
    CALL-008 500 "Service failed" -
    CALL-009 503 "Too much contention" retry-after: 1
    CALL-010 422 "Idempotency key reused" -
    CALL-011 409 "Request still running" retry-after: 1
    CALL-012 503 "Data not available" -
    CALL-013 500 "Internal error" -
    CALL-014 503 "Shutting down" retry-after: 1
    "#);
    let world = World::new(Fake::new(|_| {
        Err(CallError::Trapped("a secret".to_owned()))
    }))
    .await;
    insta::assert_snapshot!(world.ask("GET /shop/x", &[TRACE]).await, @r#"
    HTTP/1.1 500 Internal Server Error
    content-type: application/problem+json
    cache-control: no-store
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 223

    {"type":"https://skald.dev/errors/CALL-006","title":"Service stopped","status":500,"detail":"the service stopped before it had an answer","instance":"/shop/x","code":"CALL-006","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
    "#);
}

#[test]
fn every_code_has_a_page() {
    let own = [
        Failure::NoRoute,
        Failure::UnclearPath,
        Failure::BadHost,
        Failure::NoToken,
        Failure::BadToken(TokenError::Expired),
        Failure::NoKeys,
        Failure::BodyTooLong(ByteSize::kib(1)),
        Failure::BodyTooSlow(Duration::from_secs(1)),
        Failure::BodyBroken,
        Failure::KeyMissing,
        Failure::KeyMalformed,
    ];
    let store = [
        StoreError::Full,
        StoreError::Corrupt,
        StoreError::Unavailable,
    ]
    .map(|make| make(String::new()).code());
    let codes = own.iter().map(Failure::code).chain(store);
    let calls = call_errors();
    let codes: BTreeSet<&str> = codes.chain(calls.iter().map(CallError::code)).collect();
    assert_eq!(codes.len(), 11 + 3 + 14);
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors");
    for code in codes {
        let page = std::fs::read_to_string(pages.join(format!("{code}.md"))).unwrap_or_default();
        assert!(
            page.starts_with(&format!("# {code}")),
            "docs/errors/{code}.md"
        );
    }
}

#[tokio::test]
async fn health_is_asked_before_the_routes() {
    let world = World::with(Fake::counting(), |config| config.auth = Some(auth())).await;
    assert!(
        world
            .ask("GET /ready", &[])
            .await
            .starts_with("HTTP/1.1 200")
    );
    world.ready.send_replace(false);
    insta::assert_snapshot!(world.ask("GET /ready", &[TRACE]).await, @"
    HTTP/1.1 503 Service Unavailable
    content-type: text/plain; charset=utf-8
    cache-control: no-store
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 9

    not ready
    ");
    for alive in [
        "GET /health",
        "HEAD /health",
        "GET /.well-known/spin/health",
    ] {
        assert!(
            world.ask(alive, &[]).await.starts_with("HTTP/1.1 200"),
            "{alive}"
        );
    }
    assert!(
        world
            .ask("POST /health", &[])
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(world.fake.asked.lock().is_empty());
}

#[tokio::test]
async fn a_static_response_needs_no_component() {
    let world = World::new(Fake::counting()).await;
    insta::assert_snapshot!(world.ask("GET /about", &[TRACE]).await, @"
    HTTP/1.1 203 Non Authoritative Information
    x-kind: fixed
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 5

    about
    ");
    assert!(world.fake.asked.lock().is_empty());
}

#[tokio::test]
async fn a_body_as_long_as_the_limit_passes_and_a_longer_one_does_not() {
    let world = World::new(Fake::counting()).await;
    let post = |framing: &str, body: &str| {
        format!(
            "POST /shop/x HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n{TRACE}\r\n{framing}\r\n\r\n{body}"
        )
    };
    let whole = |length: usize| post(&format!("content-length: {length}"), &"x".repeat(length));
    let chunked = |chunks: usize| {
        let chunk = format!("100\r\n{}\r\n", "x".repeat(0x100));
        post(
            "transfer-encoding: chunked",
            &format!("{}0\r\n\r\n", chunk.repeat(chunks)),
        )
    };
    for fits in [whole(1024), chunked(4)] {
        assert!(world.send(&fits).await.ends_with("1024 bytes"));
    }
    insta::assert_snapshot!(world.send(&whole(1025)).await, @r#"
    HTTP/1.1 413 Payload Too Large
    content-type: application/problem+json
    cache-control: no-store
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 202

    {"type":"https://skald.dev/errors/GW-005","title":"Body too long","status":413,"detail":"the body is longer than 1KiB","instance":"/shop/x","code":"GW-005","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
    "#);
    for long in [chunked(5), chunked(400), whole(1_000_000)] {
        assert!(world.send(&long).await.contains("GW-005"));
    }
    // Refused before it is sent.
    let announced = post("content-length: 1025\r\nexpect: 100-continue", "");
    assert!(world.send(&announced).await.starts_with("HTTP/1.1 413"));
    assert_eq!(world.fake.asked.lock().len(), 2);
}

#[tokio::test]
async fn a_broken_body_is_not_carried_on() {
    let world = World::new(Fake::counting()).await;
    let broken = "POST /shop/x HTTP/1.1\r\nhost: shop.test\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n";
    assert!(world.send(broken).await.contains("GW-007"));
    assert!(world.fake.asked.lock().is_empty());
}

#[tokio::test]
async fn declared_routes_need_an_idempotency_key() {
    let world = World::new(Fake::counting()).await;
    insta::assert_snapshot!(world.ask("POST /once", &[TRACE]).await, @r#"
    HTTP/1.1 400 Bad Request
    content-type: application/problem+json
    cache-control: no-store
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 262

    {"type":"https://skald.dev/errors/GW-008","title":"Idempotency key missing","status":400,"detail":"this needs the header `Idempotency-Key`, so that sending it twice has one effect","instance":"/once","code":"GW-008","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
    "#);
    assert!(
        world
            .ask("POST /once", &["idempotency-key: a b"])
            .await
            .contains("GW-009")
    );
    assert!(
        world
            .ask("POST /once", &["idempotency-key: \"k-1\""])
            .await
            .starts_with("HTTP/1.1 200")
    );
    let (_, call) = world.fake.last();
    let Some(Once::Key(key)) = call.context.once else {
        panic!("{call:?}")
    };
    assert_eq!(key.scope, "POST /once k-1 ");
}

#[tokio::test]
async fn a_protected_route_needs_a_token() {
    let signer = Signer::new(1);
    let set = Signer::jwks(&[&signer]);
    let fake = Fake::new(move |request| {
        Ok(Response::new(if request.uri().path() == "/jwks.json" {
            set.clone()
        } else {
            Bytes::from_static(b"in")
        }))
    });
    let world = World::with(fake, |config| config.auth = Some(auth())).await;
    insta::assert_snapshot!(world.ask("GET /shop/x", &[TRACE]).await, @r#"
    HTTP/1.1 401 Unauthorized
    content-type: application/problem+json
    cache-control: no-store
    www-authenticate: Bearer realm="test"
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 246

    {"type":"https://skald.dev/errors/GW-002","title":"Not authenticated","status":401,"detail":"this needs an access token in the header `Authorization: Bearer …`","instance":"/shop/x","code":"GW-002","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
    "#);
    insta::assert_snapshot!(world.ask("GET /shop/x", &[TRACE, "authorization: Bearer a.b.c"]).await, @r#"
    HTTP/1.1 401 Unauthorized
    content-type: application/problem+json
    cache-control: no-store
    www-authenticate: Bearer realm="test", error="invalid_token", error_description="it is malformed"
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 225

    {"type":"https://skald.dev/errors/GW-003","title":"Access token refused","status":401,"detail":"the access token is refused: it is malformed","instance":"/shop/x","code":"GW-003","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
    "#);
    assert!(
        world
            .ask("GET /about", &[])
            .await
            .starts_with("HTTP/1.1 401")
    );
    assert!(
        world
            .ask("GET /shop/public/x", &["authorization: Bearer a.b.c"])
            .await
            .starts_with("HTTP/1.1 200")
    );
    let bearer = format!("authorization: Bearer {}", signer.token("usr_1"));
    assert!(
        world
            .ask("GET /shop/x", &[&bearer, "skald-principal: usr_2"])
            .await
            .starts_with("HTTP/1.1 200")
    );
    let (request, call) = world.fake.last();
    assert_eq!(request.headers()["skald-principal"], "usr_1");
    assert!(!request.headers().contains_key("authorization"));
    assert_eq!(&*call.context.principal.unwrap().0, "usr_1");
}

#[tokio::test]
async fn an_answer_is_tidied() {
    let fake = Fake::new(|request| match request.uri().path() {
        "/shop/hop" => Ok(answer(
            200,
            &[
                ("connection", "upgrade"),
                ("content-length", "9"),
                ("x-own", "1"),
            ],
            "four",
        )),
        "/shop/early" => Ok(answer(103, &[], "")),
        _ => Ok(answer(304, &[("etag", "\"1\"")], "no body here")),
    });
    let world = World::new(fake).await;
    insta::assert_snapshot!(world.ask("GET /shop/hop", &[TRACE]).await, @"
    HTTP/1.1 200 OK
    x-own: 1
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 4

    four
    ");
    assert!(world.ask("GET /shop/early", &[]).await.contains("CALL-013"));
    insta::assert_snapshot!(world.ask("GET /shop/same", &[TRACE]).await, @r#"
    HTTP/1.1 304 Not Modified
    etag: "1"
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    "#);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::new(Fake::new(|_| Ok(answer(200, &[], "eleven char")))).await;
    insta::assert_snapshot!(world.ask("HEAD /shop/x", &[TRACE]).await, @"
    HTTP/1.1 200 OK
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    content-length: 11
    connection: close
    ");
    assert_eq!(world.fake.last().0.method(), "HEAD");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let world = World::new(Fake::counting()).await;
    let began = tokio::time::Instant::now();
    let said = world
        .send(&format!(
            "POST /shop/x HTTP/1.1\r\n{TRACE}\r\ncontent-length: 5\r\n\r\nfour"
        ))
        .await;
    insta::assert_snapshot!(said, @r#"
    HTTP/1.1 408 Request Timeout
    content-type: application/problem+json
    cache-control: no-store
    connection: close
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    content-length: 208

    {"type":"https://skald.dev/errors/GW-006","title":"Body too slow","status":408,"detail":"the body did not arrive within 30s","instance":"/shop/x","code":"GW-006","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
    "#);
    assert_eq!(began.elapsed().as_secs(), 30);
}

/// Accepts an order at `/shop/orders`, and says at its location that it is done from the `rounds`th time on.
fn accepting(location: &'static str, rounds: usize) -> Arc<Fake> {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    Fake::new(move |request| match request.method().as_str() {
        "POST" => Ok(answer(202, &[("location", location)], "pending")),
        _ if request.uri().path() == "/shop/refused" => Ok(answer(404, &[], "")),
        _ => match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 {
            1 => Err(CallError::Conflict { attempts: 3 }),
            round if round < rounds => Ok(answer(200, &[("retry-after", "1")], "pending")),
            _ => Ok(answer(200, &[("etag", "\"2\"")], "confirmed")),
        },
    })
}

#[tokio::test(start_paused = true)]
async fn a_client_that_prefers_to_wait_gets_the_end() {
    let world = World::new(accepting("/shop/orders/1", 5)).await;
    let headers = [
        TRACE,
        "prefer: respond-async, wait=5",
        "accept: application/json",
    ];
    insta::assert_snapshot!(world.ask("POST /shop/orders", &headers).await, @r#"
    HTTP/1.1 200 OK
    etag: "2"
    preference-applied: wait=5
    content-location: /shop/orders/1
    location: /shop/orders/1
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 9

    confirmed
    "#);
    let (request, call) = world.fake.last();
    assert_eq!(
        (request.method().as_str(), request.uri().path()),
        ("GET", "/shop/orders/1")
    );
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(
        request.headers()["spin-full-url"],
        "http://shop.test/shop/orders/1"
    );
    assert!(call.context.once.is_none());
    assert_eq!(world.fake.asked.lock().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_202_when_the_end_does_not_come() {
    let world = World::new(accepting("http://shop.test/shop/orders/1", usize::MAX)).await;
    let began = tokio::time::Instant::now();
    insta::assert_snapshot!(world.ask("POST /shop/orders", &[TRACE, "prefer: wait=2"]).await, @"
    HTTP/1.1 202 Accepted
    location: http://shop.test/shop/orders/1
    trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
    connection: close
    content-length: 7

    pending
    ");
    assert_eq!(began.elapsed().as_secs(), 2);
    // 5, 10, 20, 40, 80 and then every 100 ms.
    assert!((20..=30).contains(&world.fake.asked.lock().len()));
}

#[tokio::test]
async fn only_places_of_our_own_are_waited_for() {
    for elsewhere in [
        "http://example.com/shop/1",
        "/nowhere",
        "/about",
        "/shop/refused",
        "/shop/../x",
    ] {
        let world = World::new(accepting(elsewhere, 1)).await;
        let said = world.ask("POST /shop/orders", &["prefer: wait=30"]).await;
        let asks = world.fake.asked.lock().len();
        assert!(
            said.starts_with("HTTP/1.1 202") && asks <= 2,
            "{elsewhere}: {said}"
        );
        if elsewhere != "/shop/refused" {
            assert_eq!(asks, 1, "{elsewhere}");
        }
    }
}
