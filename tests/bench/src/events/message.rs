//! The message that is published: an event of the shop, so that a component of the shop can be its handler.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use skald_core::{
    event::NewEvent,
    store::{Change, Key},
};
use skald_telemetry::ids;

/// Its topic.
pub(super) const TOPIC: &str = "shop.order.confirmed.v1";

/// Who hears it, and the one store that it writes to.
pub(super) const HANDLER: &str = "notifications";

/// Where a message says its key and its number.
const KEY: Range<usize> = 12..20;
const NUMBER: Range<usize> = 28..36;

/// Some 330 bytes.
pub(super) fn payload(key: u32, number: u32) -> Bytes {
    let head = format!(
        r#"{{"subject":"{key:08}","id":"{number:08}-{:016x}","#,
        ids::span_id()
    );
    let envelope = format!(
        r#""specversion":"1.0","source":"/shop/orders","type":"{TOPIC}","time":"2026-01-01T12:00:00Z","datacontenttype":"application/json","#
    );
    let data = format!(
        r#""data":{{"order":"ord_{key:026}","user":"usr_{key:026}","total":{{"amount":4200,"currency":"EUR"}}}}}}"#
    );
    Bytes::from(head + &envelope + &data)
}

/// The key of a message.
pub(super) fn key(payload: &[u8]) -> Option<usize> {
    number_in(payload, KEY)
}

/// The number of a message.
pub(super) fn number(payload: &[u8]) -> Option<usize> {
    number_in(payload, NUMBER)
}

fn number_in(payload: &[u8], at: Range<usize>) -> Option<usize> {
    std::str::from_utf8(payload.get(at)?).ok()?.parse().ok()
}

/// A unit of work that publishes these.
pub(super) fn publishing(topic: &str, payloads: impl Iterator<Item = Bytes>) -> Change {
    let event = |payload| NewEvent::new(topic.into(), payload, ids::new_trace());
    Change {
        events: payloads.map(event).collect(),
        ..Change::default()
    }
}

/// A unit of work that writes one key, as the handler's does.
pub(super) fn writing(payload: &Bytes) -> Change {
    let name = payload.slice(KEY.start..KEY.end.min(payload.len()));
    let key = Key {
        store: Arc::from(HANDLER),
        name: String::from_utf8_lossy(&name).into(),
    };
    Change {
        writes: vec![(key, Some(payload.clone()))],
        ..Change::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{TOPIC, key, number, payload, publishing};

    #[test]
    fn a_message_tells_its_key_and_number() {
        let message = payload(17, 4_711);
        assert_eq!((key(&message), number(&message)), (Some(17), Some(4_711)));
        let change = publishing(TOPIC, [message].into_iter());
        assert_eq!(change.events[0].key, "00000017");
    }
}
