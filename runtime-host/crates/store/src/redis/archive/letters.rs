//! Dead letters: each in its subscriber's place.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use bytes::Bytes;
use futures_util::future::try_join_all;
use skald_core::event::{
    Book, DeadLetter, NewEvent,
    archive::{LetterId, Letters},
};

use crate::redis::{
    Redis,
    books::grave,
    keys::{micros, shard},
    link::Failure,
    log::stream::{event, read_time, text},
    places::Place,
    script::{Lazy, Script},
    watch::note,
};

static LETTERS: Lazy = Lazy::new(|| Script::reading(include_str!("letters.lua")));
static REDRIVE: Lazy = Lazy::new(|| Script::writing(include_str!("redrive.lua")));
static DISCARD: Lazy = Lazy::new(|| Script::writing(include_str!("discard.lua")));

/// Letters of a place, as [`LETTERS`] answers.
type Found = Vec<(String, HashMap<String, Bytes>)>;

pub(super) async fn list(redis: &Redis, asked: &Letters) -> Result<Vec<DeadLetter>, Failure> {
    let places = match &asked.group {
        Some(group) => vec![redis.place_of(group).await?],
        None => {
            redis.places().refresh(redis.link(), redis.keys()).await?;
            redis.places().all().into_iter().collect()
        }
    };
    let after = asked.after.as_ref().map(|id| grave(&id.book, id.sequence));
    let least = match (&asked.group, after) {
        (Some(group), Some(after)) => format!("({}", after.max(format!("{group}\0"))),
        (None, Some(after)) => format!("({after}"),
        (Some(group), None) => format!("[{group}\0"),
        (None, None) => "-".to_owned(),
    };
    let greatest = match &asked.group {
        Some(group) => format!("({group}\u{1}"),
        None => "+".to_owned(),
    };
    let found = try_join_all(places.iter().map(async |place| {
        let call = LETTERS
            .on(&[redis.keys().place(place)])
            .arg(&least)
            .arg(&greatest)
            .arg(i64::try_from(asked.limit).unwrap_or(i64::MAX));
        redis.link().call::<Found>(call).await
    }))
    .await?;
    let mut letters = Vec::new();
    for (name, fields) in found.into_iter().flatten() {
        letters.push(letter(&name, fields)?);
    }
    letters.sort_by_cached_key(LetterId::of);
    letters.truncate(asked.limit);
    Ok(letters)
}

pub(super) async fn find(redis: &Redis, id: &LetterId) -> Result<Option<DeadLetter>, Failure> {
    let place = redis.place_of(&id.book.group).await?;
    find_in(redis, &place, id).await
}

async fn find_in(
    redis: &Redis,
    place: &Place,
    id: &LetterId,
) -> Result<Option<DeadLetter>, Failure> {
    let name = grave(&id.book, id.sequence);
    let mut command = redis::cmd("HGETALL");
    command.arg(format!("{}:letter:{name}", redis.keys().place(place)));
    let fields: HashMap<String, Bytes> = redis.link().ask(&command).await?;
    if fields.is_empty() {
        return Ok(None);
    }
    letter(&name, fields).map(Some)
}

pub(super) async fn redrive(
    redis: &Redis,
    id: &LetterId,
    now: SystemTime,
) -> Result<bool, Failure> {
    let place = redis.place_of(&id.book.group).await?;
    let Some(letter) = find_in(redis, &place, id).await? else {
        return Ok(false);
    };
    let topic = NewEvent::topic_for(&id.book.group);
    let shard = shard(&letter.event.key, redis.places().shards);
    let call = REDRIVE
        .on(&[redis.keys().place(&place)])
        .arg(grave(&id.book, id.sequence))
        .arg(redis.answered().token())
        .arg(shard)
        .arg(&*topic)
        .arg(micros(now))
        .arg(redis.keys().own_channel())
        .arg(note::without_message(&place, shard, &topic));
    let was_there = redis.link().call(call).await?;
    if was_there {
        redis.topics_known().note(&place, [&topic].into_iter());
    }
    Ok(was_there)
}

pub(super) async fn discard(redis: &Redis, id: &LetterId) -> Result<bool, Failure> {
    let place = redis.place_of(&id.book.group).await?;
    let call = DISCARD
        .on(&[redis.keys().place(&place)])
        .arg(grave(&id.book, id.sequence))
        .arg(redis.answered().token());
    redis.link().call(call).await
}

fn letter(name: &str, mut fields: HashMap<String, Bytes>) -> Result<DeadLetter, Failure> {
    let damaged = || Failure::corrupt(format!("{name:?} is no dead letter"));
    let mut parts = name.splitn(3, '\0');
    let mut part = || parts.next().ok_or_else(damaged);
    let (group, partition, sequence) = (part()?, part()?, part()?);
    let book = Book {
        group: Arc::from(group),
        partition: Arc::from(partition),
    };
    let mut field = |name| fields.remove(name).ok_or_else(damaged).and_then(text);
    let (attempts, error, buried_at) = (field("n")?, field("e")?, field("b")?);
    let sequence = sequence.parse().map_err(|_| damaged())?;
    Ok(DeadLetter {
        event: event(&book.partition, sequence, |name| fields.remove(name))?,
        group: book.group,
        attempts: attempts.parse().map_err(|_| damaged())?,
        error,
        buried_at: read_time(&buried_at)?,
    })
}
