//! What a subscriber's progress still owes to the log: failures, dead letters, and the cursor.
//!
//! A note is written when the store takes it and not forgotten before, so a store that fails for a while loses
//! nothing. Nothing begins while a note is owed, so there is one note on an event at most. A process that dies
//! with unwritten notes loses a count of attempts, no more.

use std::{collections::VecDeque, sync::Arc};

use skald_core::{
    event::{Book, DeadLetter, EventLog, Failure},
    store::StoreError,
};

/// How many events are done with between two writes of the cursor. The inbox marks hold what lies between,
/// so this only bounds how many of them there are and how much a start has to read.
pub(crate) const ADVANCE_EVERY: u64 = 256;

/// What one delivery owes.
pub(crate) struct Books {
    book: Book,
    /// Of the book, when it was opened.
    generation: u64,
    log: Arc<dyn EventLog>,
    notes: VecDeque<Note>,
    /// The cursor that the log knows.
    saved: u64,
    /// Events done with since then.
    done: u64,
}

/// Why there is a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Something has happened, and more may happen soon.
    Busy,
    /// Time has passed, or it is the last one.
    Polled,
}

/// Something that the log has to know.
#[derive(Clone, Debug)]
enum Note {
    Failed(Failure),
    Dead(Box<DeadLetter>),
}

// === impl Books ===

impl Books {
    /// Nothing as yet.
    pub(crate) const fn new(book: Book, log: Arc<dyn EventLog>) -> Self {
        Self {
            book,
            generation: 0,
            log,
            notes: VecDeque::new(),
            saved: 0,
            done: 0,
        }
    }

    /// Learns what the log knows already.
    pub(crate) const fn open(&mut self, generation: u64, cursor: u64) {
        self.generation = generation;
        self.saved = cursor;
        self.done = 0;
    }

    /// The book's generation, when it was opened.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Owes the log a failure.
    pub(crate) fn failed(&mut self, failure: Failure) {
        self.notes.push_back(Note::Failed(failure));
    }

    /// Owes the log a dead letter. The event is not done with until [`Books::write`] says so.
    pub(crate) fn give_up(&mut self, letter: DeadLetter) {
        self.notes.push_back(Note::Dead(Box::new(letter)));
    }

    /// Counts an event that is done with.
    pub(crate) const fn finished(&mut self) {
        self.done += 1;
    }

    /// Writes what is owed; returns the dead letters that are written, also when others could not be.
    pub(crate) async fn write(&mut self) -> (Vec<DeadLetter>, Result<(), StoreError>) {
        let mut buried = Vec::new();
        while let Some(note) = self.notes.front().cloned() {
            let written = match note.clone() {
                Note::Failed(failure) => self.log.note_failure(&self.book, failure).await,
                Note::Dead(letter) => self.log.bury(*letter).await,
            };
            if let Err(error) = written {
                return (buried, Err(error));
            }
            self.notes.pop_front();
            if let Note::Dead(letter) = note {
                buried.push(*letter);
            }
        }
        (buried, Ok(()))
    }

    /// Writes the cursor if enough was done since the last time, or if it is a pass
    /// that happens now and then.
    pub(crate) async fn advance(&mut self, cursor: u64, pace: Pace) -> Result<(), StoreError> {
        let behind = cursor.saturating_sub(self.saved);
        let due = match pace {
            Pace::Busy => self.done >= ADVANCE_EVERY,
            // A quiet subscriber's cursor follows the events of others too, but not for every one of them.
            Pace::Polled => self.done > 0 || behind >= ADVANCE_EVERY,
        };
        if behind > 0 && due {
            self.log
                .advance(&self.book, self.generation, cursor)
                .await?;
            self.saved = cursor;
            self.done = 0;
        }
        Ok(())
    }
}
