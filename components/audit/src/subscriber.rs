//! Every event of the shop, whatever it is about.

use sdk::{clock, events::HandlerError};

use crate::{
    domain::{Message, Refusal},
    record::Record,
};

/// Takes one event.
pub fn receive(message: &[u8]) -> Result<(), HandlerError> {
    let message = Message::read(message).map_err(|refusal| {
        HandlerError::Refused(match refusal {
            Refusal::NoEvent(why) => format!("it is not an event: {why}"),
            Refusal::TooLong(name) => format!("its {name} is too long"),
        })
    })?;
    Record::open().add(message, clock::format(clock::now()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sdk::events::CloudEvent;
    use serde_json::json;

    use super::*;
    use crate::domain::chain_of;

    fn message(subject: &str) -> Vec<u8> {
        let event = CloudEvent::new("shop.order.placed.v1", "/shop/orders", subject, json!({}));
        serde_json::to_vec(&event).unwrap()
    }

    #[test]
    fn an_event_is_one_entry_however_often_it_comes() {
        let events = ["ord_1", "ord_2", "ord_1"].map(message);
        for event in events.iter().chain(&events) {
            receive(event).unwrap();
        }
        let (entries, more) = Record::open().page(chain_of("ord_1"), 0, 100);
        let of_one = entries
            .iter()
            .filter(|entry| entry.event.subject == "ord_1");
        assert_eq!((of_one.count(), more), (2, false));
        let all: u64 = Record::open().heads().iter().map(|head| head.entries).sum();
        assert_eq!(all, 3);
    }

    #[test]
    fn the_order_of_one_subject_is_kept() {
        let events: Vec<Vec<u8>> = (0..10).map(|_| message("ord_1")).collect();
        for event in &events {
            receive(event).unwrap();
        }
        let (entries, _) = Record::open().page(chain_of("ord_1"), 0, 100);
        let kept: Vec<Vec<u8>> = entries
            .into_iter()
            .filter_map(|entry| entry.payload.map(String::into_bytes))
            .collect();
        assert_eq!(kept, events);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        insta::assert_snapshot!(receive(b"hello").unwrap_err(), @"refused: it is not an event: expected value at line 1 column 1");
    }

    #[test]
    fn every_topic_that_anybody_hears_is_audited() {
        let manifest = include_str!("../../../spin.toml");
        let mut heard = BTreeSet::new();
        let mut audited = BTreeSet::new();
        for trigger in manifest.split("[[trigger.redis]]").skip(1) {
            let value = |name: &str| {
                let line = trigger.lines().find(|line| line.starts_with(name))?;
                line.split('"').nth(1)
            };
            let channel = value("channel").unwrap();
            if channel.starts_with("shop.") {
                heard.insert(channel);
            }
            if value("component") == Some("audit") {
                audited.insert(channel);
            }
        }
        assert_eq!(audited, heard);
        assert!(heard.len() > 10, "{heard:?}");
    }
}
