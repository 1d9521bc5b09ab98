//! A run while it is carried: its state, where its code is in it, and what is not yet durable.
//!
//! The carrier and the stage share it under one lock. What the code asks and what its steps answer is in the state at
//! once, so that the code can go on; it leaves the host only after [`Book::unwritten`] was appended. Nobody outside can
//! tell the difference, and it saves a commit for each step.

use std::sync::Arc;

use skald_core::saga::{
    Command, Invalid, Issue, Outcome, Parked, Record, Script, Stamped, State,
    codec::{self, Entry, Tail, Unwritable},
    journal::Append,
    play::Interrupted,
    record,
};

use crate::{
    config::{Clock, Config},
    ledger::{self, Code},
};

/// What is known of a run while it is carried.
pub(crate) struct Book {
    pub(crate) state: State,
    pub(crate) script: Script,
    /// Where the journal goes on.
    tail: Tail,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// The life of the store in which the journal was last as it is known here.
    pub(crate) life: u32,
    /// Records that are in the state and not in the journal.
    unwritten: Vec<Stamped>,
    /// What the code waits for, while it does.
    waiting: Option<Waiting>,
    /// What was to be appended and may have been: nobody has said so. It is what is appended next, to the byte.
    attempted: Option<Unwritten>,
    /// Why the code goes no further, if the run is to be parked for it.
    pub(crate) stopped: Option<Parked>,
    limits: Limits,
    clock: Clock,
}

/// What a journal may hold at most.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Bytes of one command or answer.
    payload: usize,
    /// Records.
    history: u32,
}

/// What the code waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Waiting {
    /// The end of this command.
    One(u32),
    /// The end of any of these.
    Any(Vec<u32>),
}

/// Records that are to be appended as one entry.
#[derive(Clone)]
pub(crate) struct Unwritten {
    pub(crate) append: Append,
    tail: Tail,
    records: usize,
}

// === impl Book ===

impl Book {
    /// A run that begins with this record.
    pub(crate) fn begin(first: Stamped, config: &Config) -> Result<Self, Invalid> {
        let state = State::begin(first.clone())?;
        let mut book = Self::open(state, Tail::default(), 0, config);
        book.unwritten = vec![first];
        Ok(book)
    }

    /// A run whose journal was read.
    pub(crate) fn open(state: State, tail: Tail, bytes: u64, config: &Config) -> Self {
        Self {
            script: Script::new(&state),
            state,
            tail,
            bytes,
            life: 0,
            unwritten: Vec::new(),
            waiting: None,
            attempted: None,
            stopped: None,
            limits: Limits {
                payload: config.payload,
                history: config.history,
            },
            clock: Arc::clone(&config.clock),
        }
    }

    /// The code begins again from its top.
    pub(crate) fn rewind(&mut self) {
        self.script = Script::new(&self.state);
        self.waiting = None;
        self.stopped = None;
    }

    /// Adds a record, made now.
    pub(crate) fn add(&mut self, record: Record) -> Result<(), Invalid> {
        // The clock may be set back; a journal's time never goes back.
        let at = micros(&self.clock).max(self.state.updated_at());
        let stamped = Stamped { at, record };
        self.state.absorb(stamped.clone())?;
        self.unwritten.push(stamped);
        Ok(())
    }

    /// Whether the code can do nothing until something ends.
    pub(crate) fn is_quiet(&self) -> bool {
        let has_ended = |ordinal: &u32| self.state.place(*ordinal).is_some();
        match &self.waiting {
            None => false,
            Some(Waiting::One(ordinal)) => !has_ended(ordinal),
            Some(Waiting::Any(ordinals)) => !ordinals
                .iter()
                .any(|one| has_ended(one) && !self.script.has_joined(*one)),
        }
    }

    /// How many entries the journal has.
    pub(crate) const fn entries(&self) -> u64 {
        self.tail.sequence
    }

