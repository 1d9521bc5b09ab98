//! How old events are let go of.

use skald_core::event::{Partition, archive::Keep};

use super::before;
use crate::redis::{
    Redis,
    link::Failure,
    log::stream::{Stream, id, number},
    script::{Lazy, Script},
};

static BEYOND: Lazy = Lazy::new(|| Script::reading(include_str!("beyond.lua")));
static FLOOR: Lazy = Lazy::new(|| Script::reading(include_str!("floor.lua")));

/// How many bytes of payloads there are up to some event, as [`BEYOND`] answers.
type Sum = (Option<String>, u64, bool);

pub(super) async fn trim(redis: &Redis, partition: &Partition, keep: Keep) -> Result<u64, Failure> {
    if keep.after == 0 {
        return Ok(0);
    }
    let stream = Stream::of(partition)?;
    let old = match keep.since {
        None => 0,
        Some(since) => before(redis, partition, since).await?,
    };
    let many = match keep.bytes {
        None => 0,
        Some(bytes) => beyond(redis, &stream, bytes).await?,
    };
    let mut last = old.max(many).min(keep.after);
    if last > 0 {
        last = last.min(floor(redis, &stream).await?);
    }
    if last == 0 {
        return Ok(0);
    }
    let mut command = redis::cmd("XTRIM");
    let first_kept = id(last.saturating_add(1));
    command
        .arg(stream.key(redis))
        .arg("MINID")
        .arg("=")
        .arg(first_kept);
    redis.link().ask(&command).await
}

/// The newest event that, with all that are newer, has more bytes than are to be kept.
async fn beyond(redis: &Redis, stream: &Stream, bytes: u64) -> Result<u64, Failure> {
    let mut from = "+".to_owned();
    let mut sum = 0;
    loop {
        let call = BEYOND
            .on(&[redis.keys().place(&stream.place)])
            .arg(&*stream.shard)
            .arg(&from)
            .arg(sum)
            .arg(bytes);
        let (last, so_far, is_beyond): Sum = redis.link().call(call).await?;
        let Some(last) = last else {
            return Ok(0);
        };
        if is_beyond {
            return number(&last);
        }
        from = format!("({last}");
        sum = so_far;
    }
}

/// The last event that consumer groups of other programs are done with.
async fn floor(redis: &Redis, stream: &Stream) -> Result<u64, Failure> {
    let mut call = FLOOR
        .on(&[redis.keys().place(&stream.place)])
        .arg(&*stream.shard);
    for ours in redis.places().components() {
        call.push(&*ours);
    }
    let needs: Vec<(String, bool)> = redis.link().call(call).await?;
    let mut floor = u64::MAX;
    for (id, is_needed) in needs {
        floor = floor.min(number(&id)?.saturating_sub(u64::from(is_needed)));
    }
    Ok(floor)
}
