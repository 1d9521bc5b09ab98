//! The log of events, as clients see it.

use super::{
    TOKEN,
    log::{Log, at},
    post,
    world::{Answer, World},
};
use skald_telemetry::clock::rfc3339;

/// `cart` listens to `a` and `b`, `stock` to `b`.
async fn world(prepare: impl FnOnce(&Log)) -> World {
    let world = World::local().await;
    prepare(&world.log);
    world
}

async fn get(world: &World, path: &str) -> Answer {
    world
        .ask("GET", &format!("/admin/v1/{path}"), &[], "")
        .await
}

/// The numbers of the events in an answer, the word that goes on from there, and whether there is more.
fn numbers(answer: &Answer) -> (Vec<u64>, String, bool) {
    let body = answer.json();
    let number = |event: &serde_json::Value| event["sequence"].as_str().unwrap().parse().unwrap();
    let numbers = body["items"].as_array().unwrap().iter().map(number);
    (
        numbers.collect(),
        body["after"].as_str().unwrap().to_owned(),
        body["more"].as_bool().unwrap(),
    )
}

/// Two partitions, whose events come in turns.
fn turns(log: &Log) {
    log.put("x/1", 10, "a", 1);
    log.put("x/2", 5, "b", 2);
    log.put("x/1", 11, "b", 3);
    log.put("x/2", 6, "a", 4);
    // A clock that goes wrong does not change the order of its partition.
    log.put("x/2", 7, "a", 0);
    log.put("x/1", 12, "a", 5);
}

#[tokio::test]
async fn topics_come_with_their_counts_and_listeners() {
    let world = world(|log| {
        log.put("log", 1, "b", 1);
        log.put("log", 2, "c", 1);
        log.put("log", 3, "b", 1);
    });
    let answer = get(&world.await, "topics").await;
    let line = |topic: &serde_json::Value| topic.to_string();
    let lines: Vec<_> = answer.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"published":0,"subscribers":["cart"],"topic":"a"}
    {"published":2,"subscribers":["cart","stock"],"topic":"b"}
    {"published":1,"subscribers":[],"topic":"c"}
    "#);
}

