use std::time::{Duration, UNIX_EPOCH};

use skald_admin::view::{Again, Event, Lag, Letter, Number, Payload, Replay, Share, Topic};

use super::{lag, letter, letters, line, partitions, replay, topics};
use crate::present::ink::Ink;

const SECOND: u64 = 1_000_000;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn text(text: &str) -> Payload {
    Payload {
        text: Some(text.to_owned()),
        digits: None,
    }
}

fn event(key: &str, payload: Payload) -> String {
    let event = Event {
        partition: "log".to_owned(),
        sequence: Number(812),
        topic: "shop.order.placed.v1".to_owned(),
        key: key.to_owned(),
        recorded_at: 1_767_225_599_042_000,
        trace: TRACE.to_owned(),
        payload,
    };
    line(&event, Ink::Plain)
}

fn dead(error: &str, payload: Payload) -> Letter {
    Letter {
        id: "cart/log/812".to_owned(),
        subscriber: "cart".to_owned(),
        partition: "log".to_owned(),
        sequence: Number(812),
        topic: "shop.order.placed.v1".to_owned(),
        key: "ord_1".to_owned(),
        attempts: 8,
        error: error.to_owned(),
        recorded_at: 10 * SECOND,
        buried_at: 31 * SECOND,
        trace: TRACE.to_owned(),
        bytes: 42,
        payload,
    }
}

