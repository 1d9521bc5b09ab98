//! Events out and in again, and messages that are none.

use serde_json::{Value, json};

use super::*;

#[test]
fn an_event_is_written_as_a_cloud_event_and_read_back() {
    let event = CloudEvent::new(
        "shop.order.placed.v1",
        "/shop/orders",
        "ord_1",
        json!({"order": "ord_1"}),
    )
    .correlated("ord_1");
    publish(&event);
    let published = crate::memory::take_published();
    let [(topic, text)] = published.as_slice() else {
        panic!("one event, not {published:?}");
    };
    assert_eq!(topic, "shop.order.placed.v1");
    let mut shown = text.clone();
    assert!(ids::is("evt", shown["id"].as_str().unwrap()));
    shown["id"] = "evt_".into();
    shown["time"] = "then".into();
    insta::assert_snapshot!(shown, @r#"{"correlationid":"ord_1","data":{"order":"ord_1"},"datacontenttype":"application/json","id":"evt_","source":"/shop/orders","specversion":"1.0","subject":"ord_1","time":"then","type":"shop.order.placed.v1"}"#);
    let back: CloudEvent<Value> = parse(text.to_string().as_bytes()).unwrap();
    assert_eq!(back.id, event.id);
    assert_eq!(back.data, event.data);
    assert_eq!(
        kind(text.to_string().as_bytes()).unwrap(),
        "shop.order.placed.v1"
    );
}

#[test]
fn a_consequence_names_its_cause_and_stays_in_the_transaction() {
    let cause = CloudEvent::new("a", "/a", "1", ()).correlated("ord_1");
    let effect = CloudEvent::new("b", "/b", "2", ()).caused_by(&cause);
    assert_eq!(effect.causationid.as_deref(), Some(cause.id.as_str()));
    assert_eq!(effect.correlationid.as_deref(), Some("ord_1"));
}

#[test]
fn messages_that_are_no_such_event_are_refused() {
    let says =
        |text: &str| HandlerError::from(parse::<u32>(text.as_bytes()).unwrap_err()).to_string();
    insta::assert_snapshot!(says("{"), @"the message is not the event it should be: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(
        says(r#"{"specversion":"0.3","id":"1","source":"/","type":"t","time":"2026-01-01T00:00:00Z","subject":"s","data":1}"#),
        @r#"CloudEvents "0.3" is not supported: expected 1.0"#
    );
    insta::assert_snapshot!(
        says(r#"{"specversion":"1.0","id":"1","source":"/","type":"t","time":"soon","subject":"s","data":1}"#),
        @"the message is not the event it should be: expected a time as RFC 3339 writes it at line 1 column 67"
    );
}
