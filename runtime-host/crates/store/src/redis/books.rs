//! The books of the subscribers, each in its subscriber's place, so that a mark commits with what the handler wrote.
//!
//! A mark wins over what is said later about the same event: a delivery whose handler committed but whose answer was
//! lost is neither noted as failed nor buried.

pub(crate) mod life;

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use skald_core::event::{Book, DeadLetter, Failure as Failed, Progress};

use crate::redis::{
    Redis,
    keys::{micros, padded},
    link::{Class, Failure},
    log::stream::{read_time, text},
    script::{Call, Lazy, Script},
};

static PROGRESS: Lazy = Lazy::new(|| Script::reading(include_str!("books/progress.lua")));
static ADVANCE: Lazy = Lazy::new(|| Script::writing(include_str!("books/advance.lua")));
static FAIL: Lazy = Lazy::new(|| Script::writing(include_str!("books/fail.lua")));
static BURY: Lazy = Lazy::new(|| Script::writing(include_str!("books/bury.lua")));
static REWIND: Lazy = Lazy::new(|| Script::writing(include_str!("books/rewind.lua")));

/// A book, as [`PROGRESS`] answers.
type Page = (
    Option<u64>,
    Option<String>,
    Vec<String>,
    HashMap<String, Bytes>,
);

impl Redis {
    pub(super) async fn read_book(&self, book: &Book) -> Result<Progress, Failure> {
        let life = life::life(self.link());
        let call = self.on_book(&PROGRESS, book).await?;
        let (generation, cursor, done, failed): Page = self.link().call(call).await?;
        let cursor = cursor.as_deref().map_or(Ok(0), number)?;
        let mut failures = Vec::new();
        for (sequence, note) in failed {
            failures.push(failure(number(&sequence)?, note)?);
        }
        let handled: Result<BTreeSet<_>, _> =
            done.iter().map(|sequence| number(sequence)).collect();
        let handled = handled?;
        // A commit leaves its mark and lets the note on a failure be, until the cursor passes it.
        failures
            .retain(|failure| failure.sequence > cursor && !handled.contains(&failure.sequence));
        failures.sort_unstable_by_key(|failure| failure.sequence);
        Ok(Progress {
            generation: life | generation.unwrap_or(0),
            cursor,
            handled,
            failures,
        })
    }

    pub(super) async fn move_cursor(
        &self,
        book: &Book,
        generation: u64,
        cursor: u64,
    ) -> Result<(), Failure> {
        let call = self.on_book(&ADVANCE, book).await?;
        let mut call = call.arg(life::own(generation)).arg(padded(cursor));
        call.in_life(life::of(generation));
        match self.link().call(call).await {
            // It is the cursor of another life, like one of an earlier generation.
            Err(failure) if failure.class == Class::Past => Ok(()),
            moved => moved,
        }
    }

    pub(super) async fn note(&self, book: &Book, failure: &Failed) -> Result<(), Failure> {
        let call = self.on_book(&FAIL, book).await?;
        let call = call.arg(padded(failure.sequence)).arg(note(failure));
        self.link().call(call).await
    }

    pub(super) async fn bury_letter(&self, letter: &DeadLetter) -> Result<(), Failure> {
        let book = letter.book();
        let mut call = self.on_book(&BURY, &book).await?;
        let event = &letter.event;
        call.push(padded(event.sequence));
        call.push(grave(&book, event.sequence));
        for (field, value) in [
            ("t", &*event.topic),
            ("k", &event.key),
            ("r", &event.trace.to_string()),
            ("a", &micros(event.recorded_at).to_string()),
            ("n", &letter.attempts.to_string()),
            ("e", &letter.error),
            ("b", &micros(letter.buried_at).to_string()),
        ] {
            call.push(field);
            call.push(value);
        }
        call.push("p");
        call.push(&*event.payload);
        self.link().call(call).await
    }

    pub(super) async fn send_back(&self, book: &Book, to: u64) -> Result<(), Failure> {
        let call = self.on_book(&REWIND, book).await?;
        let call = call.arg(padded(to)).arg(self.answered().token());
        self.link().call(call).await
    }

    async fn on_book(&self, script: &'static Script, book: &Book) -> Result<Call, Failure> {
        let place = self.place_of(&book.group).await?;
        let call = script.on(&[self.keys().place(&place)]);
        Ok(call.arg(book_name(book)))
    }
}

/// What the keys of a book end with.
pub(crate) fn book_name(book: &Book) -> String {
    format!("{}:{}", book.group, book.partition)
}

/// What a dead letter is found by. The order of these is by subscriber, partition and number.
pub(crate) fn grave(book: &Book, sequence: u64) -> String {
    format!("{}\0{}\0{}", book.group, book.partition, padded(sequence))
}

/// A failure as a book keeps it.
fn note(failure: &Failed) -> String {
    let Failed {
        attempts,
        retry_at,
        error,
        ..
    } = failure;
    format!("{attempts}:{}:{error}", micros(*retry_at))
}

fn failure(sequence: u64, note: Bytes) -> Result<Failed, Failure> {
    let note = text(note)?;
    let mut parts = note.splitn(3, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (attempts, retry_at, error) = (part(), part(), part());
    Ok(Failed {
        sequence,
        attempts: attempts
            .parse()
            .map_err(|_| Failure::corrupt(format!("{note:?} is no note of a failure")))?,
        retry_at: read_time(retry_at)?,
        error: error.to_owned(),
    })
}

/// A number that was written with all its digits.
fn number(digits: &str) -> Result<u64, Failure> {
    digits
        .parse()
        .map_err(|_| Failure::corrupt(format!("{digits:?} is no number")))
}
