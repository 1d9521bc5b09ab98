//! The log of events as people see it: lines, lists, and one dead letter with its message.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use skald_admin::view::{Event, Lag, Letter, Payload, Replay, Topic};
use skald_core::saga::record::micros;
use skald_telemetry::clock::rfc3339;

use super::{
    ink::{Ink, Tone},
    span::{shortened, span},
    table,
};

/// The longest data of a line; the rest is in the JSON form.
const LONGEST: usize = 110;

/// The longest error of a list.
const LONGEST_ERROR: usize = 60;

/// Topics, how much was published on each, and who listens.
pub(crate) fn topics(topics: &[Topic]) -> String {
    let mut table = table(&["topic", "published", "subscribers"]);
    for topic in topics {
        let heard = match topic.subscribers.as_slice() {
            [] => "-".to_owned(),
            some => some.join("\n"),
        };
        table.add_row([shown(&topic.topic), topic.published.to_string(), heard]);
    }
    table.trim_fmt()
}

/// An event as one line: when, where, what, about what, and its data.
pub(crate) fn line(event: &Event, ink: Ink) -> String {
    let place = format!("{}:{}", event.partition, event.sequence.0);
    let key = match event.key.as_str() {
        "" => "-".to_owned(),
        key => shown(key),
    };
    format!(
        "{}  {}  {}  {key}  {}",
        time(event.recorded_at),
        ink.paint(Tone::Faint, &place),
        ink.paint(Tone::Strong, &shown(&event.topic)),
        ink.paint(Tone::Faint, &shortened(&data(&event.payload), LONGEST)),
    )
    .trim_end()
    .to_owned()
}

/// How far behind each subscriber is.
pub(crate) fn lag(lags: &[Lag]) -> String {
    let mut table = table(&["subscriber", "behind", "oldest", "retrying", "dead letters"]);
    for lag in lags {
        table.add_row([
            lag.subscriber.clone(),
            lag.messages.to_string(),
            age(lag.messages, lag.seconds.saturating_mul(1_000_000)),
            lag.retrying.to_string(),
            match lag.dead_letters {
                1_000.. => "1000 or more".to_owned(),
                count => count.to_string(),
            },
        ]);
    }
    table.trim_fmt()
}

/// The same for each partition.
pub(crate) fn partitions(lags: &[Lag], now: u64) -> String {
    let mut table = table(&[
        "subscriber",
        "partition",
        "behind",
        "oldest",
        "retrying",
        "cursor",
    ]);
    for lag in lags {
        for share in &lag.partitions {
            let oldest = share.oldest_at.unwrap_or(now);
            table.add_row([
                lag.subscriber.clone(),
                share.partition.clone(),
                share.messages.to_string(),
                age(share.messages, now.saturating_sub(oldest)),
                share.retrying.to_string(),
                share.cursor.0.to_string(),
            ]);
        }
    }
    table.trim_fmt()
}

/// Dead letters, with how long ago each was given up.
pub(crate) fn letters(letters: &[Letter], now: SystemTime) -> String {
    let now = micros(now);
    let mut table = table(&["dead letter", "topic", "key", "tried", "since", "error"]);
    for letter in letters {
        table.add_row([
            letter.id.clone(),
            shown(&letter.topic),
            shown(&letter.key),
            letter.attempts.to_string(),
            span(now.saturating_sub(letter.buried_at)),
            shortened(&shown(&letter.error), LONGEST_ERROR),
        ]);
    }
    table.trim_fmt()
}

/// One dead letter, whole.
pub(crate) fn letter(letter: &Letter, ink: Ink) -> String {
    let tried = match letter.attempts {
        1 => "once".to_owned(),
        other => format!("{other} times"),
    };
    // A `traceparent` has the trace in its second part.
    let trace = letter.trace.split('-').nth(1).unwrap_or_default();
    format!(
        "{}  tried {tried}: {}\n  event      {}, {} bytes\n  key        {}\n  published  {}\n  given up   {} by {}\n  \
         trace      {trace}\n\n{}\n",
        ink.paint(Tone::Strong, &letter.id),
        ink.paint(Tone::Bad, &lines(&letter.error)),
        shown(&letter.topic),
        letter.bytes,
        shown(&letter.key),
        time(letter.recorded_at),
        time(letter.buried_at),
        letter.subscriber,
        pretty(&letter.payload),
    )
}

/// What a subscriber hears again.
pub(crate) fn replay(replay: &Replay) -> String {
    let Replay {
        subscriber, again, ..
    } = replay;
    let hears = if replay.dry_run {
        "would hear"
    } else {
        "hears"
    };
    let counted = |again: u64, at_least: bool| match at_least {
        true => format!("{again} or more"),
        false => again.to_string(),
    };
    let mut table = table(&["partition", "cursor", "begins after", "again"]);
    for part in replay.partitions.iter().filter(|part| part.again > 0) {
        table.add_row([
            part.partition.clone(),
            part.cursor.0.to_string(),
            part.after.0.to_string(),
            counted(part.again, part.at_least),
        ]);
    }
    if *again == 0 {
        return format!("{subscriber} has handled nothing after that; it {hears} nothing again.");
    }
    let again = counted(*again, replay.partitions.iter().any(|part| part.at_least));
    let table = table.trim_fmt();
    format!("{table}\n{subscriber} {hears} {again} events again.")
}

/// How old the oldest of so many is.
fn age(messages: u64, micros: u64) -> String {
    if messages == 0 {
        "-".to_owned()
    } else {
        span(micros)
    }
}

fn time(at: u64) -> String {
    rfc3339(UNIX_EPOCH + Duration::from_micros(at))
}

/// What the event says: the data of a CloudEvent, or all of the message, on one line.
fn data(payload: &Payload) -> String {
    let Some(text) = &payload.text else {
        return format!("0x{}", payload.digits.as_deref().unwrap_or_default());
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(mut event)) if event.contains_key("specversion") => event
            .remove("data")
            .map_or_else(String::new, |data| data.to_string()),
        Ok(other) => other.to_string(),
        Err(_) => shown(text),
    }
}

/// JSON with its members on lines of their own; anything else as it is.
fn pretty(payload: &Payload) -> String {
    let Some(text) = &payload.text else {
        return format!("0x{}", payload.digits.as_deref().unwrap_or_default());
    };
    match serde_json::from_str::<Value>(text) {
        Ok(value) => format!("{value:#}"),
        Err(_) => lines(text),
    }
}

/// Several lines of that.
fn lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// Without what a terminal would obey: anybody may have written it.
fn shown(text: &str) -> String {
    let shown = |char: char| if char.is_control() { '·' } else { char };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests;
