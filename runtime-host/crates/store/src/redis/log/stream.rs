//! The streams that the log consists of: their names, their numbers, and what an entry holds.

use std::sync::Arc;

use bytes::Bytes;
use skald_core::event::{Event, NewEvent, Partition};

use crate::{
    redis::{Redis, keys::time, link::Failure, places::Place},
    rows::read_trace,
};

/// How many bits of a number count the events of one millisecond; the others are the milliseconds since 1970.
const BITS: u32 = 20;

/// How many entries are asked for at once, at least and at most: what is not wanted is passed over here.
const CHUNK: (usize, usize) = (32, 512);

/// One stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) place: Place,
    pub(crate) shard: Arc<str>,
}

/// An entry: its id, and its fields.
type Entry = (String, Vec<(Bytes, Bytes)>);

/// What was found in a range.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The events that are wanted.
    pub(crate) events: Vec<Event>,
    /// The last event of all that was looked at, if there was any.
    pub(crate) last: Option<u64>,
}

// === impl Stream ===

impl Stream {
    pub(crate) fn of(partition: &Partition) -> Result<Self, Failure> {
        let (place, shard) = partition
            .rsplit_once('/')
            .ok_or_else(|| Failure::corrupt(format!("{partition:?} is no partition")))?;
        Ok(Self {
            place: place.into(),
            shard: shard.into(),
        })
    }

    pub(crate) fn key(&self, redis: &Redis) -> String {
        format!("{}:log:{}", redis.keys().place(&self.place), self.shard)
    }
}

/// What is asked of a stream.
#[derive(Clone, Copy)]
pub(crate) struct Range<'a> {
    pub(crate) partition: &'a Partition,
    pub(crate) after: u64,
    pub(crate) limit: usize,
}

/// The events of a range that are wanted, by their topics.
pub(crate) async fn scan(
    redis: &Redis,
    range: Range<'_>,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Found, Failure> {
    let Range {
        partition,
        after,
        limit,
    } = range;
    let key = Stream::of(partition)?.key(redis);
    let chunk = limit.clamp(CHUNK.0, CHUNK.1);
    let mut found = Found::default();
    let mut from = beyond(after);
    while found.events.len() < limit {
        let command = xrange(&key, &from, chunk);
        let entries: Vec<Entry> = redis.link().ask(&command).await?;
        let is_last = entries.len() < chunk;
        if let Some((id, _)) = entries.last() {
            from = format!("({id}");
            found.last = Some(number(id)?);
        }
        for (id, mut fields) in entries {
            let topic = fields.iter().find(|(name, _)| name == "t");
            if topic.is_some_and(|(_, topic)| is_wanted(&String::from_utf8_lossy(topic))) {
                let field = |name: &str| take(&mut fields, name);
                found.events.push(event(partition, number(&id)?, field)?);
            }
        }
        if is_last {
            break;
        }
    }
    found.events.truncate(limit);
    Ok(found)
}

/// Asks for entries from there to the end, so many at most.
fn xrange(key: &str, from: &str, count: usize) -> redis::Cmd {
    let mut command = redis::cmd("XRANGE");
    command.arg(key).arg(from).arg("+").arg("COUNT").arg(count);
    command
}

fn take(fields: &mut Vec<(Bytes, Bytes)>, name: &str) -> Option<Bytes> {
    let place = fields.iter().position(|(one, _)| one == name)?;
    Some(fields.swap_remove(place).1)
}

/// Where a range begins that is after a number.
pub(crate) fn beyond(number: u64) -> String {
    if number == 0 {
        return "-".to_owned();
    }
    format!("({}", id(number))
}

/// The id of a number.
pub(crate) fn id(number: u64) -> String {
    format!("{}-{}", number >> BITS, number & ((1 << BITS) - 1))
}

/// The number of an id.
pub(crate) fn number(id: &str) -> Result<u64, Failure> {
    let parts = id.split_once('-').and_then(|(milliseconds, n)| {
        let (milliseconds, n): (u64, u64) = (milliseconds.parse().ok()?, n.parse().ok()?);
        let fits = n < 1 << BITS && milliseconds < 1 << (u64::BITS - BITS);
        fits.then_some(milliseconds << BITS | n)
    });
    parts.ok_or_else(|| Failure::corrupt(format!("{id:?} is not the id of an event of ours")))
}

/// An event from the fields of an entry, or of a dead letter. Each is asked for once.
pub(crate) fn event(
    partition: &Partition,
    sequence: u64,
    mut take: impl FnMut(&str) -> Option<Bytes>,
) -> Result<Event, Failure> {
    let mut field = |name: &str| {
        take(name).ok_or_else(|| {
            Failure::corrupt(format!("event {sequence} of {partition} has no {name:?}"))
        })
    };
    let topic = text(field("t")?)?;
    let topic = if NewEvent::is_for_one(&topic) {
        text(field("o")?)?
    } else {
        topic
    };
    let trace = text(field("r")?)?;
    Ok(Event {
        partition: Arc::clone(partition),
        sequence,
        topic: topic.into(),
        key: text(field("k")?)?,
        payload: field("p")?,
        recorded_at: read_time(&text(field("a")?)?)?,
        trace: read_trace(&trace)
            .ok_or_else(|| Failure::corrupt(format!("{trace:?} is not a traceparent")))?,
    })
}

/// Text of a field.
pub(crate) fn text(bytes: Bytes) -> Result<String, Failure> {
    String::from_utf8(bytes.into()).map_err(|error| Failure::corrupt(error.to_string()))
}

/// The time that a field's microseconds stand for.
pub(crate) fn read_time(micros: &str) -> Result<std::time::SystemTime, Failure> {
    let parsed = micros.parse().ok().and_then(time);
    parsed.ok_or_else(|| Failure::corrupt(format!("{micros:?} is no time")))
}

#[cfg(test)]
mod tests {
    use super::{beyond, id, number};

    #[test]
    fn a_number_is_an_id() {
        for one in [0, 1, 7, (1 << 20) - 1, 1 << 20, u64::MAX] {
            assert_eq!(number(&id(one)).unwrap(), one);
        }
        assert_eq!(id((1_700_000_000_000 << 20) | 5), "1700000000000-5");
        assert_eq!(beyond(0), "-");
        assert_eq!(beyond(1), "(0-1");
    }

    #[test]
    fn an_id_that_fits_into_no_number_is_refused() {
        for bad in ["", "1", "1-1048576", "17592186044416-0", "x-1"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