    pub(crate) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// What has to be appended next. An append that may have been heard is made again as it was: another entry in its
    /// place would be taken for another owner's.
    pub(crate) fn unwritten(&mut self, epoch: u64, code: Code) -> Result<Unwritten, Unwritable> {
        if let Some(attempted) = &self.attempted {
            return Ok(attempted.clone());
        }
        let entry = Entry {
            sequence: self.tail.sequence + 1,
            epoch,
            previous: self.tail.link,
            records: self.unwritten.clone(),
        };
        let records = entry.records.len();
        let (entry, tail) = codec::encode(&entry)?;
        let bytes = self.bytes.saturating_add(entry.len() as u64);
        let unwritten = Unwritten {
            append: Append {
                sequence: tail.sequence,
                entry,
                summary: ledger::summary(&self.state, code, (epoch, bytes)),
            },
            tail,
            records,
        };
        self.attempted = Some(unwritten.clone());
        Ok(unwritten)
    }

    /// It was appended, behind all that was there before.
    pub(crate) fn written(&mut self, written: &Unwritten, life: u32) {
        self.attempted = None;
        self.life = life;
        self.unwritten.drain(..written.records);
        // Most runs wait for long before they have more to write.
        self.unwritten.shrink_to_fit();
        self.tail = written.tail;
        self.bytes = written.append.summary.bytes;
    }
}

/// What the code asks for.
impl Book {
    pub(crate) fn issue(&mut self, command: Command) -> Result<u32, Interrupted> {
        self.expect_forward()?;
        match self.script.issue(&self.state, &command)? {
            Issue::Replayed(ordinal) => Ok(ordinal),
            Issue::Mismatch(reason) => Err(self.stop(reason)),
            Issue::New(ordinal) => {
                if let Some(reason) = self.too_much(ordinal, &command) {
                    return Err(self.stop(reason));
                }
                let recorded = self.add(Record::Issued { ordinal, command });
                if let Err(invalid) = recorded {
                    // The script allows nothing that the state refuses; if it did, a person would have to look.
                    let reason = Parked::Crashed {
                        attempts: 1,
                        error: invalid.to_string(),
                    };
                    return Err(self.stop(reason));
                }
                self.script.pass(&self.state);
                Ok(ordinal)
            }
        }
    }

    pub(crate) fn outcome(&mut self, ordinal: u32) -> Result<Option<Outcome>, Interrupted> {
        self.expect_forward()?;
        let outcome = self.script.outcome(&self.state, ordinal)?;
        self.waiting = outcome.is_none().then_some(Waiting::One(ordinal));
        Ok(outcome)
    }

    pub(crate) fn join(&mut self, ordinals: &[u32]) -> Result<Option<u32>, Interrupted> {
        self.expect_forward()?;
        let first = self.script.join(&self.state, ordinals)?;
        self.waiting = first.is_none().then(|| Waiting::Any(ordinals.to_vec()));
        Ok(first)
    }

    pub(crate) fn patched(&mut self, id: &str) -> Result<bool, Interrupted> {
        self.expect_forward()?;
        match self.script.patched(&self.state, id) {
            Some(taken) => Ok(taken),
            None => {
                self.issue(Command::Patch { id: id.to_owned() })?;
                Ok(true)
            }
        }
    }

    /// Code whose run turned back, was parked or has ended asks for nothing any more.
    fn expect_forward(&self) -> Result<(), Interrupted> {
        if self.stopped.is_none() && self.state.goes_forward() {
            Ok(())
        } else {
            Err(Interrupted::Stopped)
        }
    }

    fn stop(&mut self, reason: Parked) -> Interrupted {
        self.stopped = Some(reason);
        Interrupted::Stopped
    }

    fn too_much(&self, ordinal: u32, command: &Command) -> Option<Parked> {
        if self.is_full() {
            return Some(Parked::HistoryFull {
                limit: self.limits.history,
            });
        }
        self.too_large(ordinal, command)
    }

    /// Whether the journal takes no more of what it need not take.
    pub(crate) fn is_full(&self) -> bool {
        self.state.records() >= self.limits.history
    }

    /// A command or an answer that is too large for the journal.
    pub(crate) fn too_large(&self, ordinal: u32, what: &impl serde::Serialize) -> Option<Parked> {
        let limit = self.limits.payload;
        let size = postcard::experimental::serialized_size(what).unwrap_or(usize::MAX);
        if size <= limit {
            return None;
        }
        Some(Parked::TooLarge {
            ordinal,
            size: u64::try_from(size).unwrap_or(u64::MAX),
            limit: u64::try_from(limit).unwrap_or(u64::MAX),
        })
    }
}

/// Now, in microseconds since 1970.
pub(crate) fn micros(clock: &Clock) -> u64 {
    record::micros(clock())
}
