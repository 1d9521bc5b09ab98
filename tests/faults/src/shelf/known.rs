//! What may be asked of callees, as the durable records of a run say.

use std::collections::HashSet;

use bytes::Bytes;
use skald_core::saga::{
    Command, Direction, Record, RunId, Stamped,
    codec::{self, Tail},
    step_key,
};

/// What may be asked of callees, as the durable records say.
#[derive(Default)]
pub(super) struct Known {
    tail: Tail,
    pub(super) keys: HashSet<String>,
    pub(super) turns_back: bool,
    pub(super) has_ended: bool,
}

// === impl Known ===

impl Known {
    /// Takes note of an entry.
    pub(super) fn learn(&mut self, bytes: &Bytes) {
        let Ok((entry, tail)) = codec::decode(bytes, self.tail) else {
            return;
        };
        self.tail = tail;
        let mut run = None;
        for stamped in &entry.records {
            if let Record::Started(started) = &stamped.record {
                run = Some(started.run.clone());
            }
            self.note(&stamped.record);
        }
        self.name(run, &entry.records);
    }

    fn note(&mut self, record: &Record) {
        match record {
            Record::RollbackStarted { .. } => self.turns_back = true,
            Record::Issued {
                command: Command::Rollback { .. },
                ..
            } => self.turns_back = true,
            Record::Ended { .. } => self.has_ended = true,
            _ => {}
        }
    }

    /// The keys of what is asked for.
    fn name(&mut self, run: Option<RunId>, records: &[Stamped]) {
        if let Some(run) = run {
            // The name of the run is kept among the keys: no key looks like it.
            self.keys.insert(format!("run {run}"));
        }
        let name = self.keys.iter().find_map(|key| key.strip_prefix("run "));
        let Some(run) = name.map(RunId::from) else {
            return;
        };
        for stamped in records {
            if let Record::Issued { ordinal, command } = &stamped.record {
                let direction = match command {
                    Command::Step(_) => Direction::Forward,
                    Command::Register { .. } => Direction::Undo,
                    _ => continue,
                };
                self.keys.insert(step_key(&run, *ordinal, direction));
            }
        }
    }
}
