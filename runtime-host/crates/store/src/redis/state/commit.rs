//! A commit: one script, sent as often as it takes, with one effect.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use skald_core::{
    context::InboxMark,
    event::NewEvent,
    hex,
    store::{Change, CommitError, StoreError},
};

use super::{Touched, place_of_store, push_subject, store_of};
use crate::redis::{
    Redis,
    books::life,
    keys::{micros, padded, shard},
    link::Failure,
    places::Place,
    script::{Call, Lazy, Script},
};

static COMMIT: Lazy = Lazy::new(|| Script::writing(include_str!("commit.lua")));

/// How long Redis remembers a commit of which nobody has said that its answer was heard. Far longer than a commit is
/// sent again, and than one that was held up on its way can come late.
const REMEMBERED: Duration = Duration::from_secs(120);

/// How many commits Redis is told of at once that their answers were heard, and how many wait to be told.
const HEARD: usize = 64;

/// Which commits were answered, so that Redis can forget them.
#[derive(Debug)]
pub(crate) struct Answered {
    /// What no other process begins its tokens with.
    prefix: String,
    next: AtomicU64,
    waiting: Mutex<BTreeMap<Place, Vec<String>>>,
}

pub(super) async fn commit(
    redis: &Redis,
    own: &Place,
    change: Change,
    now: SystemTime,
) -> Result<(), CommitError> {
    let token = redis.answered().token();
    let of_book = match &change.inbox {
        None => None,
        Some(mark) => {
            let place = redis.place_of(&mark.book.group).await;
            Some(place.map_err(StoreError::from)?)
        }
    };
    let mut call = call(redis, own, (&change, of_book), (&token, now));
    let answer: Result<Vec<usize>, Failure> = redis.link().call_tracked(&mut call).await;
    let answer = answer.map_err(StoreError::from)?;
    if !call.was_resent() && !redis.link().is_cluster() {
        // A cluster's client may have sent it twice without a word. There, Redis forgets by itself.
        redis.answered().answer(own, token);
    }
    if answer == [0] {
        let topics = change.events.iter().map(|event| &event.topic);
        redis.topics_known().note(own, topics);
    }
    outcome(&answer, change)
}

/// The script's call for a change, with the place of the book that it marks.
fn call(
    redis: &Redis,
    own: &Place,
    (change, of_book): (&Change, Option<Place>),
    (token, now): (&str, SystemTime),
) -> Call {
    let mut touched = Touched(vec![Place::clone(own)]);
    let of_book = of_book.map(|place| touched.number(&place));
    let reads = change.reads.iter().map(|(subject, _)| store_of(subject));
    let writes = change.writes.iter().map(|(key, _)| &key.store);
    let mut numbers: Vec<_> = reads
        .chain(writes)
        .map(|store| touched.number(&place_of_store(redis, own, store)))
        .collect();
    let of_writes = numbers.split_off(change.reads.len());

    let mut call = COMMIT.on(&touched.keys(redis)).telling_resends();
    call.push(token);
    call.push(redis.keys().own_channel());
    call.push(REMEMBERED.as_millis().to_string());
    let heard = redis.answered().heard(own);
    call.push(heard.len());
    heard.iter().for_each(|token| call.push(token));
    push_mark(&mut call, of_book.zip(change.inbox.as_ref()));
    call.push(change.reads.len());
    for ((subject, seen), number) in change.reads.iter().zip(numbers) {
        push_subject(&mut call, number, subject, *seen);
    }
    push_writes(&mut call, change, &of_writes);
    call.push(change.events.len());
    for event in &change.events {
        push_event(&mut call, event, redis.places().shards, now);
    }
    call
}

fn outcome(answer: &[usize], change: Change) -> Result<(), CommitError> {
    match (answer, change.inbox) {
        ([0], _) => Ok(()),
        ([2], Some(mark)) => Err(CommitError::AlreadyHandled(mark)),
        // Refused before, and what it was refused for is gone again: any of what it read will do.
        ([1, number], _) => match change.reads.into_iter().nth(number.saturating_sub(1)) {
            Some((subject, _)) => Err(CommitError::Conflict(subject)),
            None => Err(unknown(answer)),
        },
        _ => Err(unknown(answer)),
    }
}

fn unknown(answer: &[usize]) -> CommitError {
    StoreError::Corrupt(format!("a commit was answered with {answer:?}")).into()
}

fn push_mark(call: &mut Call, mark: Option<(usize, &InboxMark)>) {
    match mark {
        None => call.push("0"),
        Some((place, mark)) => {
            call.push("1");
            call.push(place);
            call.push(format!("{}:{}", mark.book.group, mark.book.partition));
            call.push(life::own(mark.generation));
            call.push(padded(mark.sequence));
        }
    }
}

fn push_writes(call: &mut Call, change: &Change, places: &[usize]) {
    call.push(change.writes.len());
    for ((key, value), place) in change.writes.iter().zip(places) {
        call.push(*place);
        call.push(&*key.store);
        call.push(&*key.name);
        match value {
            Some(value) => {
                call.push("1");
                call.push(&**value);
            }
            None => call.push("0"),
        }
    }
}

fn push_event(call: &mut Call, event: &NewEvent, shards: u32, now: SystemTime) {
    call.push(shard(&event.key, shards));
    call.push(&*event.topic);
    call.push(&event.key);
    call.push(&*event.payload);
    call.push(event.trace.to_string());
    call.push(micros(now));
    call.push(digest(&event.payload));
}

/// What hosts know a message by that one of them publishes.
pub(crate) fn digest(payload: &[u8]) -> String {
    let whole = Sha256::digest(payload);
    hex::digits(whole.get(..16).unwrap_or_default())
}

// === impl Answered ===

impl Answered {
    pub(crate) fn new() -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self {
            prefix: format!("{:016x}{:016x}", random(), random()),
            next: AtomicU64::new(0),
            waiting: Mutex::default(),
        }
    }

    /// What no other commit has.
    pub(crate) fn token(&self) -> String {
        format!(
            "{}-{:x}",
            self.prefix,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// The commit was answered the first time it was sent: no other copy of it is on its way.
    fn answer(&self, place: &Place, token: String) {
        let mut waiting = self.waiting.lock();
        let tokens = waiting.entry(Place::clone(place)).or_default();
        if tokens.len() < HEARD * HEARD {
            tokens.push(token);
        }
    }

    fn heard(&self, place: &Place) -> Vec<String> {
        let mut waiting = self.waiting.lock();
        let Some(tokens) = waiting.get_mut(place) else {
            return Vec::new();
        };
        tokens.split_off(tokens.len().saturating_sub(HEARD))
    }
}
