//! `skald events tail`: what happened, and what happens.

use std::{
    io::{self, ErrorKind, Write as _},
    thread,
    time::Duration,
};

use serde_json::Value;
use skald_admin::view::Event;

use crate::{
    cli::Tail,
    failure::Failure,
    present::{ink::Ink, log},
    remote::{Remote, encoded},
};

/// How many events are asked for at once.
const PAGE: usize = 500;

/// Between two questions whether something has happened.
const PAUSE: Duration = Duration::from_millis(300);

/// Whether somebody still reads.
enum Reader {
    Here,
    Gone,
}

/// Shows what there is, and stays if asked to.
pub(super) fn tail(remote: &Remote, asked: &Tail, ink: Ink) -> Result<(), Failure> {
    let topics: String = asked
        .topic
        .iter()
        .map(|topic| format!("&topic={}", encoded(topic)))
        .collect();
    let mut from = match &asked.since {
        Some(since) => format!("since={}&limit={PAGE}", encoded(since)),
        None => format!("last={}", asked.last),
    };
    loop {
        let mut page: Value = remote.get(&format!("events?{from}{topics}"))?;
        let items = page.get_mut("items").map(Value::take).unwrap_or_default();
        if let Reader::Gone = write(remote, items, asked, ink)? {
            return Ok(());
        }
        let after = page.get("after").and_then(Value::as_str);
        let after = after.ok_or_else(|| remote.foreign(&"it does not say where a page ends"))?;
        from = format!("after={}&limit={PAGE}", encoded(after));
        let is_more = page.get("more").and_then(Value::as_bool) == Some(true);
        match (is_more, asked.follow) {
            (true, _) => {}
            (false, true) => thread::sleep(PAUSE),
            (false, false) => return Ok(()),
        }
    }
}

/// One line an event.
fn write(remote: &Remote, items: Value, asked: &Tail, ink: Ink) -> Result<Reader, Failure> {
    let mut out = io::stdout().lock();
    let Value::Array(items) = items else {
        return Err(remote.foreign(&"it tells no events"));
    };
    for item in items {
        let line = if asked.json {
            item.to_string()
        } else {
            let event: Event =
                serde_json::from_value(item).map_err(|error| remote.foreign(&error))?;
            log::line(&event, ink)
        };
        match writeln!(out, "{line}") {
            Ok(()) => {}
            // `head` has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Reader::Gone),
            Err(error) => return Err(Failure::File("standard output".into(), error)),
        }
    }
    Ok(Reader::Here)
}
