//! The API as clients see it: over real connections, with a desk that keeps what it is asked.

mod desk;
mod events;
mod log;
mod world;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::{
    desk::Fake,
    world::{Answer, World},
};
use crate::{Config, ConfigError};

const TOKEN: &str = "correct-horse-battery";

async fn get(path: &str) -> Answer {
    World::local().await.ask("GET", path, &[], "").await
}

async fn post(world: &World, path: &str, body: &str) -> Answer {
    world.ask("POST", path, &[], body).await
}

#[tokio::test]
async fn the_list_has_pages() {
    let first = get("/admin/v1/sagas?limit=1").await;
    insta::assert_snapshot!(first, @r#"
    200 application/json
    {
      "items": [
        {
          "bytes": 100,
          "component": "checkout",
          "key": "evt_1",
          "note": "at work",
          "records": 3,
          "revision": "c0ffee",
          "run": "run_aa11",
          "standing": "running",
          "started_at": 1000000,
          "subject": "ord_1",
          "updated_at": 2000000
        }
      ],
      "next": "run_aa11"
    }
    "#);
    let second = get("/admin/v1/sagas?limit=1&after=run_aa11").await;
    assert!(second.body.contains("run_aa22"), "{second}");
    assert!(!get("/admin/v1/sagas/").await.body.contains("next"));
}

#[tokio::test]
async fn filters_reach_the_desk() {
    let world = World::local().await;
    let query =
        "standing=parked,running&standing=failed&component=checkout&subject=a%2Fb&prefix=run_a";
    world
        .ask("GET", &format!("/admin/v1/sagas?{query}"), &[], "")
        .await;
    insta::assert_snapshot!(world.desk.asked(), @r#"Filter { standings: [Parked, Running, Failed], component: Some("checkout"), subject: Some("a/b"), prefix: Some("run_a"), after: None, limit: 101 }"#);
}

#[tokio::test]
async fn what_is_no_filter_is_refused() {
    let details = [
        get("/admin/v1/sagas?standing=lost").await.detail(),
        get("/admin/v1/sagas?standing=").await.detail(),
        get("/admin/v1/sagas?limit=1001").await.detail(),
        get("/admin/v1/sagas?state=parked").await.detail(),
    ];
    insta::assert_snapshot!(details.join("\n"), @r#"
    "lost" is no standing; there are running, rolling-back, parked, completed, rolled-back, failed
    "" is no standing; there are running, rolling-back, parked, completed, rolled-back, failed
    `limit` is a number from 1 to 1000
    "state" is no filter; there are standing, component, subject, prefix, after and limit
    "#);
}

#[tokio::test]
async fn a_run_is_shown_with_its_story() {
    insta::assert_snapshot!(get("/admin/v1/sagas/run_aa11").await, @r#"
    200 application/json
    {
      "row": {
        "bytes": 100,
        "component": "checkout",
        "key": "evt_1",
        "note": "at work",
        "records": 3,
        "revision": "c0ffee",
        "run": "run_aa11",
        "standing": "running",
        "started_at": 1000000,
        "subject": "ord_1",
        "updated_at": 2000000
      },
      "timeline": [
        {
          "at": 1000000,
          "ended_at": 1250000,
          "key": "k0",
          "kind": "call",
          "ordinal": 0,
          "outcome": "ok",
          "what": "shop:payments/api@1.0.0.capture(\"ord_1\")"
        }
      ],
      "why": [
        "Its code is at work."
      ]
    }
    "#);
}

#[tokio::test]
async fn a_run_is_exported() {
    insta::assert_snapshot!(get("/admin/v1/sagas/bb/export").await, @r#"
    200 application/json
    {
      "component": "checkout",
      "entries": [
        "534b4a31"
      ],
      "run": "run_bb33",
      "version": 1
    }
    "#);
}

#[tokio::test]
async fn the_beginning_of_an_id_is_enough_if_only_one_run_has_it() {
    assert!(get("/admin/v1/sagas/run_b").await.body.contains("run_bb33"));
    assert!(get("/admin/v1/sagas/bb3").await.body.contains("run_bb33"));
    insta::assert_snapshot!(get("/admin/v1/sagas/run_aa").await, @r#"
    409 application/problem+json
    {
      "code": "ADMIN-004",
      "detail": "\"run_aa\" is the beginning of several runs: run_aa11, run_aa22",
      "instance": "/admin/v1/sagas/run_aa",
      "status": 409,
      "title": "Several runs",
      "trace_id": "…",
      "type": "https://skald.dev/errors/ADMIN-004"
    }
    "#);
    insta::assert_snapshot!(get("/admin/v1/sagas/run_ff").await, @r#"
    404 application/problem+json
    {
      "code": "SAGA-001",
      "detail": "there is no run run_ff; `skald saga ls` shows those there are",
      "instance": "/admin/v1/sagas/run_ff",
      "status": 404,
      "title": "No such run",
      "trace_id": "…",
      "type": "https://skald.dev/errors/SAGA-001"
    }
    "#);
}

#[tokio::test]
async fn verbs_reach_the_desk_with_who_and_why() {
    let world = World::local().await;
    let orders = [
        ("retry", "{}"),
        ("retry", ""),
        (
            "skip",
            r#"{"who": "eve", "why": "paid by hand", "answer": {"Result": {"Ok": null}}}"#,
        ),
        ("fail", r#"{"who": "eve", "why": "lost"}"#),
        ("rollback", r#"{"why": "out of stock"}"#),
        ("cancel", r#"{"who": "ada"}"#),
    ];
    for (verb, body) in orders {
        let answer = post(&world, &format!("/admin/v1/sagas/bb/{verb}"), body).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (200, r#"{"run":"run_bb33"}"#)
        );
    }
    insta::assert_snapshot!(world.desk.asked(), @"
    run_bb33 Retry retry by admin
    run_bb33 Retry retry by admin
    run_bb33 Skip { answer: Some(Result(Ok(None))) } skip by eve: paid by hand
    run_bb33 Fail fail by eve: lost
    run_bb33 Rollback rollback by admin: out of stock
    run_bb33 Cancel cancel by ada
    ");
}

#[tokio::test]
async fn orders_that_are_not_clear_change_nothing() {
    let world = World::local().await;
    let orders = [
        ("skip", r#"{"who": "eve"}"#),
        ("fail", r#"{"why": "  "}"#),
        ("rollback", ""),
        ("retry", r#"{"answer": {"Bool": true}}"#),
        ("skip", r#"{"why": "x", "answer": {"ok": 1}}"#),
        ("cancel", r#"{"reason": "x"}"#),
        ("cancel", "cancel it"),
        ("explode", "{}"),
        ("rerun", "{}"),
    ];
    let mut told = String::new();
    for (verb, body) in orders {
        let answer = post(&world, &format!("/admin/v1/sagas/bb/{verb}"), body).await;
        told += &format!("{} {}\n", answer.status, answer.detail());
    }
    insta::assert_snapshot!(told, @r#"
    400 skip needs a `why`; it is kept in the journal
    400 fail needs a `why`; it is kept in the journal
    400 rollback needs a `why`; it is kept in the journal
    400 retry takes no `answer`, only skip does
    400 the answer is no value with the name of its type, like {"Result": {"Ok": {"U32": 7}}}: unknown variant `ok`, expected one of `Bool`, `S8`, `U8`, `S16`, `U16`, `S32`, `U32`, `S64`, `U64`, `F32`, `F64`, `Char`, `String`, `List`, `Record`, `Tuple`, `Variant`, `Enum`, `Option`, `Result`, `Flags`
    400 the body is not what is expected here: unknown field `reason`, expected one of `who`, `why`, `answer` at line 1 column 9
    400 the body is not what is expected here: expected value at line 1 column 1
    404 nothing answers at this path; there are /admin/v1/sagas, topics, events, lag, dead-letters, replay and nodes
    400 the body is not what is expected here: missing field `from` at line 1 column 2
    "#);
    assert_eq!(world.desk.asked(), "");
}

#[tokio::test]
async fn the_desk_may_say_no() {
    let world = World::local().await;
    let answer = post(&world, "/admin/v1/sagas/aa22/retry", "").await;
    insta::assert_snapshot!(answer, @r#"
    409 application/problem+json
    {
      "code": "SAGA-002",
      "detail": "the run has ended",
      "instance": "/admin/v1/sagas/aa22/retry",
      "status": 409,
      "title": "Not possible now",
      "trace_id": "…",
      "type": "https://skald.dev/errors/SAGA-002"
    }
    "#);
    let answer = world.ask("DELETE", "/admin/v1/sagas/aa11", &[], "").await;
    assert_eq!((answer.status, answer.code()), (400, "SAGA-003".to_owned()));
}

#[tokio::test]
async fn a_signal_carries_its_bytes_and_its_senders_name() {
    let world = World::local().await;
    let path = "/admin/v1/sagas/bb/signals/stock%20back";
    let key = [("idempotency-key", "k-1")];
    let answer = world.ask("POST", path, &key, "\u{1}\u{2}").await;
    insta::assert_snapshot!(answer.body, @r#"{"run":"run_bb33","signal":"k-1"}"#);
    insta::assert_snapshot!(world.desk.asked(), @r#"run_bb33 Signal { id: "k-1", name: "stock back", payload: b"\x01\x02" }"#);
    let one = post(&world, path, "").await;
    let other = post(&world, path, "").await;
    assert_ne!(
        one.body, other.body,
        "each sending without a key is one of its own"
    );
}

#[tokio::test]
async fn runs_are_begun_again_renewed_and_forgotten() {
    let world = World::local().await;
    let rerun = post(
        &world,
        "/admin/v1/sagas/bb/rerun",
        r#"{"from": 3, "why": "fixed"}"#,
    )
    .await;
    let rehearsed = post(
        &world,
        "/admin/v1/sagas/bb/upgrade",
        r#"{"rehearse": true}"#,
    )
    .await;
    let upgraded = post(&world, "/admin/v1/sagas/bb/upgrade", r#"{"who": "eve"}"#).await;
    let purged = world.ask("DELETE", "/admin/v1/sagas/bb", &[], "").await;
    let told = [rerun, rehearsed, upgraded, purged].map(|answer| answer.body);
    insta::assert_snapshot!(told.join("\n"), @r#"
    {"run":"run_cc44","of":"run_bb33"}
    {"run":"run_bb33","revision":"decaf"}
    {"run":"run_bb33","revision":"decaf"}
    {"run":"run_bb33"}
    "#);
    insta::assert_snapshot!(world.desk.asked(), @"
    run_bb33 from 3, rerun by admin: fixed
    run_bb33 Rehearse upgrade by admin
    run_bb33 Apply upgrade by eve
    run_bb33 purged
    ");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    assert_eq!(get("/admin/v2").await.status, 404);
    let world = World::local().await;
    let answer = world.ask("PUT", "/admin/v1/sagas/bb", &[], "").await;
    assert_eq!(
        (answer.status, answer.code()),
        (405, "ADMIN-005".to_owned())
    );
    assert_eq!(answer.header("allow"), "GET,HEAD,DELETE");
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let world = World::local().await;
    let long = "x".repeat((1 << 20) + 1);
    let answer = post(&world, "/admin/v1/sagas/bb/signals/go", &long).await;
    assert_eq!(
        (answer.status, answer.code()),
        (413, "ADMIN-006".to_owned())
    );
}

#[tokio::test]
async fn pages_in_a_browser_are_not_let_in() {
    let world = World::local().await;
    for host in ["localhost", "127.0.0.1:80", "[::1]:80", "LOCALHOST:1"] {
        let answer = world
            .ask("GET", "/admin/v1/health", &[("host", host)], "")
            .await;
        assert_eq!(
            (answer.status, &*answer.body),
            (200, r#"{"status":"ok"}"#),
            "{host}"
        );
    }
    for host in [
        "evil.test",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "10.0.0.1",
        "",
    ] {
        let answer = world
            .ask("GET", "/admin/v1/health", &[("host", host)], "")
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, "ADMIN-002".to_owned()),
            "{host}"
        );
    }
    let origin = [("origin", "http://localhost:3000")];
    let answer = world
        .ask("POST", "/admin/v1/sagas/bb/cancel", &origin, "")
        .await;
    insta::assert_snapshot!(answer, @r#"
    403 application/problem+json
    {
      "code": "ADMIN-002",
      "detail": "the request is refused: it was sent by a web page; start the host with --admin-token to ask from there",
      "instance": "/admin/v1/sagas/bb/cancel",
      "status": 403,
      "title": "Not from this machine",
      "trace_id": "…",
      "type": "https://skald.dev/errors/ADMIN-002"
    }
    "#);
    assert_eq!(world.desk.asked(), "");
}

#[tokio::test]
async fn with_a_token_only_its_holder_is_let_in() {
    let world = World::with_token(TOKEN).await;
    let ask = async |authorization: &str| {
        let headers = [
            ("authorization", authorization),
            ("host", "ops.test"),
            ("origin", "https://ops.test"),
        ];
        world
            .ask("GET", "/admin/v1/health", &headers, "")
            .await
            .status
    };
    assert_eq!(ask(&format!("Bearer {TOKEN}")).await, 200);
    assert_eq!(ask(&format!("bearer {TOKEN}")).await, 200);
    assert_eq!(ask(&format!("Basic {TOKEN}")).await, 401);
    assert_eq!(ask("Bearer correct-horse-batterx").await, 401);
    assert_eq!(ask("Bearer ").await, 401);
    let answer = world.ask("GET", "/admin/v1/health", &[], "").await;
    insta::assert_snapshot!(answer, @r#"
    401 application/problem+json
    {
      "code": "ADMIN-001",
      "detail": "this needs the admin token: the header `Authorization: Bearer …`, or `skald saga --admin-token`",
      "instance": "/admin/v1/health",
      "status": 401,
      "title": "Admin token needed",
      "trace_id": "…",
      "type": "https://skald.dev/errors/ADMIN-001"
    }
    "#);
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer realm=\"skald admin\""
    );
}

#[test]
fn other_addresses_than_the_machines_own_need_a_token() {
    let config = |address: &str, token| Config::new(address.parse::<SocketAddr>().unwrap(), token);
    for own in ["127.0.0.1:0", "127.8.0.1:1", "[::1]:0"] {
        assert!(config(own, None).is_ok(), "{own}");
    }
    for other in ["0.0.0.0:0", "[::]:0", "192.0.2.1:1"] {
        let refused = config(other, None).unwrap_err();
        assert_eq!(refused, ConfigError::Open(other.parse().unwrap()));
        assert!(config(other, Some(TOKEN)).is_ok(), "{other}");
    }
    assert_eq!(
        config("127.0.0.1:0", Some("short")).unwrap_err(),
        ConfigError::TooShort(5)
    );
    let unsendable = config("127.0.0.1:0", Some("sixteen letters and blanks"));
    assert_eq!(unsendable.unwrap_err(), ConfigError::Unsendable);
    let shown = format!("{:?}", config("127.0.0.1:0", Some(TOKEN)).unwrap());
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_header_that_does_not_come_ends_its_connection() {
    let world = World::local().await;
    let mut stream = world.connect().await;
    stream
        .write_all(b"GET /admin/v1/health HTTP/1.1\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection was kept");
}

#[tokio::test]
async fn a_stopped_api_lets_nobody_in_and_leaves() {
    let world = World::over(Arc::new(Fake::default()), None).await;
    let drained = world.tasks.drain(Duration::from_secs(10)).await;
    assert_eq!(drained.unfinished, Vec::<String>::new());
    assert!(tokio::net::TcpStream::connect(world.address).await.is_err());
}