#[tokio::test]
async fn an_event_is_shown_whole() {
    let world = world(|log| log.put("log", u64::MAX, "a", 1));
    insta::assert_snapshot!(get(&world.await, "events").await, @r#"
    200 application/json
    {
      "after": "log@18446744073709551615",
      "items": [
        {
          "key": "key-18446744073709551615",
          "partition": "log",
          "payload": "{\"n\":18446744073709551615}",
          "recorded_at": 1700000001000000,
          "sequence": "18446744073709551615",
          "topic": "a",
          "trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        }
      ],
      "more": false
    }
    "#);
}

#[tokio::test]
async fn partitions_are_merged_by_time_and_each_keeps_its_order() {
    let world = world(turns).await;
    let (all, after, more) = numbers(&get(&world, "events").await);
    assert_eq!(all, [10, 5, 11, 6, 7, 12]);
    assert_eq!((after.as_str(), more), ("x/1@12,x/2@7", false));
    let (ofa, ..) = numbers(&get(&world, "events?topic=a").await);
    assert_eq!(ofa, [10, 6, 7, 12]);
    let (both, ..) = numbers(&get(&world, "events?topic=a&topic=b").await);
    assert_eq!(both, all);
}

#[tokio::test]
async fn a_reader_goes_on_where_the_page_ended() {
    let world = world(turns).await;
    let (mut read, mut after) = (Vec::new(), String::new());
    for expected in [true, true, true, true, true, false] {
        let page = get(&world, &format!("events?limit=1&after={after}")).await;
        let (numbers, next, more) = numbers(&page);
        assert_eq!((numbers.len(), more), (1, expected));
        read.extend(numbers);
        after = next;
    }
    assert_eq!(read, [10, 5, 11, 6, 7, 12]);
    let path = format!("events?after={after}");
    assert_eq!(numbers(&get(&world, &path).await), (vec![], after, false));
    // What is published afterwards is found, also where there was no partition.
    world.log.put("x/2", 8, "a", 6);
    world.log.put("y/1", 1, "a", 7);
    assert_eq!(numbers(&get(&world, &path).await).0, [8, 1]);
}

#[tokio::test]
async fn events_are_read_since_a_time() {
    let world = world(turns).await;
    let since = rfc3339(at(3));
    let (found, after, _) = numbers(&get(&world, &format!("events?since={since}")).await);
    // The number 7 is the last of its partition that says it is older.
    assert_eq!(found, [11, 12]);
    assert_eq!(after, "x/1@12,x/2@7");
    // All of it was long ago.
    let (found, after, _) = numbers(&get(&world, "events?since=10m").await);
    assert_eq!((found.len(), after.as_str()), (0, "x/1@12,x/2@7"));
    let (found, ..) = numbers(&get(&world, "events?since=99999d").await);
    assert_eq!(found.len(), 6);
}

#[tokio::test]
async fn the_last_events_are_found_however_long_ago_they_were() {
    let world = world(turns).await;
    let last = async |count| numbers(&get(&world, &format!("events?last={count}")).await).0;
    assert_eq!(last(2).await, [7, 12]);
    assert_eq!(last(100).await, [10, 5, 11, 6, 7, 12]);
    let (found, after, more) = numbers(&get(&world, "events?last=1&topic=b").await);
    assert_eq!(found, [11]);
    assert_eq!(
        (
            numbers(&get(&world, &format!("events?after={after}&topic=b")).await).0,
            more
        ),
        (vec![], false)
    );
}

#[tokio::test]
async fn more_than_a_batch_of_a_partition_is_read_in_order() {
    let world = world(|log| {
        for number in 1..=150 {
            log.put("x", number, "a", number * 2);
            log.put("y", number + 1_000, "a", number * 2 + 1);
        }
    })
    .await;
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("events?limit=70&after={after}");
        let (numbers, next, more) = numbers(&get(&world, &path).await);
        read.extend(numbers);
        after = next;
        if !more {
            break;
        }
    }
    let expected: Vec<u64> = (1..=150)
        .flat_map(|number| [number, number + 1_000])
        .collect();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn lag_is_told_in_messages_and_seconds() {
    let world = world(|log| {
        for (number, topic) in [(1, "a"), (2, "b"), (3, "b"), (4, "a")] {
            log.put("log", number, topic, number);
        }
        log.open(("cart", "log"), 1, &[3]);
        log.open(("stock", "log"), 4, &[]);
        log.fail(("cart", "log"), 2);
        log.bury("stock", 2);
    })
    .await;
    let answer = get(&world, "lag").await;
    let mut items = answer.json()["items"].clone();
    // They grow.
    for item in items.as_array_mut().unwrap() {
        for seconds in ["/seconds", "/partitions/0/seconds"] {
            let seconds = item.pointer_mut(seconds).unwrap();
            *seconds = (seconds.as_u64().unwrap() > 1_000_000).into();
        }
    }
    insta::assert_snapshot!(format!("{items:#}"), @r#"
    [
      {
        "dead_letters": 0,
        "messages": 2,
        "partitions": [
          {
            "cursor": "1",
            "messages": 2,
            "oldest_at": 1700000002000000,
            "partition": "log",
            "retrying": 1,
            "seconds": true
          }
        ],
        "retrying": 1,
        "seconds": true,
        "subscriber": "cart"
      },
      {
        "dead_letters": 1,
        "messages": 0,
        "partitions": [
          {
            "cursor": "4",
            "messages": 0,
            "partition": "log",
            "retrying": 0,
            "seconds": false
          }
        ],
        "retrying": 0,
        "seconds": false,
        "subscriber": "stock"
      }
    ]
    "#);
    let one = get(&world, "lag?subscriber=stock").await.json();
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
}

/// Three letters of `cart`, and one of somebody who listens no more.
fn letters(log: &Log) {
    for number in 1..=4 {
        log.put("log", number, "a", number);
    }
    log.bury("cart", 1);
    log.bury("cart", 2);
    log.bury("cart", 3);
    log.bury("gone", 4);
}

#[tokio::test]
async fn dead_letters_are_listed_in_pages() {
    let world = world(letters).await;
    insta::assert_snapshot!(get(&world, "dead-letters?limit=1").await, @r#"
    200 application/json
    {
      "items": [
        {
          "attempts": 8,
          "buried_at": 1700000501000000,
          "bytes": 7,
          "error": "the handler failed: it is poisoned",
          "id": "cart/log/1",
          "key": "key-1",
          "partition": "log",
          "recorded_at": 1700000001000000,
          "sequence": "1",
          "subscriber": "cart",
          "topic": "a",
          "trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        }
      ],
      "next": "cart/log/1"
    }
    "#);
    let ids = async |query: &str| {
        let page = get(&world, &format!("dead-letters?{query}")).await.json();
        let items = page["items"].as_array().unwrap().clone();
        let ids: Vec<_> = items
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        ids.join(" ")
    };
    assert_eq!(ids("after=cart/log/2").await, "cart/log/3 gone/log/4");
    assert_eq!(ids("subscriber=gone").await, "gone/log/4");
    assert_eq!(ids("subscriber=stock").await, "");
}

#[tokio::test]
async fn a_dead_letter_is_shown_with_its_message_and_delivered_again_once() {
    let world = world(letters).await;
    let letter = "dead-letters/cart%2Flog%2F2";
    let shown = get(&world, letter).await.json();
    assert_eq!(shown["payload"], r#"{"n":2}"#);
    let path = format!("/admin/v1/{letter}/redrive?who=eve");
    let redriven = post(&world, &path, "").await;
    assert_eq!(redriven.body, r#"{"redriven":1,"more":false}"#);
    assert_eq!(world.log.told()[4], r#"$for/cart "key-2" {"n":2}"#);
    insta::assert_snapshot!(post(&world, &path, "").await, @r#"
    404 application/problem+json
    {
      "code": "EVENT-002",
      "detail": "there is no dead letter cart/log/2; `skald events dlq ls` shows those there are",
      "instance": "/admin/v1/dead-letters/cart%2Flog%2F2/redrive",
      "status": 404,
      "title": "No such dead letter",
      "trace_id": "…",
      "type": "https://skald.dev/errors/EVENT-002"
    }
    "#);
    assert_eq!(get(&world, letter).await.status, 404);
}

#[tokio::test]
async fn all_of_a_subscriber_are_delivered_again_up_to_a_limit() {
    let world = world(letters).await;
    let redrive = async |body: &str| {
        let path = "/admin/v1/dead-letters/redrive";
        post(&world, path, body).await.body
    };
    let some = redrive(r#"{"subscriber": "cart", "limit": 2}"#).await;
    assert_eq!(some, r#"{"redriven":2,"more":true}"#);
    let rest = redrive(r#"{"subscriber": "cart", "who": "eve"}"#).await;
    assert_eq!(rest, r#"{"redriven":1,"more":false}"#);
    let none = redrive(r#"{"subscriber": "cart"}"#).await;
    assert_eq!(none, r#"{"redriven":0,"more":false}"#);
    let gone = redrive(r#"{"subscriber": "gone"}"#).await;
    assert_eq!(gone, r#"{"redriven":1,"more":false}"#);
    assert_eq!(world.log.told().len(), 8);
}

#[tokio::test]
async fn a_dead_letter_that_is_forgotten_is_answered_a_last_time() {
    let world = world(letters).await;
    let path = "/admin/v1/dead-letters/cart%2Flog%2F2";
    let answer = world.ask("DELETE", path, &[], "").await;
    assert_eq!(
        (answer.status, answer.json()["payload"].as_str().unwrap()),
        (200, r#"{"n":2}"#)
    );
    assert_eq!(world.ask("DELETE", path, &[], "").await.code(), "EVENT-002");
    assert_eq!(world.log.told().len(), 4);
}

/// `cart` has handled 1 to 4, 6 and 7 of ten events, each a second after the other.
fn handled(log: &Log) {
    for number in 1..=10 {
        log.put("log", number, if number == 3 { "c" } else { "a" }, number);
    }
    log.open(("cart", "log"), 4, &[6, 7]);
    log.put("other", 5, "b", 0);
    log.open(("cart", "other"), 5, &[]);
}

#[tokio::test]
async fn a_replay_is_tried_first() {
    let world = world(handled).await;
    let order = r#"{"to": "cart", "from": "beginning", "dry_run": true}"#;
    insta::assert_snapshot!(post(&world, "/admin/v1/replay", order).await, @r#"
    200 application/json
    {
      "again": 6,
      "dry_run": true,
      "partitions": [
        {
          "after": "0",
          "again": 5,
          "at_least": false,
          "cursor": "4",
          "partition": "log"
        },
        {
          "after": "0",
          "again": 1,
          "at_least": false,
          "cursor": "5",
          "partition": "other"
        }
      ],
      "subscriber": "cart"
    }
    "#);
    assert_eq!(world.log.cursor(("cart", "log")), (0, 4));
}

#[tokio::test]
async fn a_replay_sends_back_and_never_forward() {
    let second = |second| format!("\"{}\"", rfc3339(at(second)));
    for (from, log, other, again) in [
        ("\"beginning\"".to_owned(), (1, 0), (1, 0), 6),
        // What happened since: 2 to 4, 6 and 7, of which 3 is none that it listens to.
        (second(2), (1, 1), (0, 5), 4),
        // It has not handled 5 and 8 to 10, and they are not left out.
        (second(8), (1, 4), (0, 5), 2),
        (second(1_000), (1, 4), (0, 5), 2),
        ("\"1s\"".to_owned(), (1, 4), (0, 5), 2),
        ("\"log:4\"".to_owned(), (1, 3), (0, 5), 3),
        ("\"other:1\"".to_owned(), (0, 4), (1, 0), 1),
        ("\"other:6\"".to_owned(), (0, 4), (0, 5), 0),
    ] {
        let world = world(handled).await;
        let order = format!(r#"{{"to": "cart", "from": {from}, "who": "eve"}}"#);
        let answer = post(&world, "/admin/v1/replay", &order).await;
        assert_eq!(answer.json()["again"], again, "{from}: {answer}");
        let books = [("cart", "log"), ("cart", "other")].map(|book| world.log.cursor(book));
        assert_eq!(books, [log, other], "{from}");
    }
}

#[tokio::test]
async fn an_event_is_published_as_it_is_said() {
    let world = world(|_| ()).await;
    let path = "/admin/v1/events?topic=a&who=eve";
    let plain = post(&world, path, "ping").await;
    assert_eq!(
        plain.body,
        r#"{"topic":"a","key":"","bytes":4,"subscribers":["cart"]}"#
    );
    let event = r#"{"specversion":"1.0","id":"1","source":"/s","type":"z","subject":"ord_1"}"#;
    let kind = [(
        "content-type",
        "application/cloudevents+json; charset=utf-8",
    )];
    let path = "/admin/v1/events?topic=z";
    let whole = world.ask("POST", path, &kind, event).await;
    assert_eq!(
        whole.body,
        r#"{"topic":"z","key":"ord_1","bytes":73,"subscribers":[]}"#
    );
    assert_eq!(
        world.log.told(),
        ["a \"\" ping".to_owned(), format!("z \"ord_1\" {event}")]
    );
}

#[tokio::test]
async fn what_cannot_be_published_is_not() {
    let world = world(|_| ()).await;
    let mut told = Vec::new();
    let kind = [("content-type", "application/cloudevents+json")];
    let long = format!(r#"{{"subject": "{}"}}"#, "x".repeat(1_025));
    for (topic, headers, body) in [
        ("$for/cart", &[][..], "ping"),
        ("", &[], "ping"),
        (&"x".repeat(257), &[], "ping"),
        ("a", &[], &*long),
        ("a", &kind, "ping"),
        ("a", &kind, r#"{"specversion":"0.3"}"#),
        ("a", &kind, r#"{"specversion":"1.0","id":"","source":"/s"}"#),
    ] {
        let path = format!("/admin/v1/events?topic={topic}");
        let answer = world.ask("POST", &path, headers, body).await;
        told.push(format!(
            "{} {} {}",
            answer.status,
            answer.code(),
            answer.detail()
        ));
    }
    assert_eq!(world.log.told(), [""; 0]);
    insta::assert_snapshot!(told.join("\n"), @"
    400 EVENT-004 topics that begin with `$` are the host's own
    400 EVENT-004 `topic` has 1 to 256 bytes
    400 EVENT-004 `topic` has 1 to 256 bytes
    400 EVENT-004 a `subject` may have 1024 bytes
    400 EVENT-004 the event is no JSON: expected value at line 1 column 1
    400 EVENT-004 an event has `\"specversion\": \"1.0\"`
    400 EVENT-004 the event lacks `id`, `type`
    ");
}

#[tokio::test]
async fn what_is_not_understood_changes_nothing() {
    let world = world(handled).await;
    let mut told = Vec::new();
    for path in [
        "topics?x=1",
        "events?topics=a",
        "events?since=yesterday",
        "events?after=here",
        "events?since=1m&after=log@1",
        "events?limit=0",
        "events?last=1001",
        "lag?subscriber=cat",
        "dead-letters?subscriber=cat",
        "dead-letters?after=3",
        "dead-letters/3",
    ] {
        told.push(get(&world, path).await);
    }
    for body in [
        r#"{"to": "cat", "from": "beginning"}"#,
        r#"{"to": "cart", "from": "start"}"#,
        r#"{"to": "cart", "from": "nowhere:3"}"#,
        r#"{"to": "cart"}"#,
    ] {
        told.push(post(&world, "/admin/v1/replay", body).await);
    }
    let order = r#"{"subscriber": "cat"}"#;
    told.push(post(&world, "/admin/v1/dead-letters/redrive", order).await);
    let told = told
        .iter()
        .map(|answer| format!("{} {}", answer.code(), answer.detail()));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    ADMIN-003 "x" is no parameter here; there are: none
    ADMIN-003 "topics" is no parameter here; there are: topic, since, after, last, limit
    EVENT-003 "yesterday" is no time; write one like 2026-01-31T23:59:59Z, or how long ago, like 10m
    EVENT-003 `after` is what the last page called so, and nothing else
    ADMIN-003 `after`, `since` and `last` are said one at a time
    ADMIN-003 `limit` is a number from 1 to 1000
    ADMIN-003 `last` is a number from 1 to 1000
    EVENT-001 "cat" listens to no events; these do: cart, stock
    EVENT-001 "cat" listens to no events; these do: cart, stock
    EVENT-003 "3": write a dead letter as SUBSCRIBER/PARTITION/NUMBER, as `skald events dlq ls` does
    EVENT-003 "3": write a dead letter as SUBSCRIBER/PARTITION/NUMBER, as `skald events dlq ls` does
    EVENT-001 "cat" listens to no events; these do: cart, stock
    EVENT-003 "start" is no place to begin; write `beginning`, a time like 2026-01-31T23:59:59Z, how long ago, like 10m, or PARTITION:NUMBER
    EVENT-003 cart listens to nothing in a partition "nowhere"; there are log, other
    ADMIN-003 the body is not what is expected here: missing field `from` at line 1 column 14
    EVENT-001 "cat" listens to no events; these do: cart, stock
    "#);
    assert_eq!(world.log.cursor(("cart", "log")), (0, 4));
}

#[tokio::test]
async fn a_log_that_fails_is_no_fault_of_who_asks() {
    let world = world(turns).await;
    world.log.break_down();
    for path in ["topics", "events", "lag", "dead-letters", "nodes"] {
        let answer = get(&world, path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (503, "STORE-003".to_owned()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn nodes_say_what_they_are() {
    let world = world(|_| ()).await;
    let mut nodes = get(&world, "nodes").await.json();
    let up = nodes.pointer_mut("/items/0/up_seconds").unwrap();
    assert!(up.take().as_u64().unwrap() > 1_000_000_000);
    insta::assert_snapshot!(format!("{nodes:#}"), @r#"
    {
      "items": [
        {
          "address": null,
          "admin": "127.0.0.1:9090",
          "components": [
            {
              "component": "cart",
              "revision": "c0ffee"
            }
          ],
          "epochs": [
            4
          ],
          "health": "draining",
          "load": 3,
          "node": "node_1",
          "started_at": 1000000,
          "up_seconds": null,
          "version": "0.1.0"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn an_application_without_sagas_has_events_all_the_same() {
    let world = World::without_sagas().await;
    assert_eq!(get(&world, "topics").await.status, 200);
    for path in ["sagas", "sagas/", "sagas/3f2a", "sagas/3f2a/retry"] {
        let answer = get(&world, path).await;
        assert_eq!(
            (answer.status, answer.detail()),
            (404, "this application has no sagas".to_owned()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn events_are_for_holders_of_the_token_too() {
    let world = World::with_token(TOKEN).await;
    for path in ["topics", "events", "lag", "dead-letters", "nodes"] {
        assert_eq!(get(&world, path).await.status, 401, "{path}");
    }
}