#[test]
fn an_event_is_a_line() {
    let cloud = r#"{"specversion":"1.0","id":"1","data":{"order":"ord_1",
        "total":{"amount":4200}}}"#;
    let bytes = Payload {
        text: None,
        digits: Some("00ff".to_owned()),
    };
    let lines = [
        event("ord_1", text(cloud)),
        event("ord_1", text(r#"{"specversion":"1.0","id":"1"}"#)),
        event("", text("[1, 2]")),
        event("", text("two\nlines, and \u{1b}[31mred")),
        event("", bytes),
        event("ord_1", text(&format!("\"{}\"", "long ".repeat(40)))),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    2025-12-31T23:59:59.042Z  log:812  shop.order.placed.v1  ord_1  {"order":"ord_1","total":{"amount":4200}}
    2025-12-31T23:59:59.042Z  log:812  shop.order.placed.v1  ord_1
    2025-12-31T23:59:59.042Z  log:812  shop.order.placed.v1  -  [1,2]
    2025-12-31T23:59:59.042Z  log:812  shop.order.placed.v1  -  two·lines, and ·[31mred
    2025-12-31T23:59:59.042Z  log:812  shop.order.placed.v1  -  0x00ff
    2025-12-31T23:59:59.042Z  log:812  shop.order.placed.v1  ord_1  "long long long long long long long long long long long long long long long long long long long long long long…
    "#);
}

#[test]
fn topics_have_counts_and_listeners() {
    let topic = |topic: &str, published, subscribers: &[&str]| Topic {
        topic: topic.to_owned(),
        published,
        subscribers: subscribers.iter().map(|name| (*name).to_owned()).collect(),
    };
    insta::assert_snapshot!(topics(&[
        topic("shop.order.placed.v1", 1_204, &["cart", "checkout"]),
        topic("shop.order.lost.v1", 0, &[]),
    ]), @r"
    ────────────────────────────────────────────────
     topic                  published   subscribers
    ════════════════════════════════════════════════
     shop.order.placed.v1   1204        cart
                                        checkout
    ────────────────────────────────────────────────
     shop.order.lost.v1     0           -
    ────────────────────────────────────────────────
    ");
}

#[test]
fn lag_is_told_for_subscribers_and_for_partitions() {
    let share = |partition: &str, messages, oldest_at: Option<u64>| Share {
        partition: partition.to_owned(),
        messages,
        seconds: 0,
        oldest_at,
        retrying: messages.min(1),
        cursor: Number(u64::MAX),
    };
    let lags = [
        Lag {
            subscriber: "cart".to_owned(),
            messages: 12,
            seconds: 75,
            retrying: 2,
            dead_letters: 1_000,
            partitions: vec![
                share("orders/1", 12, Some(25 * SECOND)),
                share("orders/2", 0, None),
            ],
        },
        Lag {
            subscriber: "stock".to_owned(),
            messages: 0,
            seconds: 0,
            retrying: 0,
            dead_letters: 3,
            partitions: vec![share("log", 0, None)],
        },
    ];
    insta::assert_snapshot!(lag(&lags), @r"
    ────────────────────────────────────────────────────────────
     subscriber   behind   oldest       retrying   dead letters
    ════════════════════════════════════════════════════════════
     cart         12       1 min 15 s   2          1000 or more
    ────────────────────────────────────────────────────────────
     stock        0        -            0          3
    ────────────────────────────────────────────────────────────
    ");
    insta::assert_snapshot!(partitions(&lags, 100 * SECOND), @r"
    ────────────────────────────────────────────────────────────────────────────────
     subscriber   partition   behind   oldest       retrying   cursor
    ════════════════════════════════════════════════════════════════════════════════
     cart         orders/1    12       1 min 15 s   1          18446744073709551615
    ────────────────────────────────────────────────────────────────────────────────
     cart         orders/2    0        -            0          18446744073709551615
    ────────────────────────────────────────────────────────────────────────────────
     stock        log         0        -            0          18446744073709551615
    ────────────────────────────────────────────────────────────────────────────────
    ");
}

#[test]
fn dead_letters_are_a_list() {
    let now = UNIX_EPOCH + Duration::from_secs(100);
    let found = [
        dead("the handler failed: no such order", text("")),
        dead(&"it trapped ".repeat(20), text("")),
    ];
    insta::assert_snapshot!(letters(&found, now), @r"
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     dead letter    topic                  key     tried   since        error
    ══════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════
     cart/log/812   shop.order.placed.v1   ord_1   8       1 min 09 s   the handler failed: no such order
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     cart/log/812   shop.order.placed.v1   ord_1   8       1 min 09 s   it trapped it trapped it trapped it trapped it trapped it tr…
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    ");
}

#[test]
fn a_dead_letter_is_shown_with_its_message() {
    let json = text(r#"{"order":"ord_1","lines":[{"sku":"ale-horn"}]}"#);
    let one = dead("the handler failed: no such order", json);
    insta::assert_snapshot!(letter(&one, Ink::Plain), @r#"
    cart/log/812  tried 8 times: the handler failed: no such order
      event      shop.order.placed.v1, 42 bytes
      key        ord_1
      published  1970-01-01T00:00:10.000Z
      given up   1970-01-01T00:00:31.000Z by cart
      trace      4bf92f3577b34da6a3ce929d0e0e4736

    {
      "lines": [
        {
          "sku": "ale-horn"
        }
      ],
      "order": "ord_1"
    }
    "#);
    let plain = dead("no", text("two\nlines \u{7}"));
    assert!(letter(&plain, Ink::Plain).ends_with("\n\ntwo\nlines ·\n"));
}

#[test]
fn a_replay_is_told_before_and_after() {
    let again = |partition: &str, again, at_least| Again {
        partition: partition.to_owned(),
        cursor: Number(900),
        after: Number(0),
        again,
        at_least,
    };
    let mut told = Replay {
        subscriber: "order-history".to_owned(),
        dry_run: true,
        again: 100_007,
        partitions: vec![
            again("orders/1", 7, false),
            again("orders/2", 0, false),
            again("orders/3", 100_000, true),
        ],
    };
    insta::assert_snapshot!(replay(&told), @r"
    ────────────────────────────────────────────────────
     partition   cursor   begins after   again
    ════════════════════════════════════════════════════
     orders/1    900      0              7
    ────────────────────────────────────────────────────
     orders/3    900      0              100000 or more
    ────────────────────────────────────────────────────
    order-history would hear 100007 or more events again.
    ");
    told.dry_run = false;
    told.again = 0;
    insta::assert_snapshot!(replay(&told), @r"
    order-history has handled nothing after that; it hears nothing again.
    ");
}
