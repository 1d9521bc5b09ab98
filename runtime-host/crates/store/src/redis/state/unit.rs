//! A unit of work as the script reads it, and by what another copy of it is known.
//!
//! A commit whose answer was lost is sent again, and one that was held up on its way may arrive after the one that was sent in its
//! stead. So each unit leaves something behind in the step that commits it, which every other copy finds:
//!
//! - A unit that handles an event leaves its mark, and that is enough. The mark is there as long as the event could be
//!   handled again: until the cursor passes it, and then the cursor says the same. It holds a number that the unit drew, its *claim*.
//!   A copy that finds its own claim was committed before, and says so, also where its own writes have changed what it had
//!   read. One that finds another claim, or a mark of somebody who gave the event up, comes too late: the event was handled
//!   by another delivery.
//!   A copy that comes after the cursor, or in a new generation of the book, cannot see which of the two it was, and is told
//!   that the event was handled before. That is true both times, and nobody needs more: the cursor is moved by who knows that
//!   the event is done with, and what an earlier generation did counts no more.
//!   A refusal need not be kept. If a copy that was held up is committed after another one was refused, the unit runs again
//!   in vain: it finds the mark, and the effect is there once.
//! - Any other unit leaves a token, for as long as its copies may be on their way. Its refusals are kept as well: its caller
//!   may begin anew, and nothing but the token would keep a late copy from taking effect beside that.

use std::time::SystemTime;

use redis::{Arg, Cmd};
use sha2::{Digest as _, Sha256};
use skald_core::{
    context::InboxMark,
    event::NewEvent,
    hex,
    store::{Change, Label, StoreError},
};

use super::{Touched, answered::random, place_of_store, push_subject, store_of};
use crate::redis::{
    Redis,
    books::{book_name, life},
    keys::{micros, padded, shard},
    places::Place,
    script::{self, Call},
};

/// Numbers below are exact where Redis keeps them, as scores, and quickly read.
const EXACT: u64 = 1 << 48;

/// Room for a unit that writes a key and publishes an event, so that it is not made bit by bit.
const USUAL: (usize, usize) = (24, 1_024);

/// A unit of work as the script reads it.
#[derive(Debug)]
pub(super) struct Unit {
    arguments: Cmd,
    /// The places that it touches, its component's own first.
    pub(super) touched: Touched,
    /// What it is known by, where it has no mark.
    pub(super) token: Option<String>,
    /// The life of the link that it is for, if it follows from what was read in one.
    pub(super) life: Option<u32>,
}

// === impl Unit ===

impl Unit {
    pub(super) async fn new(
        redis: &Redis,
        own: &Place,
        change: &Change,
        now: SystemTime,
    ) -> Result<Self, StoreError> {
        let of_delivery = change.inbox.as_ref().map(|mark| life::of(mark.generation));
        let mut unit = Self {
            life: change.life.or(of_delivery),
            arguments: Cmd::with_capacity(USUAL.0, USUAL.1),
            touched: Touched(vec![Place::clone(own)]),
            token: None,
        };
        match &change.inbox {
            None => unit.push_token(redis.answered().token()),
            Some(mark) => {
                let place = redis.place_of(&mark.book.group).await?;
                unit.push_mark(&place, mark);
            }
        }
        unit.push_reads(redis, change);
        unit.push_writes(redis, change);
        unit.arguments.arg(change.events.len());
        for event in &change.events {
            push_event(&mut unit.arguments, event, redis.places().shards, now);
        }
        Ok(unit)
    }

    /// Whether another unit of the same component can go with it: all that it touches is in its component's place.
    pub(super) fn can_share(&self) -> bool {
        self.touched.0.len() == 1
    }

    /// How many bytes it has on its way, roughly.
    pub(super) fn size(&self) -> usize {
        script::size(&self.arguments)
    }

    /// Adds its arguments to a call, behind how many there are.
    pub(super) fn add_to(&self, call: &mut Call) {
        let arguments = self.arguments.args_iter();
        call.push(arguments.len());
        for argument in arguments {
            if let Arg::Simple(bytes) = argument {
                call.push(bytes);
            }
        }
    }

    fn push_token(&mut self, token: String) {
        self.arguments.arg("0").arg(&token);
        self.token = Some(token);
    }

    fn push_mark(&mut self, place: &Place, mark: &InboxMark) {
        self.arguments
            .arg("1")
            .arg(self.touched.number(place))
            .arg(book_name(&mark.book))
            .arg(life::own(mark.generation))
            .arg(padded(mark.sequence))
            .arg(claim());
    }

    fn push_reads(&mut self, redis: &Redis, change: &Change) {
        self.arguments.arg(change.reads.len());
        for (subject, seen) in &change.reads {
            let number = self.number_of(redis, store_of(subject));
            push_subject(&mut self.arguments, number, subject, *seen);
        }
    }

    fn push_writes(&mut self, redis: &Redis, change: &Change) {
        self.arguments.arg(change.writes.len());
        for (key, value) in &change.writes {
            let number = self.number_of(redis, &key.store);
            let arguments = self.arguments.arg(number).arg(&*key.store).arg(&*key.name);
            match value {
                Some(value) => arguments.arg("1").arg(&**value),
                None => arguments.arg("0"),
            };
        }
    }

    /// The number of the place that a store is in.
    fn number_of(&mut self, redis: &Redis, store: &Label) -> usize {
        let own = self.touched.0.first().cloned();
        let place = own.map(|own| place_of_store(redis, &own, store));
        place.map_or(1, |place| self.touched.number(&place))
    }
}

fn push_event(arguments: &mut Cmd, event: &NewEvent, shards: u32, now: SystemTime) {
    arguments
        .arg(shard(&event.key, shards))
        .arg(&*event.topic)
        .arg(&event.key)
        .arg(&*event.payload)
        .arg(event.trace.to_string())
        .arg(micros(now))
        .arg(digest(&event.payload));
}

/// What hosts know a message by that one of them publishes.
pub(crate) fn digest(payload: &[u8]) -> String {
    let whole = Sha256::digest(payload);
    hex::digits(whole.get(..16).unwrap_or_default())
}

/// What a unit with a mark is known by: not 0, which is nobody's.
fn claim() -> u64 {
    random() % (EXACT - 1) + 1
}
