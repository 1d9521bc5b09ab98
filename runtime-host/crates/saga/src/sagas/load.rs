//! From a journal to a run that can be carried.

use std::sync::Arc;

use bytes::Bytes;
use skald_core::saga::{
    Parked, Record, RunId, Stamped, Started, State,
    codec::{self, Damage, Tail},
    journal::Summary,
};

use super::Ground;
use crate::{Begun, StartError, VerbError, book::Book, stage::Run};

/// How many entries are read at once.
const PAGE: usize = 512;

/// What there is of a run that is to begin.
pub(super) enum Found {
    /// Nothing.
    New(Arc<Run>),
    /// A run of the same key, and what the list says of it.
    Before(Result<Begun, StartError>, Box<Summary>),
}

/// A journal that was read.
pub(super) struct Read {
    pub(super) records: Vec<Stamped>,
    pub(super) entries: Vec<Bytes>,
    tail: Tail,
    /// Who wrote last.
    epoch: u64,
}

impl Ground {
    /// The journal of a run, checked.
    pub(super) async fn read(&self, run: &RunId) -> Result<Read, VerbError> {
        let mut read = Read {
            records: Vec::new(),
            entries: Vec::new(),
            tail: Tail::default(),
            epoch: 0,
        };
        loop {
            let after = read.tail.sequence;
            let page = self.journal.entries(run, after, PAGE).await?;
            for bytes in &page {
                let (entry, tail) =
                    codec::decode(bytes, read.tail).map_err(|damage| self.damage(run, &damage))?;
                read.records.extend(entry.records);
                read.tail = tail;
                read.epoch = entry.epoch;
            }
            let is_last = page.len() < PAGE;
            read.entries.extend(page);
            if is_last {
                break;
            }
        }
        if read.records.is_empty() {
            return Err(VerbError::NoSuchRun(run.clone()));
        }
        Ok(read)
    }

    /// A run as its journal left it, taken over if another start of the host carried it.
    pub(super) async fn load(&self, run: &RunId) -> Result<Book, VerbError> {
        let life = self.journal.life();
        let read = self.read(run).await?;
        let bytes = read.entries.iter().map(|entry| entry.len() as u64).sum();
        let state = State::fold(read.records).map_err(|invalid| {
            let damage = Damage {
                sequence: read.tail.sequence,
                offset: 0,
                what: invalid.to_string(),
            };
            self.damage(run, &damage)
        })?;
        let has_ended = state.end().is_some();
        let mut book = Book::open(state, read.tail, bytes, &self.config);
        book.life = life;
        if has_ended {
            return Ok(book);
        }
        self.take_over(&mut book, read.epoch).await?;
        if !self.park_regressed(run, &mut book) {
            self.park_doubtful(run, &mut book, read.epoch).await?;
        }
        Ok(book)
    }

    /// What another start of the host wrote last is this one's from now on, unless the other one is alive: without an
    /// append nobody would notice that both send its steps.
    async fn take_over(&self, book: &mut Book, last: u64) -> Result<(), VerbError> {
        if last == self.epoch() {
            return Ok(());
        }
        if let Some(other) = self.config.owners.other(last) {
            return Err(VerbError::Elsewhere(other));
        }
        let epoch = self.epoch_after(last).await?;
        // A record that any state takes.
        let _ = book.add(Record::OwnerChanged { epoch });
        Ok(())
    }

    /// A run whose journal has lost its end waits for a person. A state that is parked already stays so.
    fn park_regressed(&self, run: &RunId, book: &mut Book) -> bool {
        let (had, has) = (self.had(run), book.entries());
        if has < had {
            tracing::error!(%run, had, has, "the store has lost the end of a journal; the run is parked");
            let reason = Parked::Regressed { had, has };
            let _ = book.add(Record::Parked { reason });
        }
        has < had
    }

    /// So does one that another node has written last, where nobody can say any more whether its end is lost.
    async fn park_doubtful(
        &self,
        run: &RunId,
        book: &mut Book,
        last: u64,
    ) -> Result<(), VerbError> {
        let has = book.entries();
        let is_own = last == self.epoch() || self.config.guard.had(run) == Some(has);
        if is_own || self.config.owners.is_vouched(last).await? {
            return Ok(());
        }
        tracing::error!(%run, has, "whether the store has lost the end of a journal cannot be known; the run is parked");
        let reason = Parked::Doubtful { has };
        let _ = book.add(Record::Parked { reason });
        Ok(())
    }

    /// A new run, or the one that the key began before.
    pub(super) async fn begin(&self, started: Started) -> Result<Found, StartError> {
        let Some(summary) = self.journal.find(&started.run).await? else {
            let run = started.run.clone();
            let mut book = self.new_book(started)?;
            // Where there was a journal and none is left, it does not begin as if it never had.
            self.park_regressed(&run, &mut book);
            return Ok(Found::New(Run::new(book)));
        };
        let first = self.journal.entries(&started.run, 0, 1).await?;
        let begun = match codec::read(&first).map(|(records, _)| records) {
            Ok(records) => match records.into_iter().next().map(|stamped| stamped.record) {
                Some(Record::Started(before)) => same(&before, &started),
                _ => Ok(Begun::Before(started.run)),
            },
            // It is there, whatever else it is; nobody must begin it again.
            Err(_) => Ok(Begun::Before(started.run)),
        };
        Ok(Found::Before(begun, Box::new(summary)))
    }

    fn damage(&self, run: &RunId, damage: &Damage) -> VerbError {
        let text = damage.to_string();
        tracing::error!(%run, %damage, "the journal of a run is damaged; only this run stops");
        self.damaged.lock().insert(run.clone(), text.clone());
        VerbError::Damaged(text)
    }
}

/// Whether a start means the run that its key began before.
pub(crate) fn same(before: &Started, start: &Started) -> Result<Begun, StartError> {
    if before.input == start.input {
        return Ok(Begun::Before(before.run.clone()));
    }
    Err(StartError::Conflict {
        key: start.key.clone(),
        run: before.run.clone(),
    })
}
